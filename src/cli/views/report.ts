import type { Event } from "../../events/event.ts";
import type { InspectedNode } from "../../operations/inspect.ts";
import type { Status } from "../../operations/status.ts";
import { preparation, rowsOf, withSettled } from "./spans.ts";
import { summaryText } from "./status.ts";
import type { Theme } from "./theme.ts";
import { waterfall } from "./waterfall.ts";

export type Launched = {
  readonly events: readonly Event[];
  readonly status: Status;
  readonly nodes: readonly InspectedNode[];
  readonly columns: number;
};

/** A row of bars says something when it is longer than this; milliseconds. */
const worthShowing = 200;

/** Whether nodes or services went on for so long that bars say something. */
export function showsBars(events: readonly Event[]): boolean {
  return rowsOf(events).some(
    (row) => row.name !== preparation && row.spans.some((span) => span.to - span.from > worthShowing),
  );
}

/** The end of a launch: where the time went, where services answer, and how etcd is. */
export function launchReport({ events, status, nodes, columns }: Launched, theme: Theme): string {
  const settled = nodes.flatMap(({ name, record }) =>
    record === undefined ? [] : [{ name, settled: record.settled }],
  );
  const bars = showsBars(events) ? waterfall(withSettled(rowsOf(events), settled), columns, theme) : "";
  return `${[bars, summaryText(status, theme)].filter((part) => part !== "").join("\n\n")}\n`;
}
