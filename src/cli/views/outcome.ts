import type { Row } from "../../convert/outcome.ts";
import { neutral } from "./neutral.ts";
import { table } from "./table.ts";
import type { Theme } from "./theme.ts";

const order = ["kept", "replaced", "dropped"] as const;

/** What was kept, what was replaced by what, and what has no counterpart and why. */
export function outcomeTable(rows: readonly Row[], theme: Theme): string {
  const lines = order.flatMap((verdict) =>
    rows
      .filter((row) => row.verdict === verdict)
      .map(({ what, at, by, why }) => [verdict, neutral(what), neutral(at), neutral(by), neutral(why)]),
  );
  return table(["", "WHAT", "WHERE", "NOW", "WHY"], lines, theme);
}

/** The same in one line. */
export function outcomeCounts(rows: readonly Row[]): string {
  return order.map((verdict) => `${rows.filter((row) => row.verdict === verdict).length} ${verdict}`).join(", ");
}
