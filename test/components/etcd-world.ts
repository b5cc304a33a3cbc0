import type { joinNext, JoinAct, JoinView } from "../../src/components/etcd/join.ts";
import type { Joined, ObservedMember } from "../../src/components/etcd/membership.ts";
import { peerUrl } from "../../src/components/etcd/membership.ts";
import type { tendNext, TendAct, TendView } from "../../src/components/etcd/tend.ts";
import { quorumOf } from "../../src/components/quorum.ts";
import { seen, unknown } from "../../src/components/reconciler.ts";
import type { RosterEntry } from "../../src/components/roster.ts";
import type { Move, World } from "./explore.ts";

/** The functions under test, so that mutants of them can be explored too. */
export type Deciders = { readonly joinNext: typeof joinNext; readonly tendNext: typeof tendNext };

export type Faults = {
  /** etcd stops; the node comes back (free: as often as it likes). */
  readonly crash?: boolean;
  /** The disk with data and claim is lost. */
  readonly lose?: boolean;
  /** The instance is gone for good and a new one has its name and address; with an empty disk, or with the old one's. */
  readonly replace?: boolean;
  readonly replaceKeepingDisk?: boolean;
  /** The instance is gone, and no other has its address. */
  readonly vanish?: boolean;
  /** The roster says that the instance leaves for good. */
  readonly leave?: boolean;
  /** Cut off from the store and from all others, and back (one at a time). */
  readonly partition?: boolean;
  /** The store forgets everything but the generation and the roster. */
  readonly storeLost?: boolean;
  /** One decision is carried out late, on a world that moved on. */
  readonly late?: boolean;
};

export type EtcdSize = {
  readonly founders: number;
  readonly slots: number;
  readonly present?: number;
  readonly faults: Faults;
};

/**
 * One address and what is there. Ids need no numbers: a member id is either that of the member that etcd lists at
 * this address ("m") or of one that it listed before ("x"); so states are the same under any renaming of addresses.
 */
type Ref = "-" | "m" | "x";
type Slot = {
  /** `-`: never used. */
  state: "-" | "present" | "leaving" | "gone";
  registered: boolean;
  /** The instance is on the list; its address is (perhaps through one that was here before). */
  listed: boolean;
  founder: boolean;
  storeClaim: boolean;
  /** F: a founder's claim that agrees with the store's (or has none to agree with); D: one that differs; O: another instance's. */
  diskClaim: "-" | "F" | "D" | "Lm" | "Lx" | "O";
  data: Ref;
  running: boolean;
  cut: boolean;
  joined: Ref;
  /** Another instance was here before; the member listed here is by record its. */
  before: boolean;
  beforeJoined: boolean;
  member: "-" | "voter" | "learner";
  named: boolean;
  /** The member listed here has started on an empty disk. */
  started: boolean;
  /** So has the member that the founding list made for this address. */
  founderStarted: boolean;
};
type Pending = { readonly at: number; readonly does: Does };
type Does =
  | { readonly kind: "join"; readonly act: JoinAct }
  | { readonly kind: "tend"; readonly act: TendAct };
export type EtcdState = {
  readonly slots: readonly Slot[];
  readonly proposed: boolean;
  /** Someone has recorded that it joined. */
  readonly anyJoined: boolean;
  readonly storeLost: boolean;
  readonly leader: number;
  readonly pending: Pending | undefined;
};

const emptySlot: Slot = {
  state: "-",
  registered: false,
  listed: false,
  founder: false,
  storeClaim: false,
  diskClaim: "-",
  data: "-",
  running: false,
  cut: false,
  joined: "-",
  before: false,
  beforeJoined: false,
  member: "-",
  named: false,
  started: false,
  founderStarted: false,
};

