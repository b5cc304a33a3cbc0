import type { NodeName } from "../cluster/cluster.ts";
import type { Observed } from "../plan/plan.ts";
import { listRecords, readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import type { Context } from "./context.ts";

const patience = 5_000;
const askEvery = 50;

/**
 * Node and service records after every running node has been asked to look again. A node that does not answer within
 * five seconds keeps its old record, and a warning says so.
 */
export async function freshRecords(
  context: Context,
  store: ClusterStore,
  observed: Observed,
): Promise<{ readonly nodes: readonly RecordValue<"node">[]; readonly services: readonly RecordValue<"service">[] }> {
  // Where nodes are out of reach they are not asked: what they said by themselves counts.
  const reachable = context.target.deaf !== true;
  const running = observed.nodes.filter((node) => reachable && node.state === "running");
  await Promise.all(running.map((node) => ask(context, store, node.name, node.instance)));
  const [nodes, services] = await Promise.all([listRecords(store, "node"), listRecords(store, "service")]);
  return { nodes: nodes.map(({ value }) => value), services: services.map(({ value }) => value) };
}

async function ask(context: Context, store: ClusterStore, node: NodeName, instance: string): Promise<void> {
  const { target, clock, emit, signal } = context;
  const before = (await readRecord(store, "node", { instance }))?.value;
  if (before === undefined) return;
  const deadline = clock.now() + patience;
  try {
    await target.nudge(node);
    for (;;) {
      signal.throwIfAborted();
      const now = (await readRecord(store, "node", { instance }))?.value;
      if (now !== undefined && (now.boot !== before.boot || now.nudges !== before.nudges)) return;
      if (clock.now() > deadline) throw new Error(`it did not answer within ${patience / 1000} s`);
      await clock.sleep(askEvery, signal);
    }
  } catch (error) {
    signal.throwIfAborted();
    emit("warning", {
      message: `${node} was not seen fresh: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    });
  }
}
