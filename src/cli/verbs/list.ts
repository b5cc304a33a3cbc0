import { buildCommand } from "@stricli/core";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, type Common } from "../flags.ts";
import { stateText } from "../views/status.ts";
import { table } from "../views/table.ts";

export default (brief: string) =>
  buildCommand<Common, [], CliContext>({
    docs: docs(brief, "Lists the clusters that the target has, whoever made them.", [
      ["list", "a table"],
      ["list --json", "for scripts"],
    ]),
    parameters: { flags: common },
    func: act(async (session, flags: Common) => {
      const list = await session.world.operations.list();
      const clusters = await list(await session.looking());
      if (flags.json) session.document(clusters);
      else if (clusters.length === 0) session.note("there are no clusters");
      else {
        const rows = clusters.map(({ cluster, state, nodes }) => [
          cluster,
          stateText(state, session.out),
          String(nodes),
        ]);
        session.print(table(["CLUSTER", "STATE", "NODES"], rows, session.out));
      }
    }),
  });
