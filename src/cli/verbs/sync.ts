import { buildCommand } from "@stricli/core";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { besideFile, shownClusterFile } from "../file.ts";
import { common, type Common } from "../flags.ts";
import { counted } from "../views/sentence.ts";
import { fileWord } from "../words.ts";

export default (brief: string) =>
  buildCommand<Common, [string?], CliContext>({
    docs: docs(
      brief,
      "Nodes that run get the files, units, labels and services of the file at once; a config that makes a node unready is taken\nback by it. No node is made, removed or restarted: what needs that is named, and launch does it.",
      [
        ["sync", "./cluster.yml"],
        ["sync examples/swarm.yml --json", "one event per line, for programs"],
      ],
    ),
    parameters: { flags: common, positional: { kind: "tuple", parameters: [fileWord] } },
    func: act(async (session, flags: Common, file = usualFile) => {
      const { cluster, source } = await shownClusterFile(session, file);
      const { context } = await session.working(cluster.target);
      const sync = await session.world.operations.sync();
      const { done, left } = await sync(besideFile(session, context, file, source), { cluster });
      session.close();
      if (flags.json) return "done";
      const { planText } = await import("../views/plan.ts");
      session.note(
        done.length === 0
          ? `${cluster.name} has all that sync brings`
          : `${counted(done.length, "change")} brought to ${cluster.name}`,
      );
      if (left.length > 0)
        session.note(`${planText(cluster.name, left, session.err).trimEnd()}\nnext: slipway launch ${file}`);
      return "done";
    }),
  });
