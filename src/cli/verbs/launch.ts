import { buildCommand } from "@stricli/core";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Context } from "../../operations/context.ts";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { besideFile, shownClusterFile } from "../file.ts";
import { UsageError } from "../failure.ts";
import { acting, factsNamed, refreshFlag, toggle, type Acting, type Toggle } from "../flags.ts";
import type { Session } from "../session.ts";
import { fileWord } from "../words.ts";

type Flags = Acting & {
  readonly output: string | undefined;
  readonly whole: Toggle;
  readonly controlToken: Toggle;
  readonly keep: Toggle;
  readonly refresh: string | undefined;
};

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Creates the cluster that the file describes, changes a running one to it, or completes what was interrupted: the same\ncommand, as often as you like. It asks before anything is replaced, restarted or removed.",
      [
        ["launch", "./cluster.yml"],
        ["launch examples/swarm.yml --yes", "without questions"],
        ["launch --json --yes", "one event per line, for programs"],
        ["launch --on aws --keep", "a creation that fails is left to be looked at"],
        ["launch --on files -o out", "user data for machines that you start yourself"],
      ],
    ),
    parameters: {
      flags: {
        ...acting,
        output: {
          kind: "parsed",
          parse: String,
          optional: true,
          placeholder: "folder",
          brief: "where --on files writes user data and tokens",
        },
        whole: toggle("--on files: all files and units in the user data"),
        controlToken: toggle("--on files: a join token for the control group, though it has nodes"),
        keep: toggle("--on aws: leave a creation that fails as it is"),
        refresh: refreshFlag,
      },
      aliases: { o: "output" },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const { cluster, source } = await shownClusterFile(session, file);
      const onFiles = cluster.target === "files";
      if (onFiles && flags.output === undefined)
        throw new UsageError(
          "--on files writes user data and join tokens: into which folder?",
          `slipway launch ${file} --on files -o ${cluster.name}-files`,
        );
      if (!onFiles && (flags.output !== undefined || flags.whole === true || flags.controlToken === true))
        throw new UsageError(
          "-o, --whole and --control-token are for --on files",
          `slipway launch ${file} --on files -o DIR`,
        );
      const { context: given, events } = await session.working(cluster.target);
      const context = besideFile(session, given, file, source);
      if (flags.keep === true && cluster.target !== "aws")
        throw new UsageError("--keep is for --on aws", `slipway launch ${file}`);
      const refresh = factsNamed(flags.refresh);
      if (flags.yes !== true && !(await agreed(session, context, cluster, refresh))) return session.declined();
      if (flags.output !== undefined) return handOut(session, context, cluster, flags, file);
      const launch = await session.world.operations.launch();
      const { status, settled } = await launch(context, { cluster, refresh, leave: flags.keep === true });
      session.close();
      if (flags.json) return "done";

      const { launchReport } = await import("../views/report.ts");
      const shown = flags.quiet ? [] : events;
      const columns = session.world.stdout.columns || 100;
      session.print(launchReport({ events: shown, status, settled, columns }, session.out));
      return "done";
    }),
  });

/** Writes what each group's machines are started with, and says what is left to do. */
async function handOut(
  session: Session,
  context: Context,
  cluster: Cluster,
  flags: Flags,
  file: string,
): Promise<"done"> {
  const { world } = session;
  const folder = flags.output ?? ".";
  const tokenAt = (group: string): string => `${folder}/${group}.token`;
  const before = new Map<string, string>();
  for (const { name } of cluster.groups)
    if (world.files.exists(tokenAt(name)))
      before.set(name, new TextDecoder().decode(await world.files.read(tokenAt(name))));
  const operation = await world.operations.handOut();
  const handed = await operation(context, {
    cluster,
    whole: flags.whole === true,
    controlToken: flags.controlToken === true,
    before,
  });
  for (const { name, content } of handed.files) await world.files.writePrivate(`${folder}/${name}`, content);
  session.close();
  if (flags.json) return "done";
  for (const { group, role, came, missing, file: written } of handed.groups) {
    if (written !== undefined)
      session.print(
        `${group}: start ${missing} with ${folder}/${written}${role === "control" && came === 0 ? " (with a token of the control group, because it has no node yet)" : ""}`,
      );
    else if (missing > 0) session.print(`${group}: ${missing} awaited; a token only with --control-token`);
    else session.print(`${group}: all ${came} are there`);
  }
  session.note(
    handed.awaited === 0
      ? `${cluster.name} is ready`
      : `${handed.awaited} node${handed.awaited === 1 ? "" : "s"} of ${cluster.name} awaited; what to do: ${folder}/README.md\nnext: slipway status ${cluster.name} --on files, then slipway launch ${file} --on files -o ${folder}`,
  );
  return "done";
}

/** Shows what would be lost and asks; a plan that only adds needs no answer. */
async function agreed(
  session: Session,
  context: Context,
  cluster: Cluster,
  refresh: readonly string[],
): Promise<boolean> {
  const plan = await session.world.operations.plan();
  const { changes, outlook } = await plan(context, { cluster, refresh });
  const { loses, planText } = await import("../views/plan.ts");
  if (!changes.some(loses)) return true;
  session.note(planText(cluster.name, changes, session.err, outlook));
  return session.confirm("Do it?", false);
}
