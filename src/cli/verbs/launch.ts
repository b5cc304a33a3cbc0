import { buildCommand } from "@stricli/core";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Context } from "../../operations/context.ts";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { goodClusterFile } from "../file.ts";
import { acting, toggle, type Acting, type Toggle } from "../flags.ts";
import type { Session } from "../session.ts";
import { fileWord } from "../words.ts";

type Flags = Acting & { readonly keep: Toggle };

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Creates the cluster that the file describes, changes a running one to it, or completes what was interrupted: the same\ncommand, as often as you like. When a new cluster fails it is removed again, but with --keep.",
      [
        ["launch", "./cluster.yml"],
        ["launch examples/swarm.yml --yes", "without questions"],
        ["launch --json --yes", "one event per line, for programs"],
      ],
    ),
    parameters: {
      flags: { ...acting, keep: toggle("leave what failed as it is, to look at it") },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const cluster = await goodClusterFile(session, file);
      const { context, events } = await session.working(cluster.target);
      if (flags.yes !== true && !(await agreed(session, context, cluster))) return session.declined();
      const launch = await session.world.operations.launch();
      await launch(context, { cluster, file, keep: flags.keep === true });
      session.close();
      if (flags.json || flags.quiet) return "done";
      const inspect = await session.world.operations.inspect();
      const { status, nodes } = await inspect(await session.looking(cluster.target), { cluster: cluster.name, nodes: [] });
      const { launchReport } = await import("../views/report.ts");
      const columns = session.world.stdout.columns ?? 100;
      session.print(launchReport({ events, status, nodes, columns }, session.out));
      return "done";
    }),
  });

/** Shows what would be lost and asks; a plan that only adds needs no answer. */
async function agreed(session: Session, context: Context, cluster: Cluster): Promise<boolean> {
  const plan = await session.world.operations.plan();
  const { changes } = await plan(context, { cluster });
  const losing = changes.filter(
    ({ action, nodes }) => action === "delete" || action === "replace" || action === "unclear" || nodes.restarted.length > 0,
  );
  if (losing.length === 0) return true;
  const { planText } = await import("../views/plan.ts");
  session.note(planText(cluster.name, changes, session.err));
  return session.confirm("Do it?", false);
}
