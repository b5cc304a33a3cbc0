import type { Cluster, ClusterName, NodeName } from "../cluster/cluster.ts";
import { readRecord } from "../records/access.ts";
import type { Observed } from "../plan/plan.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore, Version } from "../store/store.ts";
import { ChangeTakenBack, CreationFailed } from "../targets/target.ts";
import { gatewayInstance } from "../components/certificates.ts";
import type { Context } from "./context.ts";
import { factsFor, passPreflight, type Facts } from "./facts.ts";
import { admitGateway, found, makeTrust } from "./founding.ts";
import { comeToRest } from "./interrupted.ts";
import { prune } from "./prune.ts";
import { deriveStatus } from "./derive.ts";
import { look, recordOf } from "./look.ts";
import { makePlan, type LaunchPlan } from "./plan.ts";
import { loadImages, machineOf, publish, settle, takeBack } from "./publishing.ts";
import { awaitForgotten, runSteps } from "./run.ts";
import { versions } from "./start.ts";
import type { Status } from "./status-shape.ts";
import { step, together, underLock, type Locked } from "./under-lock.ts";

export type Launched = {
  readonly changes: number;
  readonly seconds: number;
  readonly status: Status;
  /** When each phase of each node began and was first settled, milliseconds since 1970. */
  readonly settled: readonly { readonly name: NodeName; readonly settled: RecordValue<"node">["settled"] }[];
};

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

/** The cluster's state once all see it alike: a node that just came back looks dead to the others for another round or two. */
async function wholeStatus(
  context: Context,
  cluster: Cluster["name"],
  store: ClusterStore,
  last: Observed | undefined,
): Promise<Pick<Launched, "status" | "settled">> {
  const deadline = context.clock.now() + 10_000;
  // Where looks at the target are counted the last one must do: nothing of ours changes there any more.
  const observed = context.target.observeEvery === undefined ? undefined : last;
  for (;;) {
    const seen = await look(context, cluster, store, observed);
    const now = deriveStatus(seen, context.target);
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

export type LaunchInput = {
  readonly cluster: Cluster;
  /** Facts to be asked anew, though the revision has them. */
  readonly refresh?: readonly string[];
  /** A creation that fails is left as it is, to be looked at. */
  readonly leave?: boolean;
};

/** Creates the cluster, resumes an interrupted creation, or brings it to what the file says; the same command for all three. */
export async function launch(context: Context, input: LaunchInput): Promise<Launched> {
  const { cluster, refresh = [], leave = false } = input;
  const { target, clock, emit, signal } = context;
  const begun = clock.now();
  let gathered: Facts | undefined;
  let last: Observed | undefined;
  const seen = await target.observe(cluster.name);
  const trust = seen.state === "absent" ? makeTrust(cluster.name, clock.now()) : undefined;
  // Whoever needs it hears of its failure; nobody does when the cluster turns out to be there.
  void Promise.allSettled([trust]);
  if (target.floating !== undefined && seen.nodes.length === 0) await passPreflight(context, cluster, await early());
  const opened = await target.prepare(cluster, { emit, signal });
  try {
    const changes = await underLock(
      context,
      { cluster: cluster.name, operation: "launch", store: opened.store },
      async (locked) => {
        const { store } = locked;
        await comeToRest(locked, cluster, gathered?.value);
        const founding = await found(locked, cluster, trust);
        const plan = await makePlan(locked.context, cluster, store, true, { facts: gathered, refresh, leave });
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
            () =>
              admitted || opened.address === undefined
                ? undefined
                : admitGateway(locked.context, store, opened.address),
            () => takeSteps(locked, cluster, { leave, plan }, () => runSteps(locked, runner, plan.steps)),
          ],
          async (work) => work(),
        );
        // An instance that has no name of its own yet is not waited for.
        last = await target.observe(cluster.name);
        const nodes = last.nodes.filter(({ name, instance }) => name !== instance);
        // Those that are just booting look anyway.
        const enrolled = new Set(plan.steps.flatMap((step) => (step.kind === "enrol" ? [step.node.name] : [])));
        await settle(locked, cluster, plan, {
          nodes: nodes.map(({ name }) => name),
          told:
            plan.publishes || enrolled.size > 0
              ? nodes.map(({ name }) => name).filter((name) => !enrolled.has(name))
              : [],
        });
        if (plan.steps.some(({ title }) => title === "start"))
          await target.still?.after(cluster.name, nodes, { emit: locked.context.emit, signal });
        const lost = plan.steps.flatMap((step) => (step.kind === "forget" && step.wave < 0 ? [step.instance] : []));
        await awaitForgotten(locked, cluster.name, lost);
        await prune(store, [plan.revision.id, ...(plan.before === undefined ? [] : [plan.before])]);
        return { result: plan.changes.length, changes: plan.changes.length };
      },
    );
    const seconds = (clock.now() - begun) / 1000;
    emit("cluster.ready", { cluster: cluster.name, seconds });
    return { changes, seconds, ...(await wholeStatus(context, cluster.name, opened.store, last)) };
  } finally {
    await opened.close();
  }

  /** Facts before there may be a store. */
  async function early(): Promise<Facts | undefined> {
    const access = seen.state === "absent" ? undefined : await target.store(cluster.name);
    try {
      return (gathered = await factsFor(context, cluster, access?.store, refresh));
    } finally {
      await access?.close();
    }
  }
}

/** A creation that failed is taken away at once, unless it is left to be looked at, and the revision of a change that failed; what it failed of is the error all the same. */
async function takeSteps(
  locked: Locked,
  cluster: Cluster,
  { leave, plan }: { readonly leave: boolean; readonly plan: LaunchPlan },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CreationFailed && !leave && !locked.context.signal.aborted)
      await step(locked, "roll back", cluster.name, () => comeToRest(locked, cluster, plan.facts));
    if (error instanceof ChangeTakenBack && !locked.context.signal.aborted)
      await step(locked, "take back", cluster.name, () => takeBack(locked.context, locked.store, plan));
    throw error;
  }
}