const clusterId = "c";
const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
const names = numbers.map((at) => ({
  address: `10.0.0.${at}`,
  instance: `i${at}`,
  previous: `i${at}-before`,
  node: `n${at}`,
  m: `m${at}`,
  x: `x${at}`,
  url: peerUrl(`10.0.0.${at}`),
}));
type Names = (typeof names)[number];
function nameOf(at: number, what: keyof Names): string {
  const found = names[at];
  if (found === undefined) throw new Error(`no names for slot ${at}`);
  return found[what];
}
const address = (at: number): string => nameOf(at, "address");
const instance = (at: number): string => nameOf(at, "instance");
const previous = (at: number): string => nameOf(at, "previous");
const node = (at: number): string => nameOf(at, "node");
const id = (at: number, ref: Ref): string => nameOf(at, ref === "m" ? "m" : "x");

export function etcdWorld(size: EtcdSize, deciders: Deciders): World<EtcdState> {
  const start: EtcdState = {
    slots: Array.from({ length: size.slots }, (_, at) => ({
      ...emptySlot,
      state: at < (size.present ?? size.slots) ? ("present" as const) : ("-" as const),
    })),
    proposed: false,
    anyJoined: false,
    storeLost: false,
    leader: -1,
    pending: undefined,
  };
  return {
    start,
    key,
    moves: (state) => moves(size, deciders, state),
    heal: (state) =>
      change({ ...state, pending: undefined }, (slot) =>
        slot.cut ? { ...slot, cut: false } : slot,
      ),
    calm: (state) => calm(size, deciders, state),
    judge: (state) => judge(size, deciders, state),
  };
}

function key(state: EtcdState): string {
  const rows = state.slots.map((slot, at) => slotKey(slot) + (at === state.leader ? "!" : ""));
  const flags = `${+state.proposed}${+state.anyJoined}${+state.storeLost}`;
  return state.pending === undefined
    ? rows.toSorted().join("|") + flags
    : `${rows.join("|")}${flags}${JSON.stringify(state.pending)}`;
}

const codes = {
  "-": 0,
  present: 1,
  leaving: 2,
  gone: 3,
  F: 1,
  D: 2,
  Lm: 3,
  Lx: 4,
  O: 5,
  m: 1,
  x: 2,
  voter: 1,
  learner: 2,
} as const;
function slotKey(slot: Slot): string {
  const bits =
    +slot.registered |
    (+slot.listed << 1) |
    (+slot.founder << 2) |
    (+slot.storeClaim << 3) |
    (+slot.running << 4) |
    (+slot.cut << 5) |
    (+slot.before << 6) |
    (+slot.beforeJoined << 7) |
    (+slot.named << 8) |
    (+slot.started << 9) |
    (+slot.founderStarted << 10);
  const more =
    codes[slot.state] |
    (codes[slot.diskClaim] << 2) |
    (codes[slot.data] << 5) |
    (codes[slot.joined] << 7) |
    (codes[slot.member] << 9);
  return String.fromCharCode(bits + 32, more + 32);
}

function change(state: EtcdState, turn: (slot: Slot, at: number) => Slot): EtcdState {
  return { ...state, slots: state.slots.map(turn) };
}

function put(state: EtcdState, at: number, fields: Partial<Slot>): EtcdState {
  return change(state, (slot, index) => (index === at ? { ...slot, ...fields } : slot));
}

function slotOf(state: EtcdState, at: number): Slot {
  const slot = state.slots[at];
  if (slot === undefined) throw new Error(`no slot ${at}`);
  return slot;
}

// --- etcd, as its documentation says it behaves ---

/** Runs on the data of the member that is listed here, and can speak to the others. */
function serves(slot: Slot): boolean {
  return slot.running && slot.data === "m" && !slot.cut;
}

function voters(state: EtcdState): readonly Slot[] {
  return state.proposed ? state.slots.filter((slot) => slot.member === "voter") : [];
}

function hasQuorum(state: EtcdState): boolean {
  if (!state.proposed) return false;
  let all = 0;
  let serving = 0;
  for (const slot of state.slots) {
    if (slot.member !== "voter") continue;
    all++;
    if (serves(slot)) serving++;
  }
  return all > 0 && serving >= quorumOf(all);
}

/** One that is cut off has quorum only when it is alone. */
function isHealthy(state: EtcdState, slot: Slot): boolean {
  if (slot.member !== "voter" || !slot.running || slot.data !== "m") return false;
  return slot.cut ? voters(state).length === 1 : hasQuorum(state);
}

