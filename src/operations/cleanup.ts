import type { ClusterName } from "../cluster/cluster.ts";
import type { Change } from "../plan/plan.ts";
import { NotHere, type Leftover, type PlanRequest } from "../targets/target.ts";
import { OperationError, type Context } from "./context.ts";
import { LockHeld, type Lock } from "./lock.ts";
import { StoreError } from "../store/store.ts";
import { lockOf, together } from "./under-lock.ts";

/** `kept`: data that was to stay. */
export type CleanedUp = {
  readonly removed: number;
  readonly left: readonly Leftover[];
  readonly kept?: readonly Leftover[];
};
export type CleanupInput = {
  readonly cluster: ClusterName;
  /** Disks and the store stay; a `NotHere` where the target does not tell them from the rest. */
  readonly keepData?: boolean;
};

/** Who asks for data to stay has not agreed to lose it. */
function mustKeep({ target }: Context, { cluster, keepData }: CleanupInput): void {
  if (keepData !== true || target.keepsData === true) return;
  throw new NotHere(
    `a cleanup on ${target.name} keeps none of the data of ${cluster}`,
    target.ending === undefined
      ? `slipway cleanup ${cluster} forgets the cluster, and leaves its machines to whoever started them`
      : `slipway terminate ${cluster} takes its nodes away and keeps their data`,
  );
}

const request = ({ keepData = false }: CleanupInput, { signal }: Context): PlanRequest => ({
  keep: true,
  keepData,
  signal,
});

/** What a cleanup would remove. */
export async function preview(context: Context, input: CleanupInput): Promise<readonly Change[]> {
  mustKeep(context, input);
  const observed = await context.target.observe(input.cluster);
  return (await context.target.plan(undefined, observed, request(input, context))).changes;
}

/**
 * The lock, where there is a store to hold it. A cluster whose store cannot be read is cleaned up all the same: a creation
 * that failed early must be cleanable by the same tool.
 */
async function lockIfPossible(
  context: Context,
  cluster: ClusterName,
): Promise<{ readonly lock: Lock | undefined; readonly close: () => Promise<void> }> {
  const access = await context.target.store(cluster);
  if (access === undefined) return { lock: undefined, close: async () => undefined };
  try {
    const lock = await lockOf(context, access.store, `cleanup ${cluster}`);
    return { lock, close: () => access.close() };
  } catch (error) {
    await access.close();
    if (error instanceof LockHeld || !(error instanceof StoreError)) throw error;
    context.emit("warning", {
      message: `the cluster's store does not answer, so nobody can hold its lock: ${error.message}`,
    });
    return { lock: undefined, close: async () => undefined };
  }
}

/** Removes all that bears the cluster's name, then looks again: nothing left, or each thing and why. */
export async function cleanup(context: Context, input: CleanupInput): Promise<CleanedUp> {
  const { cluster } = input;
  const { target, emit, signal, clock } = context;
  mustKeep(context, input);
  const begun = clock.now();
  emit("operation.started", { operation: "cleanup", cluster });
  const { lock: taken, close } = await lockIfPossible(context, cluster);
  let lock = taken;
  const failures = new Map<string, string>();
  let removed = 0;
  try {
    const planned = await target.plan(undefined, await target.observe(cluster), request(input, context));
    const { steps } = planned;
    const waves = [...new Set(steps.map((step) => step.wave))].toSorted((a, b) => a - b);
    // From the wave that takes the store on there is no lock left to ask.
    const storeWave = planned.storeWave ?? Math.max(...waves) - 1;
    for (const wave of waves) {
      signal.throwIfAborted();
      if (wave < storeWave) await lock?.check();
      else {
        await lock?.release();
        lock = undefined;
        await close();
      }
      await together(
        steps.filter((step) => step.wave === wave),
        async (step) => {
          if (step.kind !== "work") return;
          try {
            await target.apply(step.work, { emit, signal });
            removed++;
            emit("cleanup.removed", { kind: step.carries[0]?.split(":")[0] ?? "thing", subject: step.subject });
          } catch (error) {
            failures.set(step.subject, error instanceof Error ? error.message : String(error));
          }
        },
      );
    }
  } finally {
    await lock?.release();
    await close();
  }
  const all = (await target.leftovers(cluster)).map((leftover) => {
    const blocker = failures.get(leftover.name) ?? leftover.blocker;
    return blocker === undefined ? leftover : { ...leftover, blocker };
  });
  const kept = all.filter(({ data }) => input.keepData === true && data === true);
  const left = all.filter((one) => !kept.includes(one));
  for (const leftover of left)
    emit("cleanup.left", { kind: leftover.kind, subject: leftover.name, why: leftover.blocker ?? "it is still there" });
  if (left.length > 0) {
    throw new OperationError(
      `${left.length} things of ${cluster} are left: ${left.map((one) => `${one.kind} ${one.name}${one.blocker === undefined ? "" : ` (${one.blocker})`}`).join(", ")}`,
      `slipway cleanup ${cluster}`,
    );
  }
  if (kept.length === 0) emit("cleanup.zero", { cluster });
  emit("operation.finished", {
    operation: "cleanup",
    cluster,
    seconds: (clock.now() - begun) / 1000,
    changes: removed,
  });
  return { removed, left, kept };
}
