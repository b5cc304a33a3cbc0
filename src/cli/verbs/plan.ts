import { buildCommand } from "@stricli/core";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Change, Forecast, Outlook } from "../../plan/plan.ts";
import type { Source } from "../../problems/source.ts";
import { InvalidFileError, UsageError } from "../failure.ts";
import { besideFile, shownClusterFile } from "../file.ts";
import { common, factsNamed, refreshFlag, toggle, type Common, type Toggle } from "../flags.ts";
import type { Session } from "../session.ts";
import { factsFor } from "../template.ts";
import { fileWord } from "../words.ts";

type Flags = Common & {
  readonly exitCode: Toggle;
  readonly offline: Toggle;
  readonly facts: string | undefined;
  readonly refresh: string | undefined;
};

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Compares the file with what is there and shows what launch would change, and why. Changes nothing.",
      [
        ["plan", "./cluster.yml"],
        ["plan examples/swarm.yml --exit-code", "0: nothing to do, 3: there are changes"],
        ["plan --json", "for programs"],
        ["plan --on aws --offline", "from the file alone, without asking AWS"],
      ],
    ),
    parameters: {
      flags: {
        ...common,
        exitCode: toggle("end with 3 when there are changes"),
        offline: toggle("--on aws: from the file alone"),
        facts: {
          kind: "parsed",
          parse: String,
          optional: true,
          placeholder: "file",
          brief: "what AWS has said, for --offline (default: nothing)",
        },
        refresh: refreshFlag,
      },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const { cluster, source } = await shownClusterFile(session, file);
      const { changes, forecast, outlook } =
        flags.offline === true
          ? await offline(session, cluster, source, flags.facts)
          : await asked(session, cluster, file, factsNamed(flags.refresh));
      if (flags.json)
        session.document({ cluster: cluster.name, forecast, changes, ...(outlook === undefined ? {} : { outlook }) });
      else session.print((await import("../views/plan.ts")).planText(cluster.name, changes, session.out, outlook));
      return flags.exitCode && changes.length > 0 ? "changes" : "done";
    }),
  });

type Planned = { readonly changes: readonly Change[]; readonly forecast: Forecast; readonly outlook?: Outlook };

async function asked(session: Session, cluster: Cluster, file: string, refresh: readonly string[]): Promise<Planned> {
  const plan = await session.world.operations.plan();
  return plan(besideFile(session, await session.looking(cluster.target), file), { cluster, refresh });
}

async function offline(
  session: Session,
  cluster: Cluster,
  source: Source,
  facts: string | undefined,
): Promise<Planned> {
  if (cluster.target !== "aws")
    throw new UsageError(
      `--offline is for --on aws; this cluster is on ${cluster.target}`,
      "slipway plan --on aws --offline",
    );
  const { offlinePlan } = await (await import("../../targets/templates.ts")).templates();
  const read = offlinePlan(cluster, await factsFor(session, facts));
  if (read.kind === "bad") throw new InvalidFileError(read.problems, source);
  return { changes: read.changes, forecast: "computed", outlook: read.outlook };
}
