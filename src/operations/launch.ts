import { nodeName, type Cluster, type ClusterName, type NodeName } from "../cluster/cluster.ts";
import { emptyMachine, type MachineConfig } from "../machine/machine.ts";
import type { Path } from "../problems/problem.ts";
import { readRecord, updateRecord, writeOnce } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore, Version } from "../store/store.ts";
import { gatewayInstance } from "../components/certificates.ts";
import { awaitNodes } from "./await.ts";
import type { Context } from "./context.ts";
import { admitGateway, found, makeTrust } from "./founding.ts";
import { prune } from "./prune.ts";
import { deriveStatus } from "./derive.ts";
import { look, recordOf } from "./look.ts";
import { makePlan, type LaunchPlan } from "./plan.ts";
import { awaitForgotten, nodePatience, runSteps } from "./run.ts";
import { awaitServices } from "./services.ts";
import { versions } from "./start.ts";
import type { Status } from "./status-shape.ts";
import { together, underLock, type Locked } from "./under-lock.ts";

export type Launched = {
  readonly changes: number;
  readonly seconds: number;
  readonly status: Status;
  /** When each phase of each node began and was first settled, milliseconds since 1970. */
  readonly settled: readonly { readonly name: NodeName; readonly settled: RecordValue<"node">["settled"] }[];
};

/** Writes the revision and lets the pointer name it; `apply` is raised where nodes must put back what others changed. */
async function publish(context: Context, store: ClusterStore, plan: LaunchPlan): Promise<void> {
  const { revision } = plan;
  await Promise.all([
    ...revision.groups.map((group) =>
      writeOnce(store, "groupRevision", { revision: revision.id, group: group.group }, group),
    ),
    writeOnce(store, "servicesRevision", { revision: revision.id }, revision.services),
  ]);
  await updateRecord(store, "pointer", {}, (now) => ({
    revision: revision.id,
    apply: (now?.apply ?? 0) + (plan.repairs ? 1 : 0),
    nonce: context.random.hex(8),
  }));
}

/** A node boots with its group's config, so that its engine starts with it and not after it. */
function machineOf(cluster: Cluster, plan: LaunchPlan): (node: string) => MachineConfig {
  const groups = new Map(plan.revision.groups.map((group) => [group.group, group.machine as MachineConfig]));
  const byNode = new Map(
    cluster.groups.flatMap((group) =>
      Array.from({ length: group.count }, (_, n) => [nodeName(cluster.name, group.name, n + 1), group.name] as const),
    ),
  );
  return (node) => groups.get(byNode.get(node as NodeName) ?? "") ?? emptyMachine;
}

/** The field of the file that asked for the unit or file that a node's reason names. */
function originIn(machine: (node: string) => MachineConfig): (node: string, reason: string) => Path | undefined {
  return (node, reason) => {
    const { units, files } = machine(node);
    const named = [
      ...units.map(({ name, origin }) => ({ name, origin })),
      ...files.map(({ path, origin }) => ({ name: path, origin })),
    ];
    const found = named.find(({ name, origin }) => origin.kind === "field" && reason.includes(name))?.origin;
    return found?.kind === "field" ? found.path : undefined;
  };
}

/** The versions of what nodes said last that this plan makes anew or starts. */
async function lastWords(
  { context, store }: Locked,
  cluster: ClusterName,
  plan: LaunchPlan,
): Promise<ReadonlyMap<string, Version>> {
  const begun = new Set(
    plan.steps
      .filter((step) => step.kind === "enrol" || (step.kind === "work" && step.title === "start"))
      .map((step) => step.subject),
  );
  if (begun.size === 0) return new Map();
  const { nodes } = await context.target.observe(cluster);
  return versions(
    store,
    nodes.filter((node) => begun.has(node.name)),
  );
}

/** Local images go to the nodes that may run them, while those nodes still form the cluster. */
async function loadImages(locked: Locked, cluster: Cluster, plan: LaunchPlan): Promise<void> {
  const { context } = locked;
  const { target, emit, signal } = context;
  const images = new Map<string, { id: string; service: string; groups: Set<string> }>();
  for (const service of plan.revision.services.services) {
    if (service.imageId === undefined) continue;
    const image = images.get(service.image) ?? {
      id: service.imageId,
      service: service.name,
      groups: new Set<string>(),
    };
    for (const group of cluster.groups) {
      if (Object.entries(service.constraints).every(([label, value]) => group.labels[label] === value))
        image.groups.add(group.name);
    }
    images.set(service.image, image);
  }
  if (images.size === 0) return;
  const { nodes } = await target.observe(cluster.name);
  await Promise.all(
    [...images].map(async ([reference, image]) => {
      const names = nodes
        .filter((node) => node.state === "running" && image.groups.has(node.group))
        .map((node) => node.name);
      const loaded = await target.loadImage(reference, image.id, names, { emit, signal });
      for (const node of loaded) emit("service.imageLoaded", { service: image.service, node, image: reference });
    }),
  );
}