/** Enough voters still have their data: what was acknowledged can still be read after a restart. */
function keepsData(state: EtcdState): boolean {
  const all = voters(state);
  return all.length > 0 && all.filter((slot) => slot.data === "m").length >= quorumOf(all.length);
}

function removeMember(state: EtcdState, at: number): EtcdState {
  const stale = (ref: Ref): Ref => (ref === "m" ? "x" : ref);
  const slot = slotOf(state, at);
  const moved = put(state, at, {
    member: "-",
    named: false,
    started: false,
    beforeJoined: false,
    data: stale(slot.data),
    joined: stale(slot.joined),
    diskClaim: slot.diskClaim === "Lm" ? "Lx" : slot.diskClaim,
    // A member that learns that it was removed stops.
    running: slot.running && slot.data !== "m",
  });
  const pending = renamed(state.pending, id(at, "m"), id(at, "x"));
  return { ...moved, leader: state.leader === at ? -1 : state.leader, pending };
}

/** A decision that waits still means what it meant when it was made. */
function renamed(pending: Pending | undefined, from: string, to: string): Pending | undefined {
  if (pending === undefined) return undefined;
  const turn = (_: string, value: unknown): unknown => (value === from ? to : value);
  const renamedPending: Pending = JSON.parse(JSON.stringify(pending), turn);
  return renamedPending;
}

// --- what one instance sees ---

function rosterOf(state: EtcdState): readonly RosterEntry[] {
  const entries: RosterEntry[] = [];
  state.slots.forEach((slot, at) => {
    const common = {
      node: node(at),
      group: "control",
      role: "control",
      address: address(at),
    } as const;
    // The dead come first, so that nobody may take the first match for the right one.
    if (slot.before) entries.push({ ...common, instance: previous(at), state: "gone" });
    if (slot.state !== "-") entries.push({ ...common, instance: instance(at), state: slot.state });
  });
  return entries;
}

function joinedOf(state: EtcdState): readonly Joined[] {
  const records: Joined[] = [];
  state.slots.forEach((slot, at) => {
    if (slot.joined !== "-")
      records.push({ instance: instance(at), clusterId, memberId: id(at, slot.joined) });
    if (slot.beforeJoined)
      records.push({ instance: previous(at), clusterId, memberId: id(at, "m") });
  });
  // Records of instances that are gone and whose members are out stay in the store.
  if (state.anyJoined && records.length === 0)
    records.push({ instance: "i-past", clusterId, memberId: "past" });
  return records;
}

function membersOf(state: EtcdState): readonly ObservedMember[] {
  return state.slots.flatMap((slot, at) =>
    slot.member === "-"
      ? []
      : [
          {
            id: id(at, "m"),
            name: slot.named ? node(at) : "",
            peerUrls: [nameOf(at, "url")],
            learner: slot.member === "learner",
            healthy: slot.cut
              ? unknown("no answer")
              : seen(slot.member === "learner" ? serves(slot) : isHealthy(state, slot)),
          },
        ],
  );
}

function founderAt(at: number): { instance: string; node: string; address: string } {
  return { instance: instance(at), node: node(at), address: address(at) };
}

/** What all who can look see alike. */
type Common = Pick<
  JoinView,
  "generation" | "roster" | "registrations" | "proposal" | "joined" | "cluster"
>;
let last: { readonly state: EtcdState; readonly common: Common } | undefined;
function commonOf(state: EtcdState): Common {
  if (last?.state === state) return last.common;
  const common: Common = {
    generation: seen("open"),
    roster: seen(rosterOf(state)),
    registrations: seen(
      state.slots.flatMap((slot, other) => (slot.registered ? [founderAt(other)] : [])),
    ),
    proposal: seen(
      state.proposed
        ? state.slots.flatMap((slot, other) =>
            slot.founder
              ? [{ ...founderAt(other), instance: slot.listed ? instance(other) : previous(other) }]
              : [],
          )
        : undefined,
    ),
    joined: seen(joinedOf(state)),
    cluster: hasQuorum(state)
      ? seen({ clusterId, members: membersOf(state) })
      : unknown("nobody answers"),
  };
  last = { state, common };
  return common;
}
const cutOff = unknown("cut off");
const dark: Common = {
  generation: cutOff,
  roster: cutOff,
  registrations: cutOff,
  proposal: cutOff,
  joined: cutOff,
  cluster: cutOff,
};

