import type { Run } from "../../target.ts";
import type { Activity } from "../clients/auto-scaling.ts";
import { isTrouble } from "../clients/caller.ts";
import type { Instance } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { groupOf, type Seen } from "./arrivals.ts";

/** Auto Scaling launches within seconds: a group that is short of instances for so long is asked about. Milliseconds. */
const lateAfter = 60_000;
/** And again after so long: calls are counted. Milliseconds. */
const askEvery = 3 * 60_000;
/** What failed so long before a group's newest instance came has to do with where it came to. Milliseconds. */
const related = 30 * 60_000;

export type Shortages = {
  /** Compares what EC2 has last said of groups with how many each is to have, and asks about those that stay short. */
  look(seen: Seen | undefined, wanted: Readonly<Record<string, number>>): Promise<void>;
  /** Why groups have fewer instances than they are to have, a line for each. */
  readonly causes: ReadonlyMap<string, string>;
};

/**
 * Why instances do not come: CloudFormation says only that nobody has signalled, and Auto Scaling goes on trying without a
 * word to anyone who does not ask.
 */
export function shortages(session: Session, run: Run): Shortages {
  const since = new Map<string, number>();
  const asked = new Map<string, number>();
  const causes = new Map<string, string>();
  return {
    causes,
    async look(seen, wanted) {
      if (seen === undefined) return;
      const { instances, at } = seen;
      for (const [group, count] of Object.entries(wanted)) {
        const has = instances.filter((instance) => groupOf(instance) === group).length;
        if (has >= count) {
          for (const known of [since, asked, causes]) known.delete(group);
          continue;
        }
        const from = since.get(group) ?? at;
        since.set(group, from);
        if (at - from < lateAfter || at - (asked.get(group) ?? -Infinity) < askEvery) continue;
        asked.set(group, at);
        // What failed before the last one that came is mended.
        const why = await reasonFor(session, group, (begun, last) => begun > last);
        if (why === undefined) continue;
        const advice = /capacity/i.test(why)
          ? "; other instance types, or for new nodes other zones (aws: network: zone_names), may be had at once"
          : "";
        const cause = `${group} has ${has} of ${count} instances: ${why}${advice}`;
        if (causes.get(group) !== cause) run.emit("warning", { message: `${cause}; Auto Scaling goes on trying` });
        causes.set(group, cause);
      }
    },
  };
}

/** Says of groups that have all their instances where capacity has left them uneven over their zones, and why. */
export async function tellUneven(
  session: Session,
  run: Run,
  instances: readonly Instance[],
  zones: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [group, many] of Object.entries(zones)) {
    const own = instances.filter((instance) => groupOf(instance) === group);
    const counts = new Map<string, number>();
    for (const { Placement } of own) {
      const zone = Placement?.AvailabilityZone ?? "";
      counts.set(zone, (counts.get(zone) ?? 0) + 1);
    }
    const least = counts.size < many ? 0 : Math.min(...counts.values());
    if (own.length === 0 || Math.max(...counts.values()) - least <= 1) continue;
    const newest = Math.max(...own.map(({ LaunchTime }) => LaunchTime?.getTime() ?? 0));
    const why = await reasonFor(session, group, (begun) => newest - begun < related);
    if (why === undefined) continue;
    const there = [...counts.keys()].toSorted().map((zone) => `${counts.get(zone) ?? 0} in ${zone}`);
    run.emit("warning", {
      message: `${group} is not spread evenly over its zones, ${there.join(", ")}: ${why}; Auto Scaling evens it out when it can`,
    });
  }
}

/** Why launches of a group have failed, as far as they matter; `undefined` where none of these has. */
async function reasonFor(
  session: Session,
  group: string,
  /** By when it was begun, and when the last one that did not fail was. */
  matters: (begun: number, last: number) => boolean,
): Promise<string | undefined> {
  let activities: readonly Activity[];
  try {
    activities = await (await session.autoScaling()).activities(group);
  } catch (error) {
    // Who may not ask is told so, and the launch goes on all the same.
    if (isTrouble(error, "forbidden", "gone", "invalid")) return `Auto Scaling does not say why (${error.message})`;
    throw error;
  }
  const begun = ({ StartTime }: Activity): number => StartTime?.getTime() ?? 0;
  const launches = activities
    .filter(({ Description = "" }) => Description.startsWith("Launching"))
    .toSorted((a, b) => begun(b) - begun(a));
  const success = launches.find(({ StatusCode }) => StatusCode === "Successful");
  const last = success === undefined ? 0 : begun(success);
  return wordsFor(launches.filter((one) => one.StatusCode === "Failed" && matters(begun(one), last)));
}

/** In which zones, and in AWS's words, the newest of them first. */
function wordsFor(failed: readonly Activity[]): string | undefined {
  const [newest] = failed;
  if (newest === undefined) return undefined;
  const zones = [...new Set(failed.flatMap((one) => zoneOf(one) ?? []))].toSorted();
  const words = (newest.StatusMessage ?? "it gives no reason")
    .replace(/\s*Launching EC2 instance failed\.?\s*$/, "")
    .replace(/\.$/, "");
  return `launches failed${zones.length === 0 ? "" : ` in ${zones.join(", ")}`} (${words})`;
}

/** Activities have it in a text of JSON. */
function zoneOf({ Details = "" }: Activity): string | undefined {
  return /"Availability Zone"\s*:\s*"([^"]+)"/.exec(Details)?.[1];
}
