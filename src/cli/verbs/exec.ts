import { buildCommand } from "@stricli/core";
import { chosenNodes, isOneNode } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";
import { byLines } from "../views/lines.ts";
import { nodeWords } from "../words.ts";

type Flags = Common & { readonly stdin: Toggle };
type Kept = { readonly stdout: Uint8Array[]; readonly stderr: Uint8Array[] };

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(
      brief,
      "Runs a command on nodes, by argument list and without a shell. What one node prints comes as it is, with the\ncommand's own exit code; what several print comes line by line with the node's name.",
      [
        ["exec demo-control-1 -- docker node ls", "on one node"],
        ["exec demo worker -- uptime", "on every node of a group"],
        ["exec demo -- sh -c 'df -h / | tail -1'", "on all nodes, with a shell"],
        ["exec demo-worker-1 --stdin -- sh < script.sh", "with standard input"],
      ],
      "[flags] [NAME|NODE|GROUP|all ...] -- COMMAND [ARGUMENT ...]",
    ),
    parameters: {
      flags: { ...common, stdin: toggle("give standard input to the command") },
      aliases: { i: "stdin" },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const [program, ...rest] = session.command ?? [];
      if (program === undefined) throw new UsageError("the command to run is missing", "slipway exec NODE -- COMMAND");
      const context = await session.looking();
      const selection = await chosenNodes(session, context, words);
      const one = await isOneNode(context, selection);
      const exec = await session.world.operations.exec();
      const input = flags.stdin ? { input: await session.world.readInput() } : {};

      const lines = byLines();
      const kept = new Map<string, Kept>();
      const result = await exec(context, {
        ...selection,
        command: [program, ...rest],
        ...input,
        output: (node, stream, chunk) => {
          const to = session.world[stream];
          if (flags.json) keep(kept, node)[stream].push(chunk);
          else if (one) to.write(chunk);
          else lines.add(`${node} ${stream}`, chunk, (line) => void to.write(`${node}: ${line}\n`));
        },
      });
      lines.end();
      if (flags.json) {
        const nodes = result.nodes.map((ran) => ({ ...ran, ...texts(keep(kept, ran.node)) }));
        session.document({ cluster: selection.cluster, nodes });
      } else for (const { node, error } of result.nodes) if (error !== undefined) session.complain(`${node}: ${error}`);
      return { code: result.code };
    }),
  });

function keep(kept: Map<string, Kept>, node: string): Kept {
  const there = kept.get(node) ?? { stdout: [], stderr: [] };
  kept.set(node, there);
  return there;
}

function texts({ stdout, stderr }: Kept): { stdout: string; stderr: string } {
  return {
    stdout: Buffer.concat(stdout).toString("utf8"),
    stderr: Buffer.concat(stderr).toString("utf8"),
  };
}
