import type { Clock } from "../host/clock.ts";
import type { Random } from "../host/random.ts";
import { keyOf, listRecords, readRecord, updateRecord, writeOnce } from "../records/access.ts";
import { endOf } from "../records/join-gate.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";

type Join = RecordValue<"join">;
type Token = RecordValue<"joinToken">;
type Roster = readonly RecordValue<"roster">[];

export type Admission = {
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly say: (message: string) => void;
};

/** What one look at those who ask did. */
export type Admitted = { readonly admitted: readonly string[]; readonly refused: readonly string[] };

/**
 * Why a join token lets nobody in now, or `undefined` when it does. Uses are counted by the roster, in which an instance
 * stays when it is gone: a machine that was let in twice under one identity counts once, and nobody can count backwards.
 */
export function refusalOf(token: Token | undefined, roster: Roster, now: number): string | undefined {
  const over = endOf(token, now);
  if (over !== undefined || token === undefined) return over;
  const used = roster.filter((entry) => entry.joinToken === token.id).length;
  if (used >= token.uses) return `the join token ${token.id} is used up: ${used} of ${token.uses} have joined by it`;
  return undefined;
}

/** The number in a node's name, where it is of this group. */
function numberOf(cluster: string, group: string, node: string): number | undefined {
  const prefix = `${cluster}-${group}-`;
  const rest = node.startsWith(prefix) ? node.slice(prefix.length) : "";
  return /^[1-9]\d*$/.test(rest) ? Number(rest) : undefined;
}

/**
 * The lowest name of the group that nobody bears: taken by create-if-absent, or taken over from an instance that is gone.
 * An instance that took one before it was interrupted keeps it.
 */
async function takeName(
  { store, random }: Admission,
  { cluster, group, instance }: { readonly cluster: string; readonly group: string; readonly instance: string },
  roster: Roster,
): Promise<string> {
  const names = (await listRecords(store, "nodeName")).map(({ value }) => value);
  const own = names.find((name) => name.instance === instance);
  if (own !== undefined && numberOf(cluster, group, own.node) !== undefined) return own.node;
  const gone = new Set(roster.filter((entry) => entry.state === "gone").map((entry) => entry.instance));
  // Names that an operator gave, which have no record, are taken as well.
  const borne = new Set(roster.filter((entry) => entry.state !== "gone").map((entry) => entry.node));
  for (let n = 1; ; n++) {
    const node = `${cluster}-${group}-${n}`;
    if (borne.has(node)) continue;
    const record = await updateRecord(store, "nodeName", { node }, (now) =>
      now === undefined || gone.has(now.instance) ? { node, instance, nonce: random.hex(8) } : undefined,
    );
    if (record?.instance === instance) return node;
  }
}

/** Whoever is let in: who it is and where, as what, and by what it is known. */
export type Newcomer = Pick<
  RecordValue<"roster">,
  "instance" | "address" | "group" | "role" | "tokenHash" | "joinToken"
>;

/**
 * Lets one machine in: its name first (the lowest free one, unless it has one), then what it needs to begin, and last the
 * roster, which makes it one of the cluster. Again after an interruption it is the same node.
 */
export async function letIn(
  admission: Admission,
  newcomer: Newcomer & { readonly node?: string },
  cluster: RecordValue<"cluster">,
  roster: Roster,
): Promise<RecordValue<"roster">> {
  const { store, clock, random } = admission;
  const { instance, address, group, role, tokenHash, joinToken } = newcomer;
  const node = newcomer.node ?? (await takeName(admission, { cluster: cluster.name, group, instance }, roster));
  const { name, generation, orchestrator, founders } = cluster;
  await updateRecord(store, "bootstrap", { instance }, () => ({
    cluster: name,
    generation,
    orchestrator,
    instance,
    node,
    group,
    role,
    address,
    founders,
  }));
  const written = await writeOnce(
    store,
    "roster",
    { instance },
    {
      instance,
      node,
      group,
      role,
      address,
      state: "present",
      tokenHash,
      ...(joinToken === undefined ? {} : { joinToken }),
      since: clock.now(),
      nonce: random.hex(8),
    },
  );
  return written.value;
}

/** Whether the group wants the machine at all: it is in the current revision, and the control group has a fixed size. */
async function groupRefusal(
  store: ClusterStore,
  token: Token,
  revision: string,
  roster: Roster,
): Promise<string | undefined> {
  const { group } = token;
  const wanted = await readRecord(store, "groupRevision", { revision, group });
  if (wanted === undefined) return `the cluster has no group ${group} now`;
  if (wanted.value.role !== token.role) return `the group ${group} is no longer one of role ${token.role}`;
  const size = wanted.value.wanted.etcd?.size;
  if (token.role !== "control" || size === undefined) return undefined;
  const there = roster.filter((entry) => entry.role === "control" && entry.state !== "gone").length;
  return there >= size ? `the control group has its ${size} nodes; remove one first` : undefined;
}

async function refuse({ store, clock, random, say }: Admission, join: Join, why: string): Promise<void> {
  const { instance, address } = join;
  const before = (await readRecord(store, "joinAnswer", { instance }))?.value.refused;
  if (before === why) return;
  say(`join: ${instance} at ${address} is refused: ${why}`);
  await updateRecord(store, "joinAnswer", { instance }, () => ({
    instance,
    address,
    refused: why,
    since: clock.now(),
    nonce: random.hex(8),
  }));
}

/**
 * Answers everyone who asks to join and is in no roster yet, in the order of their instances. The store's server asks at
 * every round; it is the only one that does, and whatever it was killed in the middle of it completes at the next.
 */
export async function answerJoins(admission: Admission): Promise<Admitted> {
  const { store, clock, say } = admission;
  const keys = [...(await store.list("joins/")).keys()];
  const nothing = { admitted: [], refused: [] };
  if (keys.length === 0) return nothing;
  const known = await store.list("roster/");
  const open = keys
    .map((key) => key.slice("joins/".length))
    .filter((instance) => !known.has(keyOf("roster", { instance })));
  if (open.length === 0) return nothing;
  const [cluster, pointer, roster] = await Promise.all([
    readRecord(store, "cluster"),
    readRecord(store, "pointer"),
    listRecords(store, "roster"),
  ]);
  // Nobody is refused because the launch is not that far.
  if (cluster === undefined || pointer === undefined) return nothing;
  const entries = roster.map(({ value }) => value);
  const admitted: string[] = [];
  const refused: string[] = [];
  for (const instance of open) {
    const join = (await readRecord(store, "join", { instance }))?.value;
    if (join === undefined) continue;
    const token = (await readRecord(store, "joinToken", { id: join.token }))?.value;
    const why =
      refusalOf(token, entries, clock.now()) ??
      (token === undefined ? undefined : await groupRefusal(store, token, pointer.value.revision, entries));
    if (why !== undefined || token === undefined) {
      await refuse(admission, join, why ?? "its join token is not known");
      refused.push(instance);
      continue;
    }
    const { address, tokenHash } = join;
    const { group, role, id: joinToken } = token;
    const entry = await letIn(
      admission,
      { instance, address, group, role, tokenHash, joinToken },
      cluster.value,
      entries,
    );
    entries.push(entry);
    admitted.push(entry.node);
    say(`join: ${instance} at ${join.address} is ${entry.node}`);
  }
  return { admitted, refused };
}
