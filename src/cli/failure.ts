import type { Problem } from "../problems/problem.ts";
import type { Source } from "../problems/source.ts";
import { OperationError } from "../operations/context.ts";
import type { Exit } from "./exit.ts";

/** The command was used in a way that it cannot be; `next` shows a right one. */
export class UsageError extends Error {
  readonly next: string | undefined;
  constructor(message: string, next?: string) {
    super(message);
    this.name = "UsageError";
    this.next = next;
  }
}

/** A file that cannot be used, with all that is wrong with it. */
export class InvalidFileError extends Error {
  readonly problems: readonly Problem[];
  readonly source: Source;
  /** Further files of the same kind of trouble, where a verb reads several. */
  readonly others: readonly { readonly problems: readonly Problem[]; readonly source: Source }[];
  constructor(problems: readonly Problem[], source: Source, others: InvalidFileError["others"] = []) {
    const errors = problems.filter((problem) => problem.severity === "error").length;
    super(`${source.file} has ${errors} error${errors === 1 ? "" : "s"}`);
    this.name = "InvalidFileError";
    this.problems = problems;
    this.source = source;
    this.others = others;
  }

  /** All files with their problems, this one first. */
  get files(): InvalidFileError["others"] {
    return [{ problems: this.problems, source: this.source }, ...this.others];
  }
}

export type Failure = { readonly exit: Exit; readonly message: string; readonly next?: string };

/** What went wrong, in words, and the exit code that says so. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) return { exit: "wrong", message: error.message, ...next(error.next) };
  if (error instanceof InvalidFileError) return { exit: "wrong", message: error.message };
  const held = heldLock(error);
  if (held !== undefined) return { exit: "locked", message: held.message };
  if (error instanceof OperationError) return { exit: "failed", message: error.message, ...next(error.next) };
  if (!(error instanceof Error)) return { exit: "failed", message: String(error) };
  // Errors of the rooms below carry a next step under the same name.
  const step = "next" in error && typeof error.next === "string" ? error.next : undefined;
  return { exit: "failed", message: causes(error), ...next(step) };
}

/** Told by its name: the lock's own file is loaded only by what locks. */
function heldLock(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.name === "LockHeld" ? error : heldLock(error.cause);
}

function next(step: string | undefined): { next?: string } {
  return step === undefined ? {} : { next: step };
}

/** The message with those of its causes, each said once. */
function causes(error: Error): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 5; at = at.cause) {
    const { message } = at;
    if (message !== "" && !parts.some((part) => part.includes(message))) parts.push(message);
  }
  return parts.length === 0 ? error.name : parts.join(": ");
}
