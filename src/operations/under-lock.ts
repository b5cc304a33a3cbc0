import pLimit from "p-limit";
import type { ClusterName } from "../cluster/cluster.ts";
import { processAlive } from "../host/owner.ts";
import type { ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";
import { atATime } from "./exec.ts";
import { journaling } from "./journal.ts";
import { acquireLock, LockLost, type Lock } from "./lock.ts";
import { withStore } from "./look.ts";

/** What work under the lock is given; `context` says things to the journal too. */
export type Locked = {
  readonly context: Context;
  readonly store: ClusterStore;
  readonly lock: Lock;
};
/** `changes`: how many things are not as they were before. */
export type Outcome<Result> = { readonly result: Result; readonly changes: number };

/** Takes the cluster's lock for an operator; `doing`: for the one who finds it held. */
export function lockOf(context: Context, store: ClusterStore, doing: string): Promise<Lock> {
  const { clock, random, owner, emit, signal } = context;
  return acquireLock({ store, clock, random, owner, emit, signal, processAlive, doing });
}

/** Runs an operation on a cluster that is there: under its lock, with beginning and end as events, and in the journal. */
export async function underLock<Result>(
  context: Context,
  input: {
    readonly cluster: ClusterName;
    readonly operation: string;
    /** The store, where the caller has opened it; it stays the caller's to close. */
    readonly store?: ClusterStore;
  },
  work: (locked: Locked) => Promise<Outcome<Result>>,
): Promise<Result> {
  const { cluster, operation } = input;
  const { clock } = context;
  const run = async (store: ClusterStore): Promise<Result> => {
    const journal = journaling(context, operation);
    const { emit } = journal;
    const lock = await lockOf({ ...context, emit }, store, `${operation} ${cluster}`);
    const begun = clock.now();
    try {
      emit("operation.started", { operation, cluster });
      const { result, changes } = await work({ context: { ...context, emit }, store, lock });
      emit("operation.finished", {
        operation,
        cluster,
        seconds: (clock.now() - begun) / 1000,
        changes,
      });
      return result;
    } catch (error) {
      const next = error instanceof OperationError ? error.next : undefined;
      const cause = error instanceof Error ? error.message : String(error);
      emit("operation.failed", {
        operation,
        cluster,
        cause,
        ...(next === undefined ? {} : { next }),
      });
      throw error;
    } finally {
      await journal.write(store);
      await lock.release();
    }
  };
  return input.store === undefined ? withStore(context, cluster, run) : run(input.store);
}

/** One step of an operation: the lock is asked for again before it, its beginning and end are events. */
export async function step(locked: Locked, title: string, subject: string, work: () => Promise<void>): Promise<void> {
  const { context, lock } = locked;
  context.signal.throwIfAborted();
  await lock.check();
  const begun = context.clock.now();
  context.emit("step.started", { step: title, subject });
  try {
    await work();
  } catch (error) {
    // Where somebody took over while we slept, that is why it failed.
    throw context.signal.aborted ? error : ((await lossOf(lock)) ?? error);
  }
  context.emit("step.finished", {
    step: title,
    subject,
    milliseconds: context.clock.now() - begun,
  });
}

/** `undefined`: the lock is ours, or nobody can say. */
async function lossOf(lock: Lock): Promise<LockLost | undefined> {
  try {
    await lock.check();
    return undefined;
  } catch (error) {
    return error instanceof LockLost ? error : undefined;
  }
}

/** The same work on many things side by side; fails with the first error, but only when nothing is under way any more. */
export async function together<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const limit = pLimit(atATime);
  const ends = await Promise.allSettled(items.map((item) => limit(() => work(item))));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