/** The cluster's state once all see it alike: a node that just came back looks dead to the others for another round or two. */
async function wholeStatus(
  context: Context,
  cluster: Cluster["name"],
  store: ClusterStore,
): Promise<Pick<Launched, "status" | "settled">> {
  const deadline = context.clock.now() + 10_000;
  for (;;) {
    const seen = await look(context, cluster, store);
    const now = deriveStatus(seen, context.target.name);
    const well = now.state === "ready" && now.etcd.members.every((member) => member.state === "voter");
    if (well || context.clock.now() > deadline || context.signal.aborted) {
      const settled = now.nodes.flatMap(({ name, instance }) => {
        const record = recordOf(seen, instance);
        return record === undefined ? [] : [{ name, settled: record.settled }];
      });
      return { status: now, settled };
    }
    await context.clock.sleep(200, context.signal);
  }
}

/** Creates the cluster, resumes an interrupted creation, or brings it to what the file says; the same command for all three. */
export async function launch(context: Context, input: { readonly cluster: Cluster }): Promise<Launched> {
  const { cluster } = input;
  const { target, clock, emit, signal } = context;
  const begun = clock.now();
  const trust =
    (await target.observe(cluster.name)).state === "absent" ? makeTrust(cluster.name, clock.now()) : undefined;
  // Whoever needs it hears of its failure; nobody does when the cluster turns out to be there.
  void Promise.allSettled([trust]);
  const opened = await target.prepare(cluster, { emit, signal });
  try {
    const changes = await underLock(
      context,
      { cluster: cluster.name, operation: "launch", store: opened.store },
      async (locked) => {
        const { store } = locked;
        const founding = await found(locked, cluster, trust);
        const plan = await makePlan(locked.context, cluster, store, true);
        locked.context.emit("plan.made", { changes: plan.changes.length, steps: plan.steps.length });
        const admitted = (await readRecord(store, "certificate", { instance: gatewayInstance })) !== undefined;
        const before = await lastWords(locked, cluster.name, plan);
        const runner = {
          cluster: cluster.name,
          founding,
          before,
          publish: (its: ClusterStore) => publish(context, its, plan),
          machine: machineOf(cluster, plan),
        };
        // Nodes that run already get an image before anyone is told to use it.
        if (plan.publishes) await loadImages(locked, cluster, plan);
        await together(
          [
            () => (admitted ? undefined : admitGateway(locked.context, store, opened.address)),
            () => runSteps(locked, runner, plan.steps),
          ],
          async (work) => work(),
        );
        const names = (await target.observe(cluster.name)).nodes.map((node) => node.name);
        const apply = (await readRecord(store, "pointer"))?.value.apply ?? 0;
        if (plan.publishes || plan.steps.some((step) => step.kind === "enrol")) {
          // Nodes at rest look every five seconds; told so, they look at once. Those that are just booting look anyway.
          const ready = names.filter(
            (name) => !plan.steps.some((step) => step.kind === "enrol" && step.node.name === name),
          );
          await Promise.all(ready.map((name) => target.nudge(name)));
        }
        await together(
          [
            () =>
              awaitNodes(locked.context, {
                store,
                cluster: cluster.name,
                nodes: names,
                until: "ready",
                deadline: clock.now() + nodePatience,
                revision: plan.revision.id,
                apply,
                origin: originIn(runner.machine),
              }),
            () => loadImages(locked, cluster, plan),
          ],
          async (work) => work(),
        );
        await awaitServices(locked.context, store, cluster, { revision: plan.revision.id, apply });
        const lost = plan.steps.flatMap((step) => (step.kind === "forget" && step.wave < 0 ? [step.instance] : []));
        await awaitForgotten(locked, cluster.name, lost);
        await prune(store, [plan.revision.id, ...(plan.before === undefined ? [] : [plan.before])]);
        return { result: plan.changes.length, changes: plan.changes.length };
      },
    );
    const seconds = (clock.now() - begun) / 1000;
    emit("cluster.ready", { cluster: cluster.name, seconds });
    return { changes, seconds, ...(await wholeStatus(context, cluster.name, opened.store)) };
  } finally {
    await opened.close();
  }
}
