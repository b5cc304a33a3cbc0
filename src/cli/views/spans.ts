import type { Event } from "../../events/event.ts";

/** One phase of one row; milliseconds since 1970. */
export type Span = {
  readonly phase: string;
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
};
export type Row = { readonly name: string; readonly spans: readonly Span[] };
/** What node records say of themselves: when each phase began and was first settled. */
export type Settled = {
  readonly name: string;
  readonly settled: Readonly<Record<string, { readonly from: number; readonly to: number }>>;
};

type Open = { phase: string; from: number };

/** The row of what comes before the first node. */
export const preparation = "prepare";

/** Rows of nodes and services in the order in which they appear, from the events of one operation. */
export function rowsOf(events: readonly Event[]): readonly Row[] {
  const rows = new Map<string, Span[]>();
  const open = new Map<string, Open>();
  const end = (row: string, time: number, failed: boolean): void => {
    const span = open.get(row);
    if (span !== undefined) rows.get(row)?.push({ ...span, to: time, failed });
    open.delete(row);
  };
  const begin = (row: string, phase: string, time: number): void => {
    if (open.get(row)?.phase === phase) return;
    end(row, time, false);
    if (!rows.has(row)) rows.set(row, []);
    open.set(row, { phase, from: time });
  };
  for (const event of events) {
    if (event.name === "operation.started") begin(preparation, preparation, event.time);
    else if (event.name === "node.created") begin(event.node, "boot", event.time);
    else if (event.name === "node.phase" && event.phase !== "ready") begin(event.node, event.phase, event.time);
    else if (event.name === "node.phase" || event.name === "node.ready" || event.name === "node.failed")
      end(event.node, event.time, event.name === "node.failed");
    else if (event.name === "service.state") begin(event.service, "tasks", event.time);
    else if (event.name === "service.ready") end(event.service, event.time, false);
    if (event.name === "node.created" || event.name === "node.phase") end(preparation, event.time, false);
  }
  const last = events.at(-1)?.time ?? 0;
  for (const row of open.keys()) end(row, last, false);
  return [...rows]
    .map(([name, spans]) => ({ name, spans: spans.filter((span) => span.to > span.from) }))
    .filter((row) => row.spans.length > 0);
}

/** The same rows with the nodes' own times instead, where they fall into the time of these events. */
export function withSettled(rows: readonly Row[], nodes: readonly Settled[]): readonly Row[] {
  const from = Math.min(...rows.flatMap((row) => row.spans.map((span) => span.from)));
  const own = new Map(nodes.map(({ name, settled }) => [name, settled]));
  return rows.map((row) => {
    const spans = Object.entries(own.get(row.name) ?? {})
      .map(([phase, span]) => ({ phase, from: span.from, to: span.to, failed: false }))
      .filter((span) => span.from >= from && span.to > span.from)
      .toSorted((a, b) => a.from - b.from);
    const [first] = spans;
    if (first === undefined) return row;
    // What came before the agent first said something is only in the events.
    const before = row.spans
      .filter((span) => span.phase === "boot")
      .map((span) => ({ ...span, to: Math.min(span.to, first.from) }));
    return { ...row, spans: [...before.filter((span) => span.to > span.from), ...spans] };
  });
}
