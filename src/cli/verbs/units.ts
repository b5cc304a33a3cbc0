import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";
import { neutral } from "../views/neutral.ts";
import { table } from "../views/table.ts";
import { nodeWords } from "../words.ts";

type Flags = Common & { readonly all: Toggle };

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(
      brief,
      "Shows the units that Slipway brings, those that failed, and what differs from the machine config.",
      [
        ["units demo", "all nodes"],
        ["units demo control", "one group"],
        ["units demo-worker-1 --all", "also units that the image brings"],
      ],
    ),
    parameters: {
      flags: { ...common, all: toggle("also units that are not Slipway's") },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const context = await session.looking();
      const units = await session.world.operations.units();
      const found = await units(context, await chosenNodes(session, context, words));
      if (flags.json) return session.document(found);
      const rows = found.nodes.flatMap(({ node, units: all }) =>
        all
          .filter((unit) => flags.all || unit.ours || unit.failed)
          .map((unit) => {
            const active = session.out.paint(
              unit.failed ? "bad" : unit.active === "active" ? "good" : "quiet",
              neutral(unit.active),
            );
            const result = unit.result === "success" ? "" : neutral(unit.result);
            return [node, neutral(unit.name), active, neutral(unit.sub), result];
          }),
      );
      session.print(table(["NODE", "UNIT", "ACTIVE", "SUB", "RESULT"], rows, session.out));
      for (const { node, drift } of found.nodes)
        for (const changed of drift)
          session.print(session.out.paint("warning", `${node}: ${neutral(changed)} is not as the file says`));
    }),
  });
