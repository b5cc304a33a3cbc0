import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, type Common } from "../flags.ts";
import { nodeWords } from "../words.ts";

export default (brief: string) =>
  buildCommand<Common, string[], CliContext>({
    docs: docs(
      brief,
      "Prints everything that the target and the store know of a cluster or of some of its nodes, without secrets.",
      [
        ["inspect demo", "the whole cluster"],
        ["inspect demo-control-1", "one node"],
      ],
    ),
    parameters: { flags: common, positional: nodeWords },
    func: act(async (session, _flags: Common, ...words: string[]) => {
      const context = await session.looking();
      const inspect = await session.world.operations.inspect();
      session.document(await inspect(context, await chosenNodes(session, context, words)));
    }),
  });
