import { buildCommand } from "@stricli/core";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Context } from "../../operations/context.ts";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { besideFile, shownClusterFile } from "../file.ts";
import { acting, type Acting } from "../flags.ts";
import type { Session } from "../session.ts";
import { fileWord } from "../words.ts";

export default (brief: string) =>
  buildCommand<Acting, [string?], CliContext>({
    docs: docs(
      brief,
      "Creates the cluster that the file describes, changes a running one to it, or completes what was interrupted: the same\ncommand, as often as you like. It asks before anything is replaced, restarted or removed.",
      [
        ["launch", "./cluster.yml"],
        ["launch examples/swarm.yml --yes", "without questions"],
        ["launch --json --yes", "one event per line, for programs"],
      ],
    ),
    parameters: { flags: acting, positional: { kind: "tuple", parameters: [fileWord] } },
    func: act(async (session, flags: Acting, file = usualFile) => {
      const { cluster, source } = await shownClusterFile(session, file);
      const { context: given, events } = await session.working(cluster.target);
      const context = besideFile(session, given, file, source);
      if (flags.yes !== true && !(await agreed(session, context, cluster))) return session.declined();
      const launch = await session.world.operations.launch();
      const { status, settled } = await launch(context, { cluster });
      session.close();
      if (flags.json) return "done";

      const { launchReport } = await import("../views/report.ts");
      const shown = flags.quiet ? [] : events;
      const columns = session.world.stdout.columns || 100;
      session.print(launchReport({ events: shown, status, settled, columns }, session.out));
      return "done";
    }),
  });

/** Shows what would be lost and asks; a plan that only adds needs no answer. */
async function agreed(session: Session, context: Context, cluster: Cluster): Promise<boolean> {
  const plan = await session.world.operations.plan();
  const { changes } = await plan(context, { cluster });
  const { loses, planText } = await import("../views/plan.ts");
  if (!changes.some(loses)) return true;
  session.note(planText(cluster.name, changes, session.err));
  return session.confirm("Do it?", false);
}
