import { duration } from "./duration.ts";
import type { Row, Span } from "./spans.ts";
import type { Theme } from "./theme.ts";

const alphabets = {
  unicode: { open: "├", line: "─", close: "┤", one: "│" },
  ascii: { open: "[", line: "-", close: "]", one: "|" },
} as const;
const steps = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000,
];
/** Room for a row's whole time behind its bars. */
const sumWidth = 12;

/** Bars per row and phase on one time axis; empty when there is nothing to show. `columns` is the terminal's width. */
export function waterfall(rows: readonly Row[], columns: number, theme: Theme): string {
  const spans = rows.flatMap((row) => row.spans);
  if (spans.length === 0) return "";
  const from = Math.min(...spans.map((span) => span.from));
  const to = Math.max(...spans.map((span) => span.to));
  const names = Math.max(...rows.map((row) => row.name.length));
  const width = Math.max(20, Math.min(columns, 160) - names - sumWidth - 4);
  const place = (time: number): number => Math.round(((time - from) / Math.max(1, to - from)) * width);

  const lines = rows.flatMap((row) => {
    const start = Math.min(...row.spans.map((span) => span.from));
    const sum = duration(Math.max(...row.spans.map((span) => span.to)) - start);
    return lanesOf(row.spans).map((lane, index) => {
      const cells = Array.from({ length: width }, () => " ");
      for (const span of lane) draw(cells, span, place(span.from), Math.min(place(span.to), width), theme);
      return `${(index === 0 ? row.name : "").padEnd(names)}  ${cells.join("")}  ${index === 0 ? sum : ""}`.trimEnd();
    });
  });
  return [`${" ".repeat(names)}  ${theme.paint("quiet", axis(to - from, width))}`, ...lines].join("\n");
}

/** Phases that go on side by side, each in a line of its own; those that follow each other share one. */
function lanesOf(spans: readonly Span[]): readonly (readonly Span[])[] {
  const lanes: Span[][] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from || b.to - a.to)) {
    const free = lanes.find((lane) => lane.every((other) => other.to <= span.from));
    if (free === undefined) lanes.push([span]);
    else free.push(span);
  }
  return lanes;
}

/** Writes one bar into the cells, its phase's name inside as far as it fits. */
function draw(cells: string[], span: Span, from: number, to: number, theme: Theme): void {
  const { open, line, close, one } = alphabets[theme.unicode ? "unicode" : "ascii"];
  const start = Math.min(from, cells.length - 1);
  const length = Math.max(1, to - start);
  const inner = length - 2;
  const label = span.failed ? `${span.phase}!` : span.phase;
  const text = length === 1 ? one : `${open}${label.slice(0, inner).padEnd(inner, line)}${close}`;
  for (const [index, character] of Array.from(text).entries()) {
    cells[start + index] = span.failed ? theme.paint("bad", character) : character;
  }
}

/** Seconds since the start, at steps that a person can count. */
function axis(total: number, width: number): string {
  const step = steps.find((candidate) => (candidate / total) * width >= 10) ?? total;
  let text = "";
  for (let at = 0; at <= total; at += step) {
    const column = Math.round((at / Math.max(1, total)) * width);
    const label =
      at < 60_000 ? `${at / 1000} s` : `${Math.floor(at / 60_000)}:${String((at / 1000) % 60).padStart(2, "0")}`;
    if (column + label.length > width + sumWidth) break;
    text = text.padEnd(column) + label;
  }
  return text;
}
