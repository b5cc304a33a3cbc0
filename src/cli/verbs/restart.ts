import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { acting, forceFlag, graceFlag, timeoutFlag, type Acting, type Toggle } from "../flags.ts";
import { nodesDone } from "../views/done.ts";
import { nodeWords } from "../words.ts";

type Flags = Acting & { readonly force: Toggle; readonly grace: number; readonly timeout: number };

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(brief, "Restarts nodes one after the other, each only when the one before is ready again.", [
      ["restart demo --yes", "the whole cluster, rolling"],
      ["restart demo worker --yes", "one group"],
    ]),
    parameters: {
      flags: {
        ...acting,
        force: forceFlag,
        grace: graceFlag("seconds for a node to stop in good order"),
        timeout: timeoutFlag("how long to wait for each node"),
      },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { context } = await session.working();
      const selection = await chosenNodes(session, context, words);
      const what = selection.nodes.length === 0 ? `all nodes of ${selection.cluster}` : selection.nodes.join(", ");
      if (!(await session.confirm(`Restart ${what}, one after the other?`, flags.yes))) return session.declined();
      const { grace, timeout } = flags;
      const restart = await session.world.operations.restart();
      const { nodes } = await restart(context, {
        ...selection,
        force: flags.force === true,
        grace,
        timeout,
      });
      session.close();
      session.note(nodesDone("restarted", nodes));
      return "done";
    }),
  });
