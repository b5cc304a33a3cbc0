import type { Path, Problem } from "./problem.ts";

/** A stretch of the file's text, as offsets in UTF-16 units; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number };

/** Where one value of the file stands, and the values inside it. */
export type Place = {
  readonly kind: "map" | "list" | "scalar";
  /** The key in front of it; list items and the root have none. */
  readonly key?: Span;
  readonly value: Span;
  readonly inside: ReadonlyMap<string | number, Place>;
};

/** The text of a file and where its values stand: what turns a path into a line and a column. */
export type Source = {
  readonly file: string;
  readonly lines: readonly string[];
  readonly starts: readonly number[];
  readonly root: Place | undefined;
  /** Problems that were found by position, before there were paths. */
  readonly spans: ReadonlyMap<Problem, Span>;
};

/** Line and column count from 1, in UTF-16 units as editors do; `length` ends with the line. */
export type Position = { readonly line: number; readonly column: number; readonly length: number };

/** A source over `text`, whose line ends are "\n". */
export function sourceOf(
  file: string,
  text: string,
  root?: Place,
  spans: ReadonlyMap<Problem, Span> = new Map(),
): Source {
  const lines = text.split("\n");
  const starts: number[] = [];
  let start = 0;
  for (const line of lines) {
    starts.push(start);
    start += line.length + 1;
  }
  return { file, lines, starts, root, spans };
}

/** Where a problem stands; one whose path the file does not have stands at the nearest value around it. */
export function positionOf(source: Source, problem: Problem): Position {
  const span = source.spans.get(problem);
  return span === undefined
    ? pathPosition(source, problem.path, problem.at === "key" || problem.code === "missing-key")
    : spanPosition(source, span);
}

/** Where a path's value stands, or its key. */
export function pathPosition(source: Source, path: Path, atKey: boolean): Position {
  return spanPosition(source, source.root === undefined ? { start: 0, end: 0 } : spanOf(source.root, path, atKey));
}

function spanOf(root: Place, path: Path, atKey: boolean): Span {
  let place = root;
  let exact = true;
  for (const step of path) {
    const next = place.inside.get(step);
    if (next === undefined) {
      exact = false;
      break;
    }
    place = next;
  }
  const empty = place.value.start === place.value.end;
  const wantsKey = empty || (exact ? atKey : place.kind !== "scalar");
  return wantsKey && place.key !== undefined ? place.key : place.value;
}

function spanPosition(source: Source, span: Span): Position {
  let low = 0;
  let high = source.starts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((source.starts[middle] ?? 0) <= span.start) low = middle;
    else high = middle - 1;
  }
  const start = source.starts[low] ?? 0;
  const width = source.lines[low]?.length ?? 0;
  const offset = Math.min(span.start - start, width);
  return {
    line: low + 1,
    column: offset + 1,
    length: Math.max(0, Math.min(span.end - start, width) - offset),
  };
}
