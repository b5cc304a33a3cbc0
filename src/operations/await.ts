import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { Path } from "../problems/problem.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { listRecords, readRecord, type Found } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import { StoreError, type ClusterStore, type Version } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";

export type Awaited = {
  readonly store: ClusterStore;
  readonly cluster: ClusterName;
  readonly nodes: readonly NodeName[];
  readonly until: "ready" | "left";
  /** Milliseconds since 1970 by the context's clock. */
  readonly deadline: number;
  /** Only a node that runs this revision counts as ready. */
  readonly revision?: string;
  /** And only one that has put back what was changed, up to this count of the pointer. */
  readonly apply?: number;
  /** The field that asked for what a node's reason names. */
  readonly origin?: (node: NodeName, reason: string) => Path | undefined;
  /** Records, by instance, from before a restart: as long as a record still has this version, the node has said nothing yet. */
  readonly before?: ReadonlyMap<string, Version>;
};

/** Milliseconds between looks: quick while something happens, slower while nothing does. */
const pauses = { shortest: 100, longest: 250, growth: 1.1 } as const;
/** How often the target is asked whether its nodes still run, where it says nothing else. Milliseconds. */
const usualObserving = 2000;
/** Reconcilers never stop, so a failure may heal by itself: it counts once it has lasted so long. Milliseconds. */
const failureGrace = 10_000;
/** A node that runs says something at least every half minute. Milliseconds. */
const signOfLife = 45_000;
const consoleLines = 20;
/** From so many on, one list of all records costs less than a read of each. */
const manyWaiting = 3;

type Pending = {
  readonly node: NodeName;
  instance: string | undefined;
  phase: string;
  reason: string | undefined;
  failedSince: number | undefined;
  record: Found<"node"> | undefined;
};

/** Waits until nodes are ready or have left, and says what they do meanwhile; an `OperationError` names the node that does not. */
export async function awaitNodes(context: Context, input: Awaited): Promise<void> {
  const begun = context.clock.now();
  const pending = new Map(input.nodes.map((node) => [node, newPending(node)]));
  let pause: number = pauses.shortest;
  let observedAt = begun;
  let trouble: string | undefined;
  const observeEvery = context.target.observeEvery ?? usualObserving;
  while (pending.size > 0) {
    context.signal.throwIfAborted();
    try {
      await readAll(input, [...pending.values()]);
      trouble = undefined;
    } catch (error) {
      // The gateway may be starting again; the deadline ends the patience.
      if (!(error instanceof StoreError) || error.kind !== "unreachable") throw error;
      trouble = error.message;
    }
    let moved = false;
    for (const waiting of pending.values()) {
      moved = tell(context, input, waiting) || moved;
      if (!isDone(input, waiting)) continue;
      pending.delete(waiting.node);
      if (input.until === "ready")
        context.emit("node.ready", {
          node: waiting.node,
          seconds: (context.clock.now() - begun) / 1000,
        });
    }
    const now = context.clock.now();
    const failed = [...pending.values()].filter((waiting) => waiting.failedSince !== undefined);
    const lasting = failed.some((waiting) => now - (waiting.failedSince ?? now) >= failureGrace);
    if (lasting) throw await givenUp(context, input, failed, "failed");
    if (pending.size > 0 && now - observedAt >= observeEvery) {
      observedAt = now;
      await observe(context, input, pending);
    }
    if (pending.size === 0) return;
    if (now >= input.deadline) {
      const seconds = Math.round((now - begun) / 1000);
      const store = trouble === undefined ? "" : ` (the cluster's store does not answer: ${trouble})`;
      throw await givenUp(context, input, [...pending.values()], `not ${input.until} after ${seconds} s${store}`);
    }
    pause = moved ? pauses.shortest : Math.min(pauses.longest, pause * pauses.growth);
    await context.clock.sleep(Math.min(pause, input.deadline - now), context.signal);
  }
}

function newPending(node: NodeName): Pending {
  return {
    node,
    instance: undefined,
    phase: "",
    reason: undefined,
    failedSince: undefined,
    record: undefined,
  };
}

