import { buildCommand } from "@stricli/core";
import { act, type CliContext } from "../context.ts";
import { neutral } from "../views/neutral.ts";

/** Verbs whose words are files of this machine: the shell completes those. */
const withFiles = new Set(["init", "convert", "check", "plan", "launch", "cp"]);
const noFiles = 4;

export default (brief: string) =>
  buildCommand<Record<never, never>, [], CliContext>({
    docs: { brief },
    parameters: {},
    func: act(async (session) => {
      const words = session.command ?? [];
      for (const { value, description } of await session.propose(words))
        session.print(`${value}\t${neutral(description)}`);
      // The scripts' last line: 0 lets the shell add files where nothing was proposed.
      session.print(`:${withFiles.has(words[0] ?? "") ? 0 : noFiles}`);
    }),
  });