export function joinView(size: EtcdSize, state: EtcdState, at: number): JoinView {
  const me = slotOf(state, at);
  const common = me.cut ? dark : commonOf(state);
  const others =
    common.cluster.kind === "seen" &&
    state.slots.some((slot, other) => other !== at && slot.member === "voter" && serves(slot));
  const base = { generation: "g", instance: me.diskClaim === "O" ? previous(at) : instance(at) };
  const claim =
    me.diskClaim === "-"
      ? undefined
      : me.diskClaim === "Lm" || me.diskClaim === "Lx"
        ? ({
            ...base,
            kind: "learner",
            memberId: id(at, me.diskClaim === "Lm" ? "m" : "x"),
          } as const)
        : ({ ...base, kind: "founder", claim: me.diskClaim === "F" ? "one" : "two" } as const);
  return {
    me: { instance: instance(at), node: node(at), address: address(at), generation: "g" },
    founders: size.founders,
    ...common,
    claim: me.cut ? cutOff : seen(me.storeClaim ? "one" : undefined),
    disk: seen({ claim, data: me.data !== "-" }),
    process: seen(
      me.running
        ? {
            kind: "answers",
            clusterId,
            memberId: id(at, me.data),
            learner: me.member === "learner",
            healthy: isHealthy(state, me),
          }
        : { kind: "stopped" },
    ),
    cluster: others ? common.cluster : unknown("nobody answers"),
  };
}

/** Only a healthy voter tends. */
export function tendView(state: EtcdState, at: number): TendView | undefined {
  const me = slotOf(state, at);
  if (!isHealthy(state, me)) return undefined;
  const { roster, joined } = me.cut ? dark : commonOf(state);
  return {
    me: { instance: instance(at), memberId: id(at, "m") },
    roster,
    joined,
    members: seen(membersOf(state).map((member) => ({ ...member, inSync: member.healthy }))),
    leader: seen(state.leader < 0 ? undefined : id(state.leader, "m")),
  };
}

// --- what an act does ---

type Done = { readonly state: EtcdState; readonly broken?: string };

function slotOfMember(state: EtcdState, memberId: string): number | undefined {
  const at = Number(memberId.slice(1));
  return memberId.startsWith("m") && slotOf(state, at).member !== "-" ? at : undefined;
}

