import { stripVTControlCharacters } from "node:util";
import type { Theme } from "./theme.ts";

const gap = "  ";

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Columns of text under a head, each as wide as its widest cell; a column that is empty throughout is left out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], theme: Theme): string {
  const columns = head.map((_, index) => index).filter((index) => rows.some((row) => (row[index] ?? "") !== ""));
  const widths = columns.map((index) =>
    Math.max(width(head[index] ?? ""), ...rows.map((row) => width(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((index, place) => {
        const cell = cells[index] ?? "";
        return place === columns.length - 1 ? cell : cell + " ".repeat((widths[place] ?? 0) - width(cell));
      })
      .join(gap)
      .trimEnd();
  return [line(head.map((cell) => theme.paint("quiet", cell))), ...rows.map(line)].join("\n");
}
