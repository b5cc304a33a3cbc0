import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { acting, timeoutFlag, type Acting } from "../flags.ts";
import { nodesDone } from "../views/done.ts";
import { nodeWords } from "../words.ts";

type Flags = Acting & { readonly timeout: number };

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(brief, "Starts stopped nodes, control nodes first, and waits until they are ready.", [
      ["start demo", "the whole cluster"],
      ["start demo-worker-1 --timeout 0", "one node, without waiting"],
    ]),
    parameters: {
      flags: {
        ...acting,
        timeout: timeoutFlag("how long to wait; 0: not at all"),
      },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { context } = await session.working();
      const selection = await chosenNodes(session, context, words);
      const start = await session.world.operations.start();
      const { nodes } = await start(context, { ...selection, timeout: flags.timeout });
      session.close();
      session.note(nodesDone("started", nodes));
    }),
  });
