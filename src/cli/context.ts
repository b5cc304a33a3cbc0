import type { CommandContext, CommandFunction } from "@stricli/core";
import type { Exit } from "./exit.ts";
import type { Common } from "./flags.ts";
import { openSession, type Propose, type Session } from "./session.ts";
import type { World } from "./world.ts";

/** What a verb ends with: a word of the table, or the code of a program that it ran. */
export type Outcome = Exit | { readonly code: number };

/** What stricli hands to a verb. */
export type CliContext = CommandContext & {
  readonly world: World;
  /** The words after `--`; `undefined` when there is no `--`. */
  readonly command: readonly string[] | undefined;
  readonly end: (outcome: Outcome) => void;
  readonly propose: Propose;
};

const unset: Common = { on: undefined, name: undefined, json: false, quiet: false, noColor: false };

/** A verb's function: opens the session, and turns whatever is thrown into a message and an exit code. */
export function act<Flags extends Partial<Common>, Words extends readonly unknown[]>(
  work: (session: Session, flags: Flags, ...words: Words) => Promise<Outcome | void>,
): CommandFunction<Flags, Words, CliContext> {
  return async function (this: CliContext, flags: Flags, ...words: Words): Promise<void> {
    const session = openSession(this.world, { ...unset, ...flags }, this);
    try {
      this.end((await work(session, flags, ...words)) ?? "done");
    } catch (error) {
      session.close();
      this.end(session.fail(error));
    } finally {
      session.close();
    }
  };
}