/** Brings every waiting node's record up to date; the roster is read only for those whose instance is not known yet. */
async function readAll(input: Awaited, waiting: readonly Pending[]): Promise<void> {
  if (waiting.some((one) => one.instance === undefined)) {
    const roster = (await listRecords(input.store, "roster"))
      .map((found) => found.value)
      .filter((entry) => entry.state !== "gone")
      .toSorted((a, b) => b.since - a.since);
    for (const one of waiting) one.instance ??= roster.find((entry) => entry.node === one.node)?.instance;
  }
  const records =
    waiting.length < manyWaiting
      ? undefined
      : new Map((await listRecords(input.store, "node")).map((found) => [found.value.instance, found]));
  await Promise.all(
    waiting.map(async (one) => {
      const { instance } = one;
      if (instance === undefined) return;
      const found = records === undefined ? await readRecord(input.store, "node", { instance }) : records.get(instance);
      one.record = found?.version === input.before?.get(instance) ? undefined : found;
    }),
  );
}

/** Says what changed; true when something did. */
function tell(context: Context, input: Awaited, waiting: Pending): boolean {
  const record = waiting.record?.value;
  const phase = record === undefined || isOld(record) ? "boot" : record.phase;
  const reason = record === undefined || isOld(record) ? undefined : record.reason;
  const failed = input.until === "ready" && record?.state === "failed";
  waiting.failedSince = failed ? (waiting.failedSince ?? context.clock.now()) : undefined;
  if (phase === waiting.phase && reason === waiting.reason) return false;
  waiting.phase = phase;
  waiting.reason = reason;
  context.emit("node.phase", {
    node: waiting.node,
    phase,
    ...(reason === undefined ? {} : { reason }),
  });
  return true;
}

/** What a node said before it stopped says nothing of how it starts. */
function isOld(record: RecordValue<"node">): boolean {
  return record.state === "stopped" && record.phase !== "left";
}

function isDone(input: Awaited, waiting: Pending): boolean {
  const record = waiting.record?.value;
  if (record === undefined) return false;
  if (input.until === "left") return record.phase === "left";
  return (
    record.state === "ready" &&
    (input.revision === undefined || record.revision === input.revision) &&
    record.apply >= (input.apply ?? 0)
  );
}

/** A container that does not run never gets ready, and has certainly left. */
async function observe(context: Context, input: Awaited, pending: Map<NodeName, Pending>): Promise<void> {
  const { nodes } = await context.target.observe(input.cluster);
  const running = new Set(nodes.filter((node: ObservedNode) => node.state === "running").map((node) => node.name));
  const gone = [...pending.values()].filter((waiting) => !running.has(waiting.node));
  if (gone.length === 0) return;
  if (input.until === "ready")
    throw await givenUp(context, input, gone, `not running: its ${context.target.body} has stopped`);
  for (const waiting of gone) pending.delete(waiting.node);
}

/** Says of every node why it is given up, with the lines that explain it, and makes the error that ends the operation. */
async function givenUp(
  context: Context,
  input: Awaited,
  nodes: readonly Pending[],
  why: string,
): Promise<OperationError> {
  const causes = await Promise.all(
    nodes.map(async (waiting) => {
      const record = waiting.record?.value;
      const log =
        record === undefined || record.log.length === 0
          ? await consoleOf(context, input.cluster, waiting.node)
          : record.log;
      const silent = record === undefined ? 0 : context.clock.now() - record.seen;
      const reason =
        record === undefined
          ? "it has said nothing yet"
          : silent > signOfLife
            ? `no sign of life for ${Math.round(silent / 1000)} s`
            : (waiting.reason ?? why);
      const origin = input.origin?.(waiting.node, reason);
      const place = origin === undefined ? undefined : (context.place?.(origin) ?? origin.join("."));
      context.emit("node.failed", {
        node: waiting.node,
        phase: waiting.phase,
        reason,
        log,
        ...(place === undefined ? {} : { origin: place }),
      });
      return `${waiting.node} is ${why}; phase ${waiting.phase}: ${reason}${place === undefined ? "" : ` (${place})`}`;
    }),
  );
  return new OperationError(causes.join("\n"), `slipway logs ${nodes[0]?.node ?? input.cluster}`);
}

async function consoleOf(context: Context, cluster: ClusterName, node: NodeName): Promise<readonly string[]> {
  try {
    const text = await context.target.node(node, cluster).console(consoleLines);
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-consoleLines);
  } catch (error) {
    return [`its console cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
}
