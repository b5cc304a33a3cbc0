import { buildCommand } from "@stricli/core";
import { agreedByName } from "../agreement.ts";
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
      "Ends machines, workers first, and keeps network, access, store and data: the next launch brings the same cluster back.\nOn Docker containers go and volumes stay; on AWS instances go, and their groups stay at size 0. Where machines are\nsomebody else's it is refused. Without --yes it asks for the cluster's name.",
      [
        ["terminate demo", "the whole cluster; asks for its name"],
        ["terminate demo-worker-1 --yes", "one node's machine"],
      ],
    ),
    parameters: {
      flags: {
        ...acting,
        force: forceFlag,
        grace: graceFlag("seconds for a container to stop in good order; on AWS a node has five minutes"),
      },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { context } = await session.working();
      const selection = await chosenNodes(session, context, words);
      const what = selection.nodes.length === 0 ? `all machines of ${selection.cluster}` : selection.nodes.join(", ");
      const agreed = flags.yes === true || (await agreedByName(session, selection.cluster, `End ${what}? Data stays.`));
      if (!agreed) return session.declined();
      const terminate = await session.world.operations.terminate();
      const { nodes } = await terminate(context, {
        ...selection,
        force: flags.force === true,
        grace: flags.grace,
      });
      session.close();
      session.note(nodesDone("ended", nodes));
      return "done";
    }),
  });
