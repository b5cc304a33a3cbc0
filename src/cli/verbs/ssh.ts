import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { common, type Common } from "../flags.ts";
import { nodeWords } from "../words.ts";

export default (brief: string) =>
  buildCommand<Common, string[], CliContext>({
    docs: docs(
      brief,
      "Opens a terminal on one node, with a login shell or with the command after `--`; its exit code is ours.",
      [
        ["ssh demo-worker-1", "a shell"],
        ["ssh demo-control-1 -- journalctl -u slipway-agent -f", "one command, with a terminal"],
      ],
      "[flags] NODE [-- COMMAND [ARGUMENT ...]]",
    ),
    parameters: { flags: common, positional: nodeWords },
    func: act(async (session, _flags: Common, ...words: string[]) => {
      if (!session.world.stdin.terminal || session.world.stdout.isTTY !== true) {
        throw new UsageError("ssh needs a terminal", "slipway exec NODE -- COMMAND");
      }
      const context = await session.looking();
      const { cluster, nodes } = await chosenNodes(session, context, words);
      const [node, ...more] = nodes;
      if (node === undefined || more.length > 0)
        throw new UsageError("ssh goes to one node", `slipway ssh ${cluster}-worker-1`);
      const terminal = await session.world.operations.terminal();
      return {
        code: await session.world.interactive(
          await terminal(context, { cluster, node, command: session.command ?? [] }),
        ),
      };
    }),
  });
