import { visible } from "../../problems/visible.ts";

/**
 * Text that came from a node, made harmless for a terminal and put on one line: control characters become visible
 * ones, tabs and line ends blanks, and what is longer than `most` characters ends with an ellipsis.
 */
export function neutral(text: string, most = 500): string {
  const safe = visible(text.trimEnd().replaceAll(/[\t\r\n]+/g, " "));
  return safe.length > most ? `${safe.slice(0, most - 1)}…` : safe;
}

/** The same for many lines, whose ends and tabs stay. */
export function neutralLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}
