import { buildCommand } from "@stricli/core";
import { agreedByName } from "../agreement.ts";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import type { ClusterName, TargetName } from "../../cluster/cluster.ts";
import type { Change } from "../../plan/plan.ts";
import { acting, toggle, type Acting, type Toggle } from "../flags.ts";
import type { Leftover } from "../../targets/target.ts";
import type { Session } from "../session.ts";
import { planText } from "../views/plan.ts";
import { counted } from "../views/sentence.ts";
import { clusterWord } from "../words.ts";

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Removes everything that bears the cluster's name, with its data, then searches once more and says that nothing is left,\nor what is left and why. What Slipway did not make it never removes.",
      [
        ["cleanup demo", "asks first"],
        ["cleanup demo --yes", "for scripts"],
        ["cleanup demo --on aws --keep-data", "disks and the store stay"],
      ],
    ),
    parameters: {
      flags: { ...acting, keepData: toggle("--on aws: keep disks, snapshots and the store") },
      positional: { kind: "tuple", parameters: [clusterWord] },
    },
    func: act(async (session, flags: Flags, word?: string) => {
      const { context } = await session.working();
      const cluster = await chosenCluster(session, context, word);
      let keepData = flags.keepData === true;
      if (flags.yes !== true) {
        const preview = await session.world.operations.preview();
        const changes = await preview(context, { cluster, keepData });
        if (changes.length > 0) session.note(planText(cluster, changes, session.err));
        const agreed =
          context.target.keepsData === true
            ? await agreedApart(session, cluster, changes)
            : (await session.confirm(`Remove all of ${cluster}, with its data?`, flags.yes)) && { keepData };
        if (agreed === false) return session.declined();
        keepData ||= agreed.keepData;
      }
      const cleanup = await session.world.operations.cleanup();
      const { removed, kept = [] } = await cleanup(context, { cluster, keepData });
      session.close();
      if (flags.json) return "done";
      session.print(
        removed === 0 && kept.length === 0
          ? `there is nothing of ${cluster}`
          : `removed ${counted(removed, "object")}; ${kept.length > 0 ? keptText(cluster, kept, context.target.name) : context.target.billed === true ? "0 left, $0.00/h" : `nothing is left of ${cluster}`}`,
      );
      return "done";
    }),
  });

type Flags = Acting & { readonly keepData: Toggle };

/** What stays, what it costs, and what becomes of it. */
function keptText(cluster: ClusterName, kept: readonly Leftover[], target: TargetName): string {
  const known = kept.flatMap(({ monthly }) => monthly ?? []);
  const sum = known.reduce((all, one) => all + one, 0);
  return [
    `kept${known.length === 0 ? "" : `, for $${sum.toFixed(2)} a month by list prices, and what lies in the store`}:`,
    ...kept.map(
      ({ kind, name, monthly }) =>
        `  ${kind} ${name}${monthly === undefined ? "" : `  $${monthly.toFixed(2)} a month`}`,
    ),
    `next: slipway launch FILE goes on with them; slipway cleanup ${cluster} --on ${target} removes them`,
  ].join("\n");
}

/** What is dear to undo is agreed to by its name, and its data apart. */
async function agreedApart(
  session: Session,
  cluster: ClusterName,
  changes: readonly Change[],
): Promise<{ readonly keepData: boolean } | false> {
  const counts = new Map<string, number>();
  for (const { kind } of changes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  session.note([...counts].map(([kind, count]) => `${count} ${kind}`).join(", "));
  if (!(await agreedByName(session, cluster, `Remove ${cluster}?`))) return false;
  const data = changes.filter(({ kind }) => kind === "volume" || kind === "snapshot" || kind === "bucket").length;
  if (data === 0) return { keepData: false };
  const remove = await (await session.world.prompts()).confirm(`Its data too (disks, snapshots, store: ${data})?`);
  return remove === undefined ? false : { keepData: !remove };
}
