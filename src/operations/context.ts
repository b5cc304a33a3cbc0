import type { Emit } from "../events/event.ts";
import type { Clock } from "../host/clock.ts";
import type { Processes } from "../host/processes.ts";
import type { Random } from "../host/random.ts";
import type { Path } from "../problems/problem.ts";
import type { Target } from "../targets/target.ts";

/** What every operation is given; nothing of it knows a terminal. */
export type Context = {
  readonly target: Target;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  /** Who acts, for the lock and the journal. */
  readonly owner: { readonly host: string; readonly process: number; readonly started: string; readonly user: string };
  /** Environment variables, for secrets by reference. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<Uint8Array>;
  /** Where a field stands, `cluster.yml:14:5`; absent where no file was read. */
  readonly place?: (path: Path) => string;
};

/** An operation failed for a reason that a person can act on; `next` is the command to run. */
export class OperationError extends Error {
  readonly next: string | undefined;
  constructor(message: string, next?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OperationError";
    this.next = next;
  }
}
