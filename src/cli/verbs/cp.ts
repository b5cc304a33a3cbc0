import { buildCommand } from "@stricli/core";
import { chosenNodes } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, type Common } from "../flags.ts";

/** The node before the colon; a path of this machine has none, or a slash before it. */
function nodeOf(word: string): string | undefined {
  return /^([a-z][a-z0-9-]*):/.exec(word)?.[1];
}

export default (brief: string) =>
  buildCommand<Common, [string, string], CliContext>({
    docs: docs(brief, "Copies a file or a folder between this machine and one node, written NODE:/path.", [
      ["cp ./app.conf demo-worker-1:/etc/app.conf", "to a node"],
      ["cp demo-control-1:/var/log ./logs", "from a node"],
    ]),
    parameters: {
      flags: common,
      positional: {
        kind: "tuple",
        parameters: [
          { parse: String, placeholder: "from", brief: "a path here, or NODE:/path" },
          { parse: String, placeholder: "to", brief: "a path here, or NODE:/path" },
        ],
      },
    },
    func: act(async (session, flags: Common, from: string, to: string) => {
      const context = await session.looking();
      const node = nodeOf(from) ?? nodeOf(to);
      const { cluster } = await chosenNodes(session, context, node === undefined ? [] : [node]);
      const cp = await session.world.operations.cp();
      const copied = await cp(context, { cluster, from, to });
      if (flags.json) session.document(copied);
      else
        session.note(
          `${copied.direction === "to" ? "copied to" : "copied from"} ${copied.node}: ${copied.path}, ${copied.bytes} bytes`,
        );
    }),
  });
