import type { Path, Problem } from "./problem.ts";
import { pathPosition, positionOf, type Position, type Source } from "./source.ts";
import { columns, visible } from "./visible.ts";

/** Nobody reads more at once, and what comes first often causes the rest. */
const mostShown = 50;

/** A problem with its place, as `--json` prints it. */
export type PlacedProblem = {
  readonly code: Problem["code"];
  readonly severity: Problem["severity"];
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly path: Path;
  readonly message: string;
  readonly fix?: string;
  readonly related?: readonly {
    readonly line: number;
    readonly column: number;
    readonly message: string;
  }[];
};

/** The problems as a compiler shows them, in the order of the file: place, line, caret, fix. */
export function showProblems(
  problems: readonly Problem[],
  source: Source,
  options: { readonly color?: boolean } = {},
): string {
  const paint = options.color === true ? inColor : plain;
  const all = sorted(problems, source);
  const more = all.length - mostShown;
  const shown = all.slice(0, mostShown).map(({ problem, position }) => showOne(problem, position, source, paint));
  return shown.join("") + (more > 0 ? `and ${more} more\n` : "");
}

/** The problems with their places, in the order of the file. */
export function problemsJson(problems: readonly Problem[], source: Source): readonly PlacedProblem[] {
  return sorted(problems, source).map(({ problem, position }) => ({
    code: problem.code,
    severity: problem.severity,
    file: source.file,
    ...position,
    path: problem.path,
    message: problem.message,
    ...(problem.fix === undefined ? {} : { fix: problem.fix }),
    ...(problem.related === undefined
      ? {}
      : {
          related: problem.related.map((other) => {
            const { line, column } = pathPosition(source, other.path, other.at === "key");
            return { line, column, message: other.message };
          }),
        }),
  }));
}

type Paint = (style: "place" | "error" | "warning" | "caret" | "fix", text: string) => string;
const plain: Paint = (_, text) => text;
const styles = { place: "1", error: "1;31", warning: "1;33", caret: "1;32", fix: "36" } as const;
const inColor: Paint = (style, text) => `\u001b[${styles[style]}m${text}\u001b[0m`;

function sorted(problems: readonly Problem[], source: Source): { problem: Problem; position: Position }[] {
  const said = new Set<string>();
  return problems
    .map((problem) => ({ problem, position: positionOf(source, problem) }))
    .filter(({ problem, position: { line, column } }) => {
      // What an alias repeats is wrong in several places of the cluster, but in one of the file.
      const key = `${line}:${column}:${problem.message}`;
      return !said.has(key) && said.add(key);
    })
    .sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
}

function showOne(problem: Problem, position: Position, source: Source, paint: Paint): string {
  const lines = [
    `${paint("place", `${placeText(source, position)}:`)} ${paint(problem.severity, `${problem.severity}:`)} ${visible(problem.message)}`,
    ...excerpt(position, source, paint),
  ];
  for (const other of problem.related ?? []) {
    const there = pathPosition(source, other.path, other.at === "key");
    lines.push(`  ${paint("place", `${placeText(source, there)}:`)} ${visible(other.message)}`);
  }
  if (problem.fix !== undefined) lines.push(`  ${paint("fix", `fix: ${visible(problem.fix)}`)}`);
  return `${lines.join("\n")}\n`;
}

function placeText(source: Source, position: Position): string {
  return `${visible(source.file)}:${position.line}:${position.column}`;
}

const before = 60;
const after = 60;

/** The line and the caret under it. A long line is cut on both sides, so that the caret stays in sight. */
function excerpt(position: Position, source: Source, paint: Paint): string[] {
  const line = source.lines[position.line - 1];
  if (line === undefined || line.trim() === "") return [];
  const at = position.column - 1;
  const long = line.length > before + after + 40;
  const from = long ? pairStart(line, Math.max(0, at - before)) : 0;
  const to = long ? pairStart(line, Math.min(line.length, at + after)) : line.length;
  const head = (from > 0 ? "…" : "") + visible(line.slice(from, at));
  const tail = visible(line.slice(at, to)) + (to < line.length ? "…" : "");
  const marked = visible(line.slice(at, Math.min(to, at + position.length)));
  // Tabs stay tabs, so that the caret stands right whatever their width.
  const indent = head
    .split("\t")
    .map((part) => " ".repeat(columns(part)))
    .join("\t");
  const caret = `^${"~".repeat(Math.max(0, columns(marked.replaceAll("\t", " ")) - 1))}`;
  return [`    ${head}${tail}`, `    ${indent}${paint("caret", caret)}`];
}

function pairStart(line: string, offset: number): number {
  const code = line.charCodeAt(offset);
  return code >= 0xdc00 && code <= 0xdfff ? offset - 1 : offset;
}
