// How the world moves: steps of ours, of etcd, and faults.

import { addLearner, type Done, guarded, performJoin, performTend } from "./etcd-acts.ts";
import { hasQuorum, renamed, serves } from "./etcd-quorum.ts";
import {
  change,
  type Deciders,
  type Does,
  type EtcdSize,
  type EtcdState,
  type Faults,
  instance,
  type Pending,
  previous,
  put,
  type Slot,
  slotOf,
} from "./etcd-state.ts";
import { joinView, tendView } from "./etcd-views.ts";
import type { Move } from "./explore.ts";

export function alive(slot: Slot): boolean {
  return slot.state === "present" || slot.state === "leaving";
}

export function* decisions(
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

export function perform(size: EtcdSize, state: EtcdState, at: number, does: Does): Done {
  return guarded(
    state,
    does.kind === "join" ? performJoin(size, state, at, does.act) : performTend(state, at, does.act),
  );
}

export function* moves(
  size: EtcdSize,
  deciders: Deciders,
  state: EtcdState,
  costly: boolean,
): Generator<Move<EtcdState>> {
  const { crash = false, partition = false } = size.faults;
  const faults: Faults = costly ? size.faults : { crash, partition };
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
  for (let at = 0; at < state.slots.length; at++) yield* faultsAt(faults, state, at, costly);
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
    (does.act.kind === "startExisting" && data === "-") || (does.act.kind.startsWith("start") && diskClaim === "-");
  if (missing) return { name: `${at} cannot start`, cost: 0, state: rest };
  const done = does.kind === "join" ? performJoin(size, rest, at, does.act) : performTend(rest, at, does.act);
  const membership =
    does.act.kind === "removeMember" || does.act.kind === "removeOldMember" || does.act.kind === "promote";
  const refused = membership && hasQuorum(rest) && !hasQuorum(done.state);
  return {
    name: `${at} carries out ${does.act.kind}`,
    cost: 0,
    ...(refused ? { state: rest } : guarded(rest, done)),
  };
}

/** What etcd does by itself: elect, and let members make their names known. */
export function* outside(state: EtcdState): Generator<Move<EtcdState>> {
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
    if (serves(slot) && !slot.named) yield { name: `${at} is named`, cost: 0, state: put(state, at, { named: true }) };
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

function* faultsAt(faults: Faults, state: EtcdState, at: number, costly: boolean): Generator<Move<EtcdState>> {
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
  if (slot.state === "-" && costly) yield move("is added", 1, put(state, at, { state: "present" }));
  if (!alive(slot)) return;
  if (faults.crash === true && slot.running) yield move("crashes", 0, put(state, at, { running: false }));
  if (faults.partition === true) {
    if (slot.cut) yield move("is back", 0, put(state, at, { cut: false }));
    else if (!state.slots.some((other) => other.cut)) yield move("is cut off", 0, put(state, at, { cut: true }));
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
    yield move("vanishes", 1, put(state, at, { state: "gone", running: false, data: "-", diskClaim: "-", cut: false }));
  if (faults.leave === true && slot.state === "present")
    yield move("is to leave", 1, put(state, at, { state: "leaving" }));
}
