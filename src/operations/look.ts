import type { ClusterName } from "../cluster/cluster.ts";
import type { Observed } from "../plan/plan.ts";
import { listRecords, readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";

/** A machine that asked to join and is no node, and why. */
type Refused = Pick<RecordValue<"joinAnswer">, "instance" | "address" | "refused" | "since">;
/** What the store says of a cluster, as far as looking at it needs. */
export type Recorded = {
  readonly cluster: RecordValue<"cluster"> | undefined;
  readonly pointer: RecordValue<"pointer"> | undefined;
  readonly roster: readonly RecordValue<"roster">[];
  readonly nodes: readonly RecordValue<"node">[];
  readonly services: readonly RecordValue<"service">[];
  /** Machines that asked to join and were refused. */
  readonly refused: readonly Refused[];
  /** Whether there was an etcd cluster, or a swarm, once: it is so also when none of its members can tell of it any more. */
  readonly formed: { readonly etcd: boolean; readonly swarm: boolean };
  /** The services that the current revision asks for; `undefined` before the first one is published. */
  readonly wanted: RecordValue<"servicesRevision"> | undefined;
};
/** What is known of a cluster at one moment: the target's word, and the store's or why it gives none. */
export type Seen = {
  readonly observed: Observed;
  readonly recorded:
    | { readonly kind: "read"; readonly value: Recorded }
    | { readonly kind: "unreadable"; readonly why: string };
  /** Milliseconds since 1970. */
  readonly now: number;
};

/**
 * Observes the target and reads the store, through a connection that is open already where one is given; a store that does
 * not answer is part of the picture, not an error. `known`: what the target said a moment ago.
 */
export async function look(
  context: Context,
  cluster: ClusterName,
  opened?: ClusterStore,
  known?: Observed,
): Promise<Seen> {
  const observed = known ?? (await context.target.observe(cluster));
  const recorded =
    observed.state === "absent"
      ? unreadable("the cluster is not there")
      : // What was observed a moment ago has read what stood there then.
        await recordedOf(
          context,
          cluster,
          opened,
          known === undefined ? context.target.recorded?.(observed) : undefined,
        );
  return { observed, recorded, now: context.clock.now() };
}

async function recordedOf(
  context: Context,
  cluster: ClusterName,
  opened: ClusterStore | undefined,
  there: There | undefined,
): Promise<Seen["recorded"]> {
  const read = (store: ClusterStore): Promise<Recorded> => readAll(store, there);
  try {
    const value = opened === undefined ? await withStore(context, cluster, read) : await read(opened);
    return { kind: "read", value };
  } catch (error) {
    context.signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return unreadable(why.replaceAll(/\s+/g, " "));
  }
}

function unreadable(why: string): Seen["recorded"] {
  return { kind: "unreadable", why };
}

/** Whether a machine that was refused has been let in since: by the same token, or at its address under another identity. */
function hasCome({ instance, address, since }: Refused, roster: Recorded["roster"]): boolean {
  return roster.some(
    (entry) =>
      entry.instance === instance || (entry.address === address && entry.state === "present" && entry.since >= since),
  );
}

/** What an observation has read already. */
type There = Pick<Recorded, "roster" | "pointer" | "wanted">;

async function readThere(store: ClusterStore): Promise<There> {
  const [pointer, roster] = await Promise.all([readRecord(store, "pointer"), listRecords(store, "roster")]);
  const wanted =
    pointer === undefined
      ? undefined
      : await readRecord(store, "servicesRevision", { revision: pointer.value.revision });
  return { roster: roster.map(({ value }) => value), pointer: pointer?.value, wanted: wanted?.value };
}

async function readAll(store: ClusterStore, there: There | undefined): Promise<Recorded> {
  const [cluster, { roster, pointer, wanted }, nodes, services, answers, refusals] = await Promise.all([
    readRecord(store, "cluster"),
    there ?? readThere(store),
    listRecords(store, "node"),
    listRecords(store, "service"),
    listRecords(store, "joinAnswer"),
    listRecords(store, "joinRefusal"),
  ]);
  const records = nodes.map((found) => found.value);
  return {
    cluster: cluster?.value,
    pointer,
    roster,
    nodes: records,
    services: services.map((found) => found.value),
    refused: [...answers, ...refusals].map((found) => found.value).filter((one) => !hasCome(one, roster)),
    formed: await formedOf(store, cluster?.value, records),
    wanted,
  };
}

/** Asks the store only where no node tells of them, which says it as well. */
async function formedOf(
  store: ClusterStore,
  cluster: Recorded["cluster"],
  nodes: Recorded["nodes"],
): Promise<Recorded["formed"]> {
  const told = {
    etcd: nodes.some((record) => record.etcd !== undefined),
    swarm: nodes.some((record) => record.swarm !== undefined),
  };
  if (cluster === undefined) return told;
  const { generation, orchestrator } = cluster;
  const swarm = orchestrator === "swarm" && !told.swarm;
  const [joined, published] = await Promise.all([
    told.etcd ? [] : listRecords(store, "etcdJoined", { generation }),
    swarm ? readRecord(store, "swarmCluster", { generation }) : undefined,
  ]);
  return { etcd: told.etcd || joined.length > 0, swarm: told.swarm || published !== undefined };
}

/** Works with the cluster's store and closes the connection, also after an error. */
export async function withStore<Result>(
  context: Context,
  cluster: ClusterName,
  work: (store: ClusterStore) => Promise<Result>,
): Promise<Result> {
  const access = await context.target.store(cluster);
  if (access === undefined) {
    throw new OperationError(`cluster ${cluster} has no store`, "slipway launch");
  }
  try {
    return await work(access.store);
  } finally {
    await access.close();
  }
}

/** Observes a cluster that must be there; an `OperationError` names those that are. */
export async function observePresent(context: Context, cluster: ClusterName): Promise<Observed> {
  const observed = await context.target.observe(cluster);
  if (observed.state === "present") return observed;
  const others = await context.target.list();
  throw new OperationError(
    `there is no cluster ${cluster} on ${context.target.name}${others.length === 0 ? "" : `; there is ${others.join(", ")}`}`,
    others.length === 0 ? "slipway launch" : "slipway list",
  );
}

/** What an instance says of itself, as far as the store could be read. */
export function recordOf(seen: Seen, instance: string): RecordValue<"node"> | undefined {
  if (seen.recorded.kind === "unreadable") return undefined;
  return seen.recorded.value.nodes.find((record) => record.instance === instance);
}
