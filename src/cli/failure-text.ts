import { problemsJson, showProblems } from "../problems/show.ts";
import { InvalidFileError, type Failure } from "./failure.ts";
import { neutralLines } from "./views/neutral.ts";
import type { Theme } from "./views/theme.ts";

/** A failure for people: the file's problems like a compiler's, else `error:` and `next:`; the stack when it is asked for. */
export function failureText(error: unknown, failure: Failure, theme: Theme, debug: boolean): string {
  if (error instanceof InvalidFileError)
    return error.files.map(({ problems, source }) => showProblems(problems, source, { color: theme.colour })).join("");
  const lines = [`${theme.paint("bad", "error:")} ${neutralLines(failure.message)}`];
  if (failure.next !== undefined) lines.push(`${theme.paint("strong", "next:")} ${neutralLines(failure.next)}`);
  if (debug && error instanceof Error && error.stack !== undefined) lines.push(theme.paint("quiet", error.stack));
  return `${lines.join("\n")}\n`;
}

/** The same for programs, as one line of JSON. */
export function failureJson(error: unknown, failure: Failure, exit: number): string {
  const problems =
    error instanceof InvalidFileError
      ? { problems: error.files.flatMap(({ problems: found, source }) => problemsJson(found, source)) }
      : {};
  const { message, next } = failure;
  return `${JSON.stringify({ error: { message, ...(next === undefined ? {} : { next }), exit, ...problems } })}\n`;
}
