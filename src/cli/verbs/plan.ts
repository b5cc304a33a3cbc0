import { buildCommand } from "@stricli/core";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { besideFile, goodClusterFile } from "../file.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";
import { fileWord } from "../words.ts";

type Flags = Common & { readonly exitCode: Toggle };

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Compares the file with what is there and shows what launch would change, and why. Changes nothing.",
      [
        ["plan", "./cluster.yml"],
        ["plan examples/swarm.yml --exit-code", "0: nothing to do, 3: there are changes"],
        ["plan --json", "for programs"],
      ],
    ),
    parameters: {
      flags: { ...common, exitCode: toggle("end with 3 when there are changes") },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const cluster = await goodClusterFile(session, file);
      const plan = await session.world.operations.plan();
      const { forecast, changes } = await plan(besideFile(session, await session.looking(cluster.target), file), {
        cluster,
      });
      if (flags.json) session.document({ cluster: cluster.name, forecast, changes });
      else session.print((await import("../views/plan.ts")).planText(cluster.name, changes, session.out));
      return flags.exitCode && changes.length > 0 ? "changes" : "done";
    }),
  });
