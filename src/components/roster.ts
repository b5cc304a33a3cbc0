import type { RecordValue } from "../records/table.ts";
import type { Seen } from "./reconciler.ts";

/** One instance as the target's roster names it. */
export type RosterEntry = Pick<RecordValue<"roster">, "instance" | "node" | "group" | "role" | "address" | "state">;
export type Roster = readonly RosterEntry[];

/** What the roster says of an instance; `unlisted` is no proof of anything: the entry may not be written yet. */
export type Standing = RosterEntry["state"] | "unlisted" | "unknown";

/** The standing of one instance in a roster that may not have been readable. */
export function standing(roster: Seen<Roster>, instance: string): Standing {
  if (roster.kind === "unknown") return "unknown";
  return roster.value.find((entry) => entry.instance === instance)?.state ?? "unlisted";
}
