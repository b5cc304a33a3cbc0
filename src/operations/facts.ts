import type { Cluster } from "../cluster/cluster.ts";
import { readRecord } from "../records/access.ts";
import type { ClusterStore } from "../store/store.ts";
import type { FactData } from "../targets/target.ts";
import { OperationError, type Context } from "./context.ts";

/** What the target's world said, when that was, and whether the published revision has it so. */
export type Facts = { readonly value: FactData; readonly gathered: number };

/**
 * What a revision of this cluster stands on: what the published one has pinned, with what is to be asked anew or was never
 * asked. Undefined where nothing floats.
 */
export async function factsFor(
  context: Context,
  cluster: Cluster,
  store: ClusterStore | undefined,
  refresh: readonly string[] = [],
): Promise<Facts | undefined> {
  const { floating, name } = context.target;
  if (floating === undefined) {
    if (refresh.length === 0) return undefined;
    throw new OperationError(`nothing floats on ${name}: there is nothing to refresh`);
  }
  const unknown = refresh.filter((one) => one !== "all" && !floating.names.includes(one));
  if (unknown.length > 0)
    throw new OperationError(
      `there is no fact ${unknown.join(", ")}`,
      `--refresh ${[...floating.names, "all"].join(" | ")}`,
    );
  const pinned = store === undefined ? undefined : await pinnedIn(store);
  const value = await floating.gather(cluster, pinned?.value, refresh.includes("all") ? floating.names : refresh);
  return pinned !== undefined && JSON.stringify(pinned.value) === JSON.stringify(value)
    ? pinned
    : { value, gathered: context.clock.now() };
}

async function pinnedIn(store: ClusterStore): Promise<Facts | undefined> {
  const pointer = await readRecord(store, "pointer");
  if (pointer === undefined) return undefined;
  const record = await readRecord(store, "facts", { revision: pointer.value.revision });
  // Written from plain data.
  return record === undefined ? undefined : { value: record.value.facts as FactData, gathered: record.value.gathered };
}

/** Everything that would stop a launch, in one error, before the first thing is made; what is only doubtful is a warning. */
export async function passPreflight(context: Context, cluster: Cluster, facts: Facts | undefined): Promise<void> {
  const { floating } = context.target;
  if (floating === undefined || facts === undefined) return;
  const found = await floating.examine(cluster, facts.value);
  for (const { subject, state, message, fix } of found)
    if (state === "warning")
      context.emit("warning", { message: `${subject}: ${message}${fix === undefined ? "" : `; ${fix}`}` });
  const bad = found.filter(({ state }) => state === "bad");
  if (bad.length === 0) return;
  throw new OperationError(
    [
      `${bad.length === 1 ? "something stands" : `${bad.length} things stand`} in the way, and nothing was made:`,
      ...bad.map(({ subject, message, fix }) => `  ${subject}: ${message}${fix === undefined ? "" : `\n    ${fix}`}`),
    ].join("\n"),
    "slipway launch again when that is mended",
  );
}
