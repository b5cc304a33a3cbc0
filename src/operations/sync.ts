import type { Cluster } from "../cluster/cluster.ts";
import type { Change } from "../plan/plan.ts";
import { OperationError, type Context } from "./context.ts";
import { found } from "./founding.ts";
import { observePresent } from "./look.ts";
import { makePlan } from "./plan.ts";
import { prune } from "./prune.ts";
import { loadImages, publish, settle } from "./publishing.ts";
import { underLock } from "./under-lock.ts";

export type Synced = {
  /** What nodes and services were told. */
  readonly done: readonly Change[];
  /** What only a launch does: nodes that come, go or are made anew. */
  readonly left: readonly Change[];
  readonly seconds: number;
};

/**
 * Gives the nodes that run what the file says of files, units, labels and services, and waits until they have it. No node is
 * made, removed or restarted: what would need that is left, and named.
 */
export async function sync(context: Context, { cluster }: { readonly cluster: Cluster }): Promise<Synced> {
  const { target, clock } = context;
  const begun = clock.now();
  await observePresent(context, cluster.name);
  await target.wake(cluster.name);
  const opened = await target.store(cluster.name);
  if (opened === undefined) throw new OperationError(`cluster ${cluster.name} has no store`, "slipway launch");
  try {
    return await underLock(
      context,
      { cluster: cluster.name, operation: "sync", store: opened.store },
      async (locked) => {
        const { store } = locked;
        await found(locked, cluster);
        const plan = await makePlan(locked.context, cluster, store, true, { keep: false });
        const carried = new Set(plan.steps.flatMap((step) => (step.kind === "publish" ? step.carries : [])));
        const done = plan.changes.filter(({ id }) => carried.has(id));
        const left = plan.changes.filter(({ id }) => !carried.has(id));
        locked.context.emit("plan.made", { changes: done.length, steps: plan.publishes ? 1 : 0 });
        if (plan.publishes) {
          await loadImages(locked, cluster, plan);
          await locked.lock.check();
          await publish(locked.context, store, plan);
          const running = (await target.observe(cluster.name)).nodes.filter((node) => node.state === "running");
          const names = running.map(({ name }) => name);
          await settle(locked, cluster, plan, { nodes: names, told: names });
          await prune(store, [plan.revision.id, ...(plan.before === undefined ? [] : [plan.before])]);
        }
        const seconds = (clock.now() - begun) / 1000;
        return { result: { done, left, seconds }, changes: done.length };
      },
    );
  } finally {
    await opened.close();
  }
}
