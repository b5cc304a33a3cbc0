import type { Problem, ProblemCode } from "../problems/problem.ts";
import { sourceOf, type Source, type Span } from "../problems/source.ts";
import { originOf, type Lines } from "./lines.ts";

/** The problems of one file; the source places them. */
export type Fault = { readonly problems: readonly Problem[]; readonly source: Source };

/** What a problem says, without its place. */
export type Saying = { readonly code: ProblemCode; readonly message: string; readonly fix: string };

/** Collects the problems of all files that are read, each in the file that it was written in. */
export class Faults {
  private readonly files = new Map<string, { readonly text: string; readonly spans: Map<Problem, Span> }>();

  /** A problem on one line of a text; columns count from 1. */
  add(lines: Lines, line: number, column: number, length: number, saying: Saying): void {
    const origin = originOf(lines, line);
    const start = startOf(origin.text, origin.line) + Math.max(0, column - 1 - origin.shift);
    const file = this.files.get(origin.file) ?? { text: origin.text, spans: new Map<Problem, Span>() };
    this.files.set(origin.file, file);
    file.spans.set({ ...saying, severity: "error", path: [] }, { start, end: start + length });
  }

  get found(): boolean {
    return this.files.size > 0;
  }

  list(): readonly Fault[] {
    return [...this.files].map(([file, { text, spans }]) => ({
      problems: [...spans.keys()],
      source: sourceOf(file, text, undefined, spans),
    }));
  }
}

function startOf(text: string, line: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return start;
    start = end + 1;
  }
  return start;
}
