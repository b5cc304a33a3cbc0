import { buildCommand } from "@stricli/core";
import { chosenNodes, isOneNode } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { common, followFlag, sinceFlag, wholeNumber, type Common, type Toggle } from "../flags.ts";
import { byLines } from "../views/lines.ts";
import { nodeWords } from "../words.ts";

type Flags = Common & {
  readonly unit: string | undefined;
  readonly service: string | undefined;
  readonly lines: number;
  readonly since: string | undefined;
  readonly follow: Toggle;
};

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(
      brief,
      "Shows the journals of nodes, or what the tasks of a service print. Of a node that cannot be asked, its console.",
      [
        ["logs demo-control-1", "the last lines of one node"],
        ["logs demo control --unit etcd --since 10m", "one unit on a group"],
        ["logs demo --service web --follow", "a service, as it goes on"],
      ],
    ),
    parameters: {
      flags: {
        ...common,
        unit: {
          kind: "parsed",
          parse: String,
          optional: true,
          brief: "only this unit",
          placeholder: "unit",
        },
        service: {
          kind: "parsed",
          parse: String,
          optional: true,
          brief: "a service instead of nodes",
          placeholder: "service",
        },
        lines: {
          kind: "parsed",
          parse: wholeNumber(0, 1_000_000),
          default: "100",
          brief: "so many last lines",
          placeholder: "count",
        },
        since: sinceFlag,
        follow: followFlag,
      },
      aliases: { f: "follow", u: "unit", n: "lines" },
      positional: nodeWords,
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { service, unit, since } = flags;
      if (service !== undefined && unit !== undefined)
        throw new UsageError("--unit is of nodes, --service is of the cluster: take one of them");
      const context = await session.looking();
      const selection = await chosenNodes(session, context, words);
      const one = service === undefined && (await isOneNode(context, selection));
      const lines = byLines();
      const { stdout, stderr } = session.world;
      const logs = await session.world.operations.logs();
      const shown = await logs(context, {
        cluster: selection.cluster,
        of: service === undefined ? { kind: "nodes", nodes: selection.nodes } : { kind: "service", name: service },
        ...(unit === undefined ? {} : { unit }),
        ...(since === undefined ? {} : { since }),
        lines: flags.lines,
        follow: flags.follow === true,
        output: (source, stream, chunk) =>
          lines.add(`${source} ${stream}`, chunk, (line) => {
            const to = stream === "stdout" ? stdout : stderr;
            if (flags.json) stdout.write(`${JSON.stringify({ source, stream, line })}\n`);
            else to.write(one ? `${line}\n` : `${session.out.paint("quiet", `${source}:`)} ${line}\n`);
          }),
      });
      lines.end();
      for (const { name, note } of shown.sources) if (note !== undefined) session.note(`${name}: ${note}`);
      return session.world.signal.aborted ? "interrupted" : "done";
    }),
  });
