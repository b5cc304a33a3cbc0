import { levels, type Emit } from "../events/event.ts";
import { encodeRecord, keyOf } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import { StoreError, type ClusterStore } from "../store/store.ts";
import type { Context } from "./context.ts";

/** More than any operation on fifty nodes says; what a runaway says beyond it is only shown, not kept. */
const mostEvents = 2000;

type Entry = RecordValue<"journal">;

/**
 * An emitter that also keeps what it says, and writes it to the cluster's journal as one entry. The recovery key is
 * shown once and kept nowhere, debug events are of no use later.
 */
export function journaling(
  context: Context,
  operation: string,
): { readonly emit: Emit; write(store: ClusterStore): Promise<void> } {
  const begun = context.clock.now();
  const kept: Entry["events"] = [];
  return {
    emit(name, fields) {
      context.emit(name, fields);
      if (name === "root.recoveryKey" || levels[name] === "debug" || kept.length >= mostEvents) return;
      kept.push({ time: context.clock.now(), name, level: levels[name], ...fields });
    },
    async write(store) {
      const entry: Entry = { time: begun, operation, events: kept };
      // Keys sort by time; the random part keeps two operators of the same millisecond apart.
      const key = keyOf("journal", {
        entry: `${String(begun).padStart(15, "0")}-${context.random.hex(4)}`,
      });
      try {
        await store.putIfAbsent(key, encodeRecord(entry));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        context.emit("warning", { message: `the journal could not be written: ${error.message}` });
      }
    },
  };
}
