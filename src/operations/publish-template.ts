import type { Cluster } from "../cluster/cluster.ts";
import type { FactData, Published } from "../targets/target.ts";
import { OperationError, type Context } from "./context.ts";
import { factsFor } from "./facts.ts";
import { found } from "./founding.ts";
import { revisionOf } from "./plan.ts";
import { publish } from "./publishing.ts";
import { underLock } from "./under-lock.ts";

export type PublishInput = {
  readonly cluster: Cluster;
  readonly to: string;
  /** What the target's world has said, where it was asked before. */
  readonly facts?: FactData;
};

/**
 * Publishes what launches a cluster without us. Whoever publishes is its first operator: the cluster is founded where its
 * nodes will look for it, so that its root is made here, once, and nodes trust no other. Nodes that run already are told
 * nothing: that is what `launch` and `sync` are for.
 */
export async function publishTemplate(context: Context, input: PublishInput): Promise<Published> {
  const { target } = context;
  const { cluster, to } = input;
  const { publishing } = target;
  if (publishing === undefined)
    throw new OperationError(
      `nothing can be published for ${target.name}`,
      "slipway render FILE --format cloudformation",
    );
  const opened = await publishing.open(cluster, to);
  try {
    return await underLock(
      context,
      { cluster: cluster.name, operation: "publish", store: opened.store },
      async (locked) => {
        const { store } = locked;
        const { pin } = await found(locked, cluster);
        const asked =
          input.facts === undefined
            ? await factsFor(context, cluster, store)
            : { value: input.facts, gathered: context.clock.now() };
        if (asked === undefined) throw new OperationError(`nobody has said what ${target.name} is like`);
        const facts = { ...asked, value: publishing.shared(asked.value) };
        const revision = await revisionOf(context, cluster, store, true, facts);
        const standing = (await target.observe(cluster.name)).nodes.length > 0;
        await locked.lock.check();
        if (!standing) await publish(locked.context, store, { revision, repairs: false });
        const written = await opened.write(facts.value, pin);
        locked.context.emit("template.published", written);
        return { result: written, changes: 1 };
      },
    );
  } finally {
    await opened.close();
  }
}