function performJoin(size: EtcdSize, state: EtcdState, at: number, act: JoinAct): Done {
  const me = slotOf(state, at);
  if (state.storeLost && !state.proposed && me.data !== "-" && !me.cut) {
    return { state, broken: "a node with data takes an empty store for its own" };
  }
  switch (act.kind) {
    case "register":
      return { state: put(state, at, { registered: true }) };
    case "propose": {
      if (state.proposed) return { state };
      const chosen = new Set(act.members.map((member) => member.instance));
      const known = state.slots.filter(
        (slot, other) =>
          ((slot.registered || size.faults.late === true) && chosen.has(instance(other))) ||
          chosen.has(previous(other)),
      );
      // What was decided late may be about instances that are gone by now.
      const dead = known.some((slot) => slot.state !== "present") && size.faults.late !== true;
      if (chosen.size !== size.founders || known.length !== chosen.size || dead) {
        return {
          state,
          broken:
            "founded on a list that is not as many registered and present instances as the file asks for",
        };
      }
      if (state.slots.some((slot) => slot.data !== "-" && slot.state !== "gone"))
        return { state, broken: "a second cluster is founded beside data" };
      const fresh = {
        founder: true,
        member: "voter",
        named: false,
        started: false,
        founderStarted: false,
      } as const;
      const listed = change(state, (slot, other) =>
        chosen.has(instance(other)) || chosen.has(previous(other))
          ? { ...slot, ...fresh, listed: chosen.has(instance(other)) }
          : slot,
      );
      return { state: { ...listed, proposed: true } };
    }
    case "claimOnDisk":
      return me.diskClaim === "-"
        ? { state: put(state, at, { diskClaim: me.storeClaim ? "D" : "F" }) }
        : { state };
    case "claimInStore":
      return me.storeClaim
        ? { state }
        : { state: put(state, at, { storeClaim: true, diskClaim: me.diskClaim }) };
    case "startFounder": {
      if (me.data !== "-") return startExisting(state, at);
      const list = act.members
        .map((member) => member.peerUrl)
        .toSorted()
        .join();
      const real = state.slots
        .flatMap((slot, other) => (slot.founder ? [peerUrl(address(other))] : []))
        .toSorted()
        .join();
      if (list !== real)
        return {
          state,
          broken: "a second cluster: a founder starts with another list than the proposed one",
        };
      if (!me.founder) return { state, broken: "one that is not on the list starts as a founder" };
      if (me.founderStarted)
        return {
          state,
          broken: "a member that had data starts again from nothing (acknowledged writes are lost)",
        };
      // The member that the list made is the one that is still listed only while nothing was removed here.
      const ours = me.member === "voter" && !me.started;
      return {
        state: put(state, at, {
          data: ours ? "m" : "x",
          running: ours,
          started: me.started || ours,
          founderStarted: true,
        }),
        ...(ours
          ? {}
          : { broken: "a founder starts as a member that is not in the cluster any more" }),
      };
    }
    case "startExisting":
      return startExisting(state, at);
    case "startLearner": {
      if (me.data !== "-") return startExisting(state, at);
      if (!hasQuorum(state) || me.cut || me.member === "-") return { state };
      if (me.started) return { state, broken: "a member that had data starts again from nothing" };
      if (me.member !== "learner")
        return { state, broken: "starts as a learner where etcd has a voter" };
      return { state: put(state, at, { data: "m", running: true, started: true }) };
    }
    case "addLearner": {
      const added = addLearner(state, at);
      return { state: added === undefined ? state : put(added, at, { diskClaim: "Lm" }) };
    }
    case "removeOldMember":
      return remove(state, at, act.memberId);
    case "recordJoined":
      return me.cut
        ? { state }
        : {
            state: {
              ...put(state, at, { joined: act.memberId === id(at, "m") ? "m" : "x" }),
              anyJoined: true,
            },
          };
    case "discardData":
      return { state: put(state, at, { data: "-", running: false, diskClaim: "-" }) };
  }
}

function startExisting(state: EtcdState, at: number): Done {
  const me = slotOf(state, at);
  if (me.data === "-") return { state, broken: "starts on data that is not there" };
  if (me.diskClaim === "O") return { state, broken: "starts on another instance's data" };
  // etcd stops at once when it finds that it was removed.
  return { state: me.data === "m" ? put(state, at, { running: true }) : state };
}

function addLearner(state: EtcdState, at: number): EtcdState | undefined {
  const me = slotOf(state, at);
  if (
    me.cut ||
    !hasQuorum(state) ||
    me.member !== "-" ||
    state.slots.some((slot) => slot.member === "learner")
  )
    return undefined;
  return put(state, at, { member: "learner", named: false, started: false });
}

function remove(state: EtcdState, by: number, memberId: string): Done {
  const target = slotOfMember(state, memberId);
  if (target === undefined || slotOf(state, by).cut || !hasQuorum(state)) return { state };
  return { state: removeMember(state, target) };
}

function performTend(state: EtcdState, at: number, act: TendAct): Done {
  switch (act.kind) {
    case "removeMember": {
      const target = slotOfMember(state, act.memberId);
      const slot = target === undefined ? undefined : slotOf(state, target);
      const done = remove(state, at, act.memberId);
      const alive =
        slot !== undefined &&
        slot.state === "present" &&
        !slot.beforeJoined &&
        !(slot.before && slot.data !== "m");
      return alive && done.state !== state
        ? { ...done, broken: "a member is removed whose instance is neither gone nor leaving" }
        : done;
    }
    case "promote": {
      const target = slotOfMember(state, act.memberId);
      if (target === undefined || slotOf(state, target).member !== "learner" || !hasQuorum(state))
        return { state };
      // etcd's own check: only a learner that follows the leader.
      if (!serves(slotOf(state, target))) return { state };
      return { state: put(state, target, { member: "voter" }) };
    }
    case "moveLeader": {
      const target = slotOfMember(state, act.to);
      return target === undefined || !serves(slotOf(state, target))
        ? { state }
        : { state: { ...state, leader: target } };
    }
  }
}

