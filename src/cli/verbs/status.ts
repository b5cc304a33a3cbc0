import { buildCommand } from "@stricli/core";
import type { Status } from "../../operations/status.ts";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext, type Outcome } from "../context.ts";
import { docs } from "../docs.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";
import type { Session } from "../session.ts";
import { clusterWord } from "../words.ts";

type Flags = Common & { readonly watch: Toggle };

/** Milliseconds between two looks. */
const pace = 1000;

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(brief, "Reads back from the target and the cluster's store how nodes, services and etcd are.", [
      ["status", "the cluster of ./cluster.yml, else the only one"],
      ["status demo --json", "for scripts"],
      ["status demo --watch", "again whenever something changes"],
    ]),
    parameters: {
      flags: { ...common, watch: toggle("show it again whenever it changes, until Ctrl-C") },
      positional: { kind: "tuple", parameters: [clusterWord] },
    },
    func: act(async (session, flags: Flags, word?: string) => {
      const context = await session.looking();
      const cluster = await chosenCluster(session, context, word);
      const status = await session.world.operations.status();
      const look = (): Promise<Status> => status(context, { cluster });
      const { statusText } = await import("../views/status.ts");
      const text = (now: Status): string => statusText(now, session.out, context.clock.now());
      if (flags.watch) return watch(session, look, text);
      const now = await look();
      if (flags.json) session.document(now);
      else session.print(text(now));
      return "done";
    }),
  });

/** Shows it whenever it has changed: in place on a terminal, else one after the other. */
async function watch(session: Session, look: () => Promise<Status>, text: (now: Status) => string): Promise<Outcome> {
  const { signal, clock } = session.world;
  const live = session.live
    ? await (await import("../views/live.ts")).openLive(session.world.stdout, session.world.atExit)
    : undefined;
  try {
    for (let last = ""; !signal.aborted; await clock.sleep(pace, signal)) {
      const now = await look();
      const key = JSON.stringify(now);
      if (live !== undefined) live.show(text(now));
      else if (key !== last) session.print(session.flags.json ? key : text(now));
      last = key;
    }
  } finally {
    live?.close(true);
  }
  return "interrupted";
}
