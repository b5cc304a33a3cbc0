import { buildCommand } from "@stricli/core";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { acting, type Acting } from "../flags.ts";
import { planText } from "../views/plan.ts";
import { counted } from "../views/sentence.ts";
import { clusterWord } from "../words.ts";

export default (brief: string) =>
  buildCommand<Acting, [string?], CliContext>({
    docs: docs(
      brief,
      "Removes everything that bears the cluster's name, with its data, then searches once more and says that nothing is left,\nor what is left and why. What Slipway did not make it never removes.",
      [
        ["cleanup demo", "asks first"],
        ["cleanup demo --yes", "for scripts"],
      ],
    ),
    parameters: { flags: acting, positional: { kind: "tuple", parameters: [clusterWord] } },
    func: act(async (session, flags: Acting, word?: string) => {
      const { context } = await session.working();
      const cluster = await chosenCluster(session, context, word);
      if (flags.yes !== true) {
        const preview = await session.world.operations.preview();
        const changes = await preview(context, { cluster });
        if (changes.length > 0) session.note(planText(cluster, changes, session.err));
        if (!(await session.confirm(`Remove all of ${cluster}, with its data?`, flags.yes))) return session.declined();
      }
      const cleanup = await session.world.operations.cleanup();
      const { removed } = await cleanup(context, { cluster });
      session.close();
      if (flags.json) return "done";
      session.print(
        removed === 0
          ? `there is nothing of ${cluster}`
          : `removed ${counted(removed, "object")}; nothing is left of ${cluster}`,
      );
      return "done";
    }),
  });
