import type { Roster, RosterEntry } from "../../../components/roster.ts";
import type { Seen } from "../../../components/reconciler.ts";
import type { Ec2Instance } from "../../../host/aws/ec2.ts";
import type { RecordValue } from "../../../records/table.ts";
import { tagNames } from "../../../records/tags.ts";

/** A worker's own word that it is there: on S3 nobody else can write it under this instance's name. */
export type Arrived = Pick<RecordValue<"registration">, "instance" | "group" | "role" | "address">;

/** What a control node sees of who is there. */
export type RosterView = {
  readonly cluster: string;
  readonly roster: Seen<Roster>;
  readonly arrived: Seen<readonly Arrived[]>;
  /** Every page, or unknown. */
  readonly instances: Seen<readonly Ec2Instance[]>;
  /** Auto Scaling's lifecycle state by EC2 instance. */
  readonly lifecycle: Seen<ReadonlyMap<string, string>>;
  /** Since when EC2 has not listed an instance in any look of this agent, milliseconds since 1970. */
  readonly missingSince: ReadonlyMap<string, number>;
  readonly now: number;
};

export type RosterAct =
  | { readonly kind: "admit"; readonly arrived: Arrived }
  /** Its machine is about to be terminated: it moves its tasks away first. */
  | { readonly kind: "leave"; readonly instance: string }
  | { readonly kind: "gone"; readonly instance: string };

/** What is wrong with one who says that it has arrived; for people. */
export type Refused = { readonly instance: string; readonly why: string };

/**
 * EC2 is eventually consistent: an instance that it has shown may be absent from a later answer (AWS, "Eventual consistency in
 * the EC2 API"). Terminated ones stay listed for about an hour, so absence alone counts only after so long.
 */
const missedFor = 10 * 60_000;

/** The part of an instance's name that EC2 knows. */
export function ec2Id(instance: string): string {
  return instance.slice(instance.lastIndexOf(".") + 1);
}

/**
 * What the roster of workers needs to be as EC2 says; pure. A control member is its disk, which outlives machines: no word of
 * EC2 makes it gone, only a member that comes to its place with another disk, or an operator.
 */
export function rosterNext(view: RosterView): {
  readonly acts: readonly RosterAct[];
  readonly refused: readonly Refused[];
} {
  const { roster, arrived, instances } = view;
  if (roster.kind === "unknown" || instances.kind === "unknown") return { acts: [], refused: [] };
  const machines = new Map(instances.value.map((machine) => [machine.id, machine]));
  const entries = new Map(roster.value.map((entry) => [entry.instance, entry]));
  const parting = roster.value.flatMap((entry) => part(view, entry, machines.get(ec2Id(entry.instance))));
  const coming = (arrived.kind === "seen" ? arrived.value : [])
    .filter(({ instance, role }) => role === "worker" && !entries.has(instance))
    .map((one) => ({ one, why: refusal(view, one, machines.get(ec2Id(one.instance))) }));
  return {
    acts: [
      ...parting,
      ...coming.flatMap(({ one, why }) => (why === undefined ? [{ kind: "admit" as const, arrived: one }] : [])),
    ],
    refused: coming.flatMap(({ one, why }) => (why === undefined ? [] : [{ instance: one.instance, why }])),
  };
}

function part(view: RosterView, entry: RosterEntry, machine: Ec2Instance | undefined): readonly RosterAct[] {
  const { instance, role, state } = entry;
  if (role === "control" || state === "gone") return [];
  if (machine === undefined) {
    const since = view.missingSince.get(ec2Id(instance));
    return since !== undefined && view.now - since >= missedFor ? [{ kind: "gone", instance }] : [];
  }
  if (machine.state === "terminated") return [{ kind: "gone", instance }];
  const word = view.lifecycle.kind === "seen" ? (view.lifecycle.value.get(machine.id) ?? "") : "";
  const ends = machine.state === "shutting-down" || word.startsWith("Terminating");
  return ends && state === "present" ? [{ kind: "leave", instance }] : [];
}

/** IAM has bound its word to its instance; EC2 says that this instance is one of this cluster and group, at that address. */
function refusal({ cluster }: RosterView, one: Arrived, machine: Ec2Instance | undefined): string | undefined {
  if (machine === undefined) return "EC2 lists no such instance of this cluster";
  if (machine.state !== "running" && machine.state !== "pending") return `EC2 says that it is ${machine.state}`;
  if (machine.tags.get(tagNames.cluster) !== cluster) return `it does not bear the tag of ${cluster}`;
  const group = machine.tags.get(tagNames.group);
  if (group !== one.group) return `it says that it is of the group ${one.group}, its tag says ${group ?? "none"}`;
  if (machine.tags.has(tagNames.node)) return "it bears a control member's tag, and says that it is a worker";
  if (machine.address !== one.address) return `it says that it is at ${one.address}, EC2 says ${machine.address}`;
  return undefined;
}

/** Since when each worker of the roster has not been listed: what was listed just now is not missing. */
export function missing(
  before: ReadonlyMap<string, number>,
  roster: Roster,
  instances: readonly Ec2Instance[],
  now: number,
): ReadonlyMap<string, number> {
  const listed = new Set(instances.map(({ id }) => id));
  return new Map(
    roster
      .filter(({ role, state }) => role === "worker" && state !== "gone")
      .map(({ instance }) => ec2Id(instance))
      .filter((id) => !listed.has(id))
      .map((id) => [id, before.get(id) ?? now]),
  );
}

/** Who else is alive with a control member's tag: its disk can be only one's, and the roster only says so of one. */
export function rivals(instances: readonly Ec2Instance[], node: string, own: string): readonly Ec2Instance[] {
  const ended = new Set(["shutting-down", "terminated"]);
  return instances.filter(
    (machine) => machine.tags.get(tagNames.node) === node && machine.id !== own && !ended.has(machine.state),
  );
}
