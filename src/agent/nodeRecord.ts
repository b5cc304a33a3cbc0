import type { NodePorts } from "../components/node.ts";
import { readRecord, updateRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";

export type NodeRecord = RecordValue<"node">;

const refresh = 30_000;

/** Writes this node's record when it changed, and every half minute as a sign of life. */
export class NodeReport {
  #written: NodeRecord | undefined;

  /** Since when the present state and phase hold; survives a restart of the agent. */
  async since(node: NodePorts, boot: string, state: string, phase: string): Promise<number> {
    this.#written ??= (await readRecord(node.store, "node", { instance: node.me.instance }))?.value;
    const was = this.#written;
    return was !== undefined && was.boot === boot && was.state === state && was.phase === phase
      ? was.since
      : node.clock.now();
  }

  get last(): NodeRecord | undefined {
    return this.#written;
  }

  async write(node: NodePorts, record: NodeRecord): Promise<void> {
    const was = this.#written;
    const same = was !== undefined && JSON.stringify({ ...was, seen: 0 }) === JSON.stringify({ ...record, seen: 0 });
    if (same && record.seen - was.seen < refresh) return;
    await updateRecord(node.store, "node", { instance: node.me.instance }, () => record);
    this.#written = record;
  }
}