/** No step of ours may cost the quorum of the healthy, nor the majority that has the data. */
function guarded(before: EtcdState, done: Done): Done {
  if (done.broken !== undefined) return done;
  if (hasQuorum(before) && !hasQuorum(done.state))
    return { ...done, broken: "a step of ours takes a healthy quorum away" };
  if (before.anyJoined && keepsData(before) && !keepsData(done.state))
    return { ...done, broken: "a step of ours takes the majority with data away" };
  const learner = before.slots.some((slot) => slot.member === "learner");
  for (let at = 0; at < before.slots.length; at++) {
    const was = slotOf(before, at);
    const is = slotOf(done.state, at);
    if (learner && was.member === "voter" && is.member === "-")
      return { ...done, broken: "a voter is removed while a learner catches up" };
    const heir = before.slots.some(
      (slot, other) =>
        other !== at && slot.state === "present" && slot.member === "voter" && serves(slot),
    );
    if (heir && before.leader === at && serves(was) && was.member === "voter" && is.member === "-")
      return { ...done, broken: "the leader is removed while another could lead" };
    if (
      was.member === "-" &&
      is.member === "learner" &&
      before.slots.some((slot) => slot.state === "gone" && slot.member !== "-")
    ) {
      return { ...done, broken: "a new member comes in before the dead one is out" };
    }
  }
  return done;
}

// --- how the world moves ---

function alive(slot: Slot): boolean {
  return slot.state === "present" || slot.state === "leaving";
}

function* decisions(
  size: EtcdSize,
  deciders: Deciders,
  state: EtcdState,
): Generator<{ at: number; does: Does }> {
  for (let at = 0; at < state.slots.length; at++) {
    // One agent does one thing after another.
    if (!alive(slotOf(state, at)) || state.pending?.at === at) continue;
    const join = deciders.joinNext(joinView(size, state, at));
    if (join.kind === "act") yield { at, does: { kind: "join", act: join.act } };
    const view = tendView(state, at);
    const tend = view === undefined ? undefined : deciders.tendNext(view);
    if (tend?.kind === "act") yield { at, does: { kind: "tend", act: tend.act } };
  }
}

function perform(size: EtcdSize, state: EtcdState, at: number, does: Does): Done {
  return guarded(
    state,
    does.kind === "join"
      ? performJoin(size, state, at, does.act)
      : performTend(state, at, does.act),
  );
}

function* moves(size: EtcdSize, deciders: Deciders, state: EtcdState): Generator<Move<EtcdState>> {
  const { faults } = size;
  for (const { at, does } of decisions(size, deciders, state)) {
    const name = `${at} ${does.act.kind}`;
    yield { name, cost: 0, ...perform(size, state, at, does) };
    if (does.act.kind === "addLearner") {
      // Killed after etcd has agreed, before the claim is on disk.
      const added = addLearner(state, at);
      if (added !== undefined) yield { name: `${name}, answer lost`, cost: 0, state: added };
    }
    if (faults.late === true && state.pending === undefined) {
      yield {
        name: `${at} decides to ${does.act.kind}`,
        cost: 1,
        state: { ...state, pending: { at, does } },
      };
    }
  }
  if (state.pending !== undefined) yield late(size, state, state.pending);
  yield* outside(state);
  for (let at = 0; at < state.slots.length; at++) yield* faultsAt(size, state, at);
  if (faults.storeLost === true && !state.storeLost) {
    const forgotten = change(state, (slot) => ({
      ...slot,
      registered: false,
      listed: false,
      storeClaim: false,
      joined: "-" as const,
      beforeJoined: false,
    }));
    // etcd itself goes on: only what we wrote down is lost.
    yield {
      name: "the store forgets",
      cost: 1,
      state: { ...forgotten, proposed: false, anyJoined: false, storeLost: true },
    };
  }
}

