import type { Clock } from "../../../host/clock.ts";
import { ProcessError, type Processes, type Streams } from "../../../host/processes.ts";
import type { Disk } from "./disk.ts";

/** What building an image works with. */
export type Workshop = {
  readonly processes: Processes & Streams;
  readonly disk: Disk;
  readonly clock: Clock;
  /** Says one line of progress. */
  readonly say: (line: string) => void;
  /** Says something that a person should look into. */
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal | undefined;
};

/** One way to something that did not work, and why. */
export type Attempt = { readonly what: string; readonly why: string };

/** An image could not be had; the message names what was tried, why each failed and what to do. */
export class ImageError extends Error {
  readonly attempts: readonly Attempt[];
  /** What a person can do. */
  readonly next: string;
  constructor(what: string, attempts: readonly Attempt[], next: string) {
    super([what, ...attempts.map((attempt) => `  - ${attempt.what}: ${attempt.why}`), next].join("\n"));
    this.name = "ImageError";
    this.attempts = attempts;
    this.next = next;
  }
}

/** The cause of a failed step in a few words: what the program said last, not all of it. */
export function why(error: unknown): string {
  if (error instanceof ProcessError) {
    const said = error.stderr.split("\n").filter((line) => line.trim() !== "");
    const cause =
      said.findLast((line) => /error|fail|cannot|could not|unable|denied|not found|no such/i.test(line)) ?? said.at(-1);
    const [first = error.message] = error.message.split("\n");
    return cause === undefined ? first : `${cause.trim()} (${first})`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** The part of an environment that a signal adds to process options. */
export function stoppable(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The answer of a program, without the line end; undefined when it is not there or refuses. */
export async function answer(workshop: Workshop, command: readonly [string, ...string[]]): Promise<string | undefined> {
  try {
    return (await workshop.processes.run(command, { timeout: 30_000, ...stoppable(workshop.signal) })).stdout.trim();
  } catch (error) {
    if (error instanceof ProcessError) return undefined;
    throw error;
  }
}
