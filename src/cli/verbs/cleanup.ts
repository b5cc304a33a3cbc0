import { buildCommand } from "@stricli/core";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { acting, type Acting } from "../flags.ts";
import { neutral } from "../views/neutral.ts";
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
        for (const { kind, name } of await preview(context, { cluster })) session.note(`${kind} ${name}`);
        if (!(await session.confirm(`Remove all of ${cluster}, with its data?`, flags.yes))) return session.declined();
      }
      const cleanup = await session.world.operations.cleanup();
      const { removed, left } = await cleanup(context, { cluster });
      session.close();
      if (flags.json) return left.length > 0 ? "failed" : "done";
      for (const { kind, name, blocker } of left) session.complain(`left: ${kind} ${neutral(name)}${blocker === undefined ? "" : `: ${neutral(blocker)}`}`);
      if (left.length > 0) return "failed";
      if (!flags.quiet) session.print(removed === 0 ? `there is nothing of ${cluster}` : `removed ${counted(removed, "object")}; nothing is left of ${cluster}`);
      return "done";
    }),
  });