/** etcd refuses late membership changes itself when they would cost its quorum (strict-reconfig-check). */
function late(size: EtcdSize, state: EtcdState, pending: Pending): Move<EtcdState> {
  const { at, does } = pending;
  const rest = { ...state, pending: undefined };
  // Starting "on what is there" fails when nothing is there any more: the unit must see to that itself.
  const { data, diskClaim } = slotOf(rest, at);
  const missing =
    (does.act.kind === "startExisting" && data === "-") ||
    (does.act.kind.startsWith("start") && diskClaim === "-");
  if (missing) return { name: `${at} cannot start`, cost: 0, state: rest };
  const done =
    does.kind === "join" ? performJoin(size, rest, at, does.act) : performTend(rest, at, does.act);
  const membership =
    does.act.kind === "removeMember" ||
    does.act.kind === "removeOldMember" ||
    does.act.kind === "promote";
  const refused = membership && hasQuorum(rest) && !hasQuorum(done.state);
  return {
    name: `${at} carries out ${does.act.kind}`,
    cost: 0,
    ...(refused ? { state: rest } : guarded(rest, done)),
  };
}

/** What etcd does by itself: elect, and let members make their names known. */
function* outside(state: EtcdState): Generator<Move<EtcdState>> {
  if (!hasQuorum(state)) return;
  const leader = state.slots[state.leader];
  if (
    state.slots.some((slot) => slot.state === "leaving") &&
    (leader === undefined || !serves(leader) || leader.member !== "voter")
  ) {
    for (let at = 0; at < state.slots.length; at++) {
      const slot = slotOf(state, at);
      if (slot.member === "voter" && serves(slot))
        yield { name: `${at} is elected`, cost: 0, state: { ...state, leader: at } };
    }
  }
  for (let at = 0; at < state.slots.length; at++) {
    const slot = slotOf(state, at);
    if (serves(slot) && !slot.named)
      yield { name: `${at} is named`, cost: 0, state: put(state, at, { named: true }) };
  }
}

/** A new instance at an address: all that the old one wrote about itself stays behind under the old one's name. */
function renewed(slot: Slot, keepDisk: boolean): Slot {
  return {
    ...slot,
    state: "present",
    registered: false,
    listed: false,
    storeClaim: false,
    diskClaim: keepDisk && slot.diskClaim !== "-" ? "O" : "-",
    data: keepDisk ? slot.data : "-",
    running: false,
    cut: false,
    joined: "-",
    before: true,
    beforeJoined: slot.joined === "m" || slot.beforeJoined,
  };
}

/** What an agent's undone decision does not survive. */
const dies = new Set(["crashes", "replaced", "replaced, keeps the disk", "vanishes"]);

function* faultsAt(size: EtcdSize, state: EtcdState, at: number): Generator<Move<EtcdState>> {
  const { faults } = size;
  const slot = slotOf(state, at);
  const move = (name: string, cost: 0 | 1, next: EtcdState): Move<EtcdState> => ({
    name: `${at} ${name}`,
    cost,
    state:
      next.pending?.at === at && dies.has(name)
        ? { ...next, pending: undefined }
        : name.startsWith("replaced")
          ? { ...next, pending: renamed(next.pending, instance(at), previous(at)) }
          : next,
  });
  if (slot.state === "-") yield move("is added", 1, put(state, at, { state: "present" }));
  if (!alive(slot)) return;
  if (faults.crash === true && slot.running)
    yield move("crashes", 0, put(state, at, { running: false }));
  if (faults.partition === true) {
    if (slot.cut) yield move("is back", 0, put(state, at, { cut: false }));
    else if (!state.slots.some((other) => other.cut))
      yield move("is cut off", 0, put(state, at, { cut: true }));
  }
  if (faults.lose === true && (slot.data !== "-" || slot.diskClaim !== "-")) {
    yield move("loses its disk", 1, put(state, at, { data: "-", diskClaim: "-", running: false }));
  }
  if (faults.replace === true)
    yield move(
      "replaced",
      1,
      change(state, (other, index) => (index === at ? renewed(other, false) : other)),
    );
  if (faults.replaceKeepingDisk === true) {
    yield move(
      "replaced, keeps the disk",
      1,
      change(state, (other, index) => (index === at ? renewed(other, true) : other)),
    );
  }
  if (faults.vanish === true)
    yield move(
      "vanishes",
      1,
      put(state, at, { state: "gone", running: false, data: "-", diskClaim: "-", cut: false }),
    );
  if (faults.leave === true && slot.state === "present")
    yield move("is to leave", 1, put(state, at, { state: "leaving" }));
}

