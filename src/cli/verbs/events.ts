import { buildCommand } from "@stricli/core";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, followFlag, sinceFlag, type Common, type Toggle } from "../flags.ts";
import { pastLine } from "../views/past.ts";
import { clusterWord } from "../words.ts";

type Flags = Common & {
  readonly operation: string | undefined;
  readonly since: string | undefined;
  readonly follow: Toggle;
};

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Shows the journal that operations keep in the cluster's store, whoever ran them from wherever.",
      [
        ["events demo", "all of them"],
        ["events demo --operation launch --since 1h", "only some"],
        ["events demo --follow --json", "as they come, one JSON object a line"],
      ],
    ),
    parameters: {
      flags: {
        ...common,
        operation: {
          kind: "parsed",
          parse: String,
          optional: true,
          brief: "only of this operation: launch, stop …",
          placeholder: "operation",
        },
        since: sinceFlag,
        follow: followFlag,
      },
      aliases: { f: "follow" },
      positional: { kind: "tuple", parameters: [clusterWord] },
    },
    func: act(async (session, flags: Flags, word?: string) => {
      const { operation, since } = flags;
      const context = await session.looking();
      const events = await session.world.operations.events();
      const { count } = await events(context, {
        cluster: await chosenCluster(session, context, word),
        ...(operation === undefined ? {} : { operation }),
        ...(since === undefined ? {} : { since }),
        follow: flags.follow === true,
        output: (event) => {
          const { fields, ...rest } = event;
          session.print(flags.json ? JSON.stringify({ ...fields, ...rest }) : pastLine(event, session.out));
        },
      });
      if (count === 0) session.note("there are no events");
      return session.world.signal.aborted ? "interrupted" : "done";
    }),
  });
