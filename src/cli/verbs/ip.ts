import { buildCommand } from "@stricli/core";
import { chosenNodes, isOneNode } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, type Common } from "../flags.ts";
import { table } from "../views/table.ts";
import { nodeWords } from "../words.ts";

export default (brief: string) =>
  buildCommand<Common, string[], CliContext>({
    docs: docs(brief, "Shows the addresses of nodes and where published ports answer; of one node the bare address.", [
      ["ip demo", "nodes and published ports"],
      ["ip demo-control-1", "one address, for scripts"],
    ]),
    parameters: { flags: common, positional: nodeWords },
    func: act(async (session, flags: Common, ...words: string[]) => {
      const context = await session.looking();
      const selection = await chosenNodes(session, context, words);
      const ip = await session.world.operations.ip();
      const found = await ip(context, selection);
      if (flags.json) return session.document(found);
      const [only, ...more] = found.nodes;
      if (
        only !== undefined &&
        more.length === 0 &&
        selection.nodes.length > 0 &&
        (await isOneNode(context, selection))
      ) {
        return session.print(only.address);
      }
      session.print(
        table(
          ["NODE", "ADDRESS"],
          found.nodes.map(({ name, address }) => [name, address]),
          session.out,
        ),
      );
      if (found.published.length === 0) return;
      const rows = found.published.map(({ port, protocol, address }) => [`${port}/${protocol}`, address]);
      session.print(`\n${table(["PORT", "ADDRESS"], rows, session.out)}`);
    }),
  });