// --- when the faults have stopped ---

/** The same step for the same state: the first that can act does; etcd moves when nobody else can. */
function calm(size: EtcdSize, deciders: Deciders, given: EtcdState): EtcdState | undefined {
  const leader = given.slots[given.leader];
  const keys = new Map(given.slots.map((slot) => [slot, slotKey(slot)]));
  const slots = given.slots.toSorted((one, two) =>
    (keys.get(one) ?? "") < (keys.get(two) ?? "") ? -1 : 1,
  );
  const state = { ...given, slots, leader: leader === undefined ? -1 : slots.indexOf(leader) };
  for (const { at, does } of decisions(size, deciders, state)) {
    const next = perform(size, state, at, does).state;
    if (key(next) !== key(state)) return next;
  }
  for (const move of outside(state)) return move.state;
  return undefined;
}

/** Whether what is left can make a quorum: data, or founders that never started. */
function recoverable(size: EtcdSize, state: EtcdState): boolean {
  if (state.storeLost) return false;
  if (!state.proposed)
    return (
      state.slots.filter((slot) => slot.state === "present" && slot.data === "-").length >=
      size.founders
    );
  const all = voters(state);
  const able = all.filter(
    (slot) => alive(slot) && ((slot.data === "m" && slot.diskClaim !== "O") || canFound(slot)),
  );
  return able.length >= quorumOf(all.length);
}

function canFound(slot: Slot): boolean {
  const claims = slot.storeClaim
    ? slot.diskClaim === "F"
    : slot.diskClaim === "-" || slot.diskClaim === "F";
  return (
    slot.state === "present" &&
    slot.listed &&
    slot.data === "-" &&
    slot.joined === "-" &&
    !slot.founderStarted &&
    claims
  );
}

function judge(size: EtcdSize, deciders: Deciders, state: EtcdState): string | undefined {
  const present = state.slots.filter((slot) => slot.state === "present");
  if (present.length === 0) return undefined;
  if (!recoverable(size, state)) return explained(size, deciders, state);
  for (let at = 0; at < state.slots.length; at++) {
    const slot = slotOf(state, at);
    if (slot.state !== "present") {
      if (slot.member !== "-")
        return `the member of ${at}, which is ${slot.state}, is never removed`;
      continue;
    }
    const next = deciders.joinNext(joinView(size, state, at));
    if (next.kind !== "settled")
      return `${at} never settles: ${next.kind === "wait" ? next.why.text : next.act.kind}`;
    if (slot.member !== "voter") return `${at} settles without a vote`;
  }
  return undefined;
}

/** Where only a person can help, every instance that waits says why, and once there was data, what to run. */
function explained(size: EtcdSize, deciders: Deciders, state: EtcdState): string | undefined {
  for (let at = 0; at < state.slots.length; at++) {
    if (slotOf(state, at).state !== "present") continue;
    const next = deciders.joinNext(joinView(size, state, at));
    // Before anything was founded, a store that forgot is as good as a new one.
    if (state.storeLost && next.kind === "settled") continue;
    if (next.kind !== "wait") return `${at} is ${next.kind} although nothing can help it`;
    if (state.anyJoined && !state.storeLost && !next.why.text.includes("slipway restore"))
      return `${at} does not say what to run: ${next.why.text}`;
  }
  return undefined;
}
