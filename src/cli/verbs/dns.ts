import { buildCommand } from "@stricli/core";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, type Common } from "../flags.ts";
import { table } from "../views/table.ts";
import { clusterWord } from "../words.ts";

export default (brief: string) =>
  buildCommand<Common, [string?], CliContext>({
    docs: docs(brief, "Shows the names of nodes and services, and the addresses where they answer.", [
      ["dns demo", "a table"],
      ["dns demo --json", "for scripts"],
    ]),
    parameters: { flags: common, positional: { kind: "tuple", parameters: [clusterWord] } },
    func: act(async (session, flags: Common, word?: string) => {
      const context = await session.looking();
      const dns = await session.world.operations.dns();
      const found = await dns(context, { cluster: await chosenCluster(session, context, word) });
      if (flags.json) return session.document(found);
      const rows = found.names.map(({ name, kind, addresses }) => [name, kind, addresses.join(" ")]);
      session.print(table(["NAME", "KIND", "ADDRESSES"], rows, session.out));
    }),
  });
