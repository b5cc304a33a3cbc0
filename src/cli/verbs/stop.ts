import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { acting, forceFlag, graceFlag, type Acting, type Toggle } from "../flags.ts";
import { nodesDone } from "../views/done.ts";
import { nodeWords } from "../words.ts";

type Flags = Acting & { readonly force: Toggle; readonly grace: number };

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(
      brief,
      "Stops nodes in good order, workers first; their data stays, and `start` brings them back. Some control nodes\nstop only as long as etcd keeps its quorum.",
      [
        ["stop demo --yes", "the whole cluster"],
        ["stop demo-worker-1 --yes", "one node"],
      ],
    ),
    parameters: {
      flags: {
        ...acting,
        force: forceFlag,
        grace: graceFlag("seconds for a node to stop in good order"),
      },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { context } = await session.working();
      const selection = await chosenNodes(session, context, words);
      const what = selection.nodes.length === 0 ? `all nodes of ${selection.cluster}` : selection.nodes.join(", ");
      if (!(await session.confirm(`Stop ${what}?`, flags.yes))) return session.declined();
      const stop = await session.world.operations.stop();
      const { nodes } = await stop(context, {
        ...selection,
        force: flags.force === true,
        grace: flags.grace,
      });
      session.close();
      session.note(nodesDone("stopped", nodes));
      return "done";
    }),
  });
