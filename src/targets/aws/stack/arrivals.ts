import type { ClusterName } from "../../../cluster/cluster.ts";
import { listRecords } from "../../../records/access.ts";
import type { RecordValue } from "../../../records/table.ts";
import { StoreError, type ClusterStore } from "../../../store/store.ts";
import type { Run } from "../../target.ts";
import { unlessGone } from "../clients/caller.ts";
import type { Instance } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { readyWithin } from "../graph/members.ts";
import { instancesOf } from "../look.ts";
import { entryOf, machineOf, nodeOf } from "../observe.ts";
import { tagOf } from "../tags.ts";

type NodeRecord = RecordValue<"node">;

/** An instance that has said nothing for so long will not: its image, its network or its user data is at fault. Milliseconds. */
const silentAfter = 8 * 60_000;
/** CloudFormation's own patience, less the time to fetch what the instance has to say before it is taken away. */
const unreadyAfter = (readyWithin - 1) * 60_000;
/** A failure may heal by itself; it counts once it has lasted so long. */
const failureGrace = 10_000;
/** EC2 is asked again after so long, and sooner where one speaks that nobody has heard of: its calls are counted. */
const lookEvery = { usually: 60_000, forNew: 15_000 };
const consoleLines = 40;

export type Seen = { readonly instances: readonly Instance[]; readonly at: number };

export type Arrivals = {
  /** Looks once more, and says what has changed. */
  look(): Promise<void>;
  /** What is wrong with nodes that will not become ready, a line for each. */
  readonly failures: ReadonlyMap<string, string>;
  /** Instances that are there now, as far as EC2 was asked. */
  instances(anew: boolean): Promise<readonly Instance[]>;
  /** What EC2 has last said, and when; `undefined`: it was not asked yet. */
  seen(): Seen | undefined;
  roster(): Promise<readonly RecordValue<"roster">[]>;
  /** What they said last, by EC2's id. */
  readonly records: ReadonlyMap<string, NodeRecord>;
};

/**
 * Follows the instances of a cluster while they become nodes: by their records in the store, and by EC2 and their consoles
 * where they have none.
 */
export function arrivals(given: {
  readonly session: Session;
  readonly cluster: ClusterName;
  readonly store: ClusterStore;
  readonly run: Run;
  /** Told of an instance that will never signal, so that its stack need not wait for it. */
  readonly lost?: (instance: Instance) => Promise<void>;
}): Arrivals {
  const { session, cluster, store, run } = given;
  const { clock } = session;
  let known: readonly Instance[] = [];
  // Nobody has come yet.
  let askedAt = session.clock.now();
  let asked = false;
  const records = new Map<string, NodeRecord>();
  const strangers = new Set<string>();
  const said = new Map<string, string>();
  const failingSince = new Map<string, number>();
  const failures = new Map<string, string>();
  /** By name and reason: a node is reported once for each. */
  const reported = new Set<string>();

  const roster = async (): Promise<readonly RecordValue<"roster">[]> =>
    (await listRecords(store, "roster")).map(({ value }) => value);
  const instances = async (anew: boolean): Promise<readonly Instance[]> => {
    if (anew || clock.now() - askedAt >= lookEvery.usually) {
      askedAt = clock.now();
      asked = true;
      known = await instancesOf(session, cluster);
    }
    return known;
  };

  const fail = async (instance: Instance, name: string, record: NodeRecord | undefined, why: string): Promise<void> => {
    if (reported.has(`${name} ${why}`)) return;
    reported.add(`${name} ${why}`);
    const log = record === undefined || record.log.length === 0 ? await consoleOf(session, instance) : record.log;
    const phase = record?.phase ?? "boot";
    run.emit("node.failed", { node: name, phase, reason: why, log });
    failures.set(
      name,
      `${name} (${instance.InstanceId ?? "?"}) in ${phase}: ${why}${log.length === 0 ? "" : `\n  ${log.slice(-10).join("\n  ")}`}`,
    );
  };

  const judge = async (instance: Instance): Promise<void> => {
    const id = instance.InstanceId ?? "";
    const record = records.get(id);
    const name = record?.node || nodeOf(instance, []).name;
    const age = clock.now() - (instance.LaunchTime?.getTime() ?? clock.now());
    if (record?.state === "ready") {
      failingSince.delete(id);
      failures.delete(name);
      return;
    }
    if (record?.state === "failed") {
      const since = failingSince.get(id) ?? clock.now();
      failingSince.set(id, since);
      if (clock.now() - since >= failureGrace)
        await fail(instance, name, record, record.reason ?? "it gives no reason");
      return;
    }
    if (record === undefined && age > silentAfter) {
      await fail(
        instance,
        name,
        record,
        `it has said nothing for ${Math.round(age / 60_000)} minutes; its console's last lines are all there is`,
      );
      await given.lost?.(instance);
    } else if (record !== undefined && age > unreadyAfter)
      await fail(instance, name, record, record.reason ?? `it is not ready after ${Math.round(age / 60_000)} minutes`);
  };

  return {
    failures,
    records,
    instances,
    seen: () => (asked ? { instances: known, at: askedAt } : undefined),
    roster,
    async look() {
      let present = await instances(false);
      let entries: readonly { readonly value: NodeRecord }[];
      try {
        entries = await listRecords(store, "node");
      } catch (error) {
        // It is asked again in a moment, and whoever waits has a deadline.
        if (error instanceof StoreError && error.kind === "unreachable") return;
        throw error;
      }
      const speaking = entries.map(({ value }) => machineOf(value)).filter((id) => !strangers.has(id));
      const here = (id: string): boolean => present.some(({ InstanceId }) => InstanceId === id);
      if (!speaking.every(here) && clock.now() - askedAt >= lookEvery.forNew) present = await instances(true);
      // What earlier instances have said is there for ever.
      for (const id of speaking) if (!here(id) && askedAt === clock.now()) strangers.add(id);
      const ids = new Set(present.map(({ InstanceId }) => InstanceId));
      for (const { value } of entries) {
        const id = machineOf(value);
        if (!ids.has(id)) continue;
        // A member that is on an earlier one's disk has said something under its own machine's name before.
        if ((records.get(id)?.seen ?? 0) > value.seen) continue;
        records.set(id, value);
        const now = `${value.phase} ${value.reason ?? ""}`;
        if (said.get(id) === now) continue;
        said.set(id, now);
        run.emit("node.phase", {
          node: value.node || id,
          phase: value.phase,
          ...(value.reason === undefined ? {} : { reason: value.reason }),
        });
      }
      for (const instance of present) await judge(instance);
    },
  };
}

/** The last lines of an instance's console; it may have none yet, or be gone. */
export async function consoleOf(session: Session, instance: Instance): Promise<readonly string[]> {
  const ec2 = await session.ec2();
  const text = await unlessGone(ec2.console(instance.InstanceId ?? ""));
  return consoleLinesOf(text ?? "").slice(-consoleLines);
}

/** EC2 gives it in base64. */
export function consoleLinesOf(output: string): readonly string[] {
  return Buffer.from(output, "base64")
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
}

/** Whether a machine has become a node that is there: the roster has it, and it has spoken itself. */
export function hasJoined(
  roster: readonly RecordValue<"roster">[],
  records: Arrivals["records"],
  instance: Instance,
): boolean {
  return entryOf(roster, instance)?.state === "present" && records.has(instance.InstanceId ?? "");
}

export function groupOf(instance: Instance): string {
  return tagOf(instance, "aws:autoscaling:groupName") ?? "";
}
