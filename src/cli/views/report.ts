import type { Event } from "../../events/event.ts";
import type { Launched as Outcome } from "../../operations/launch.ts";
import type { Status } from "../../operations/status.ts";
import { preparation, rowsOf, withSettled } from "./spans.ts";
import { summaryText } from "./status.ts";
import type { Theme } from "./theme.ts";
import { waterfall } from "./waterfall.ts";

export type Launched = {
  readonly events: readonly Event[];
  readonly status: Status;
  readonly settled: Outcome["settled"];
  readonly columns: number;
};

/** A row of bars says something when it is longer than this; milliseconds. */
const worthShowing = 200;

/** Whether nodes or services went on for so long that bars say something. */
function showsBars(events: readonly Event[]): boolean {
  return rowsOf(events).some(
    (row) => row.name !== preparation && row.spans.some((span) => span.to - span.from > worthShowing),
  );
}

/** The end of a launch: where the time went, where services answer, and how etcd is. */
export function launchReport({ events, status, settled, columns }: Launched, theme: Theme): string {
  const bars = showsBars(events) ? waterfall(withSettled(rowsOf(events), settled), columns, theme) : "";
  return `${[bars, summaryText(status, theme)].filter((part) => part !== "").join("\n\n")}\n`;
}
