import { buildCommand } from "@stricli/core";
import { chosenCluster, isFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, type Common } from "../flags.ts";
import { neutral } from "../views/neutral.ts";
import { clusterWord } from "../words.ts";

const marks = { good: "good", warning: "warning", bad: "bad" } as const;

export default (brief: string) =>
  buildCommand<Common, [string?], CliContext>({
    docs: docs(
      brief,
      "Examines the target and, when one is named, a cluster. Changes nothing. Exit code 1 when something is bad.",
      [
        ["doctor", "the target alone"],
        ["doctor demo", "and a cluster"],
      ],
    ),
    parameters: { flags: common, positional: { kind: "tuple", parameters: [clusterWord] } },
    func: act(async (session, flags: Common, word?: string) => {
      const context = await session.looking();
      const named = word ?? flags.name;
      const cluster =
        named === undefined ? {} : { cluster: await chosenCluster(session, context, isFile(named) ? word : named) };
      const doctor = await session.world.operations.doctor();
      const found = await doctor(context, cluster);
      if (flags.json) session.document(found);
      else {
        for (const { subject, state, message, fix, log } of found.findings) {
          session.print(
            `${session.out.paint(marks[state], state.padEnd(7))}  ${neutral(subject)}: ${neutral(message)}`,
          );
          for (const line of log ?? []) session.print(`           ${session.out.paint("quiet", neutral(line))}`);
          if (fix !== undefined) session.print(`         fix: ${neutral(fix)}`);
        }
      }
      return found.state === "bad" ? "failed" : "done";
    }),
  });
