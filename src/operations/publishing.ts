import { nodeName, type Cluster, type NodeName } from "../cluster/cluster.ts";
import { emptyMachine, type MachineConfig } from "../machine/machine.ts";
import type { Path } from "../problems/problem.ts";
import { readRecord, updateRecord, writeOnce } from "../records/access.ts";
import type { ClusterStore } from "../store/store.ts";
import { awaitNodes } from "./await.ts";
import type { Context } from "./context.ts";
import type { LaunchPlan } from "./plan.ts";
import { nodePatience } from "./run.ts";
import { awaitServices } from "./services.ts";
import { together, type Locked } from "./under-lock.ts";

/** Writes the revision and lets the pointer name it; `apply` is raised where nodes must put back what others changed. */
export async function publish(
  context: Context,
  store: ClusterStore,
  plan: Pick<LaunchPlan, "revision" | "repairs">,
): Promise<void> {
  const { revision } = plan;
  await Promise.all([
    ...revision.groups.map((group) =>
      writeOnce(store, "groupRevision", { revision: revision.id, group: group.group }, group),
    ),
    writeOnce(store, "servicesRevision", { revision: revision.id }, revision.services),
    ...(revision.facts === undefined ? [] : [writeOnce(store, "facts", { revision: revision.id }, revision.facts)]),
  ]);
  await updateRecord(store, "pointer", {}, (now) => ({
    revision: revision.id,
    apply: (now?.apply ?? 0) + (plan.repairs ? 1 : 0),
    nonce: context.random.hex(8),
  }));
}

/** Lets the pointer name the revision before again, where it names this plan's: nodes run nothing whose machines never came. */
export async function takeBack(context: Context, store: ClusterStore, plan: LaunchPlan): Promise<void> {
  const { before, revision } = plan;
  if (before === undefined || before === revision.id) return;
  await updateRecord(store, "pointer", {}, (now) =>
    now?.revision === revision.id
      ? { revision: before, apply: now.apply + 1, nonce: context.random.hex(8) }
      : undefined,
  );
}

/** A node boots with its group's config, so that its engine starts with it and not after it. */
export function machineOf(cluster: Cluster, plan: LaunchPlan): (node: string) => MachineConfig {
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

/** Local images go to the nodes that may run them, while those nodes still form the cluster. */
export async function loadImages(locked: Locked, cluster: Cluster, plan: LaunchPlan): Promise<void> {
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

/**
 * After a revision was published: nodes at rest look every five seconds and are told to look at once; then all of them are
 * waited for, and the services.
 */
export async function settle(
  locked: Locked,
  cluster: Cluster,
  plan: LaunchPlan,
  { nodes, told }: { readonly nodes: readonly NodeName[]; readonly told: readonly NodeName[] },
): Promise<void> {
  const { context, store } = locked;
  const { target, clock } = context;
  await Promise.all(told.map((name) => target.nudge(name)));
  const apply = (await readRecord(store, "pointer"))?.value.apply ?? 0;
  await together(
    [
      () =>
        awaitNodes(context, {
          store,
          cluster: cluster.name,
          nodes,
          until: "ready",
          deadline: clock.now() + nodePatience,
          revision: plan.revision.id,
          apply,
          origin: originIn(machineOf(cluster, plan)),
        }),
      () => loadImages(locked, cluster, plan),
    ],
    async (work) => work(),
  );
  await awaitServices(context, store, cluster, { revision: plan.revision.id, apply });
}
