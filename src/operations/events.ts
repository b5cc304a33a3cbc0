import type { ClusterName } from "../cluster/cluster.ts";
import { levels } from "../events/event.ts";
import { parseMoment } from "../host/time.ts";
import { readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore, Key } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";
import { observePresent, withStore } from "./look.ts";

/** An event as the journal keeps it, with the operation that caused it. */
export type PastEvent = {
  readonly time: number;
  readonly operation: string;
  readonly name: string;
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
};
export type EventsInput = {
  readonly cluster: ClusterName;
  /** Only those of one operation: `launch`, `stop` … */
  readonly operation?: string;
  /** `10m`, `2h`, `3d`, or a time in ISO 8601. */
  readonly since?: string;
  /** Goes on until the context's signal is aborted. */
  readonly follow: boolean;
  readonly output: (event: PastEvent) => void;
};

/** Milliseconds between two looks for new entries. */
const followEvery = 1000;
const prefix = "journal/";

/** Hands out the journal's events in the order of time; gives back how many. */
export async function events(context: Context, input: EventsInput): Promise<{ readonly count: number }> {
  await observePresent(context, input.cluster);
  const since = input.since === undefined ? 0 : parseMoment(input.since, context.clock.now());
  if (since === undefined) {
    throw new OperationError(`"${input.since}" is not a time; write 10m, 2h, 3d or a time like 2026-01-31T12:00:00Z`);
  }
  return withStore(context, input.cluster, async (store) => {
    const read = new Set<Key>();
    let count = 0;
    for (;;) {
      const entries = await newEntries(store, read);
      const told = entries
        .filter((entry) => input.operation === undefined || entry.operation === input.operation)
        .flatMap(pastEvents)
        .filter((event) => event.time >= since)
        .toSorted((a, b) => a.time - b.time);
      for (const event of told) input.output(event);
      count += told.length;
      if (!input.follow || context.signal.aborted) return { count };
      await context.clock.sleep(followEvery, context.signal);
      if (context.signal.aborted) return { count };
    }
  });
}

/** Entries are written once, so none is read twice. */
async function newEntries(store: ClusterStore, read: Set<Key>): Promise<readonly RecordValue<"journal">[]> {
  const keys = [...(await store.list(prefix)).keys()].filter((key) => !read.has(key));
  for (const key of keys) read.add(key);
  const found = await Promise.all(keys.map((key) => readRecord(store, "journal", { entry: key.slice(prefix.length) })));
  return found.flatMap((entry) => (entry === undefined ? [] : [entry.value]));
}

function pastEvents(entry: RecordValue<"journal">): readonly PastEvent[] {
  return entry.events.map((event) => {
    const { time, name, level, ...fields } = event;
    const known = typeof name === "string" ? name : "warning";
    return {
      time: typeof time === "number" ? time : entry.time,
      operation: entry.operation,
      name: known,
      level: typeof level === "string" ? level : (levelOf(known) ?? "info"),
      fields,
    };
  });
}

function levelOf(name: string): string | undefined {
  return Object.entries(levels).find(([known]) => known === name)?.[1];
}
