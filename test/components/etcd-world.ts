import { quorumOf } from "../../src/components/quorum.ts";
import { alive, decisions, moves, outside, perform } from "./etcd-moves.ts";
import { voters } from "./etcd-quorum.ts";
import {
  change,
  type Deciders,
  type EtcdSize,
  emptySlot,
  type EtcdState,
  key,
  type Slot,
  slotKey,
  slotOf,
} from "./etcd-state.ts";
import { joinView } from "./etcd-views.ts";
import type { World } from "./explore.ts";

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
    moves: (state, costly) => moves(size, deciders, state, costly),
    heal: (state) => change({ ...state, pending: undefined }, (slot) => (slot.cut ? { ...slot, cut: false } : slot)),
    calm: (state) => calm(size, deciders, state),
    judge: (state) => judge(size, deciders, state),
  };
}

/** The same step for the same state: the first that can act does; etcd moves when nobody else can. */
function calm(size: EtcdSize, deciders: Deciders, given: EtcdState): EtcdState | undefined {
  const leader = given.slots[given.leader];
  const keys = new Map(given.slots.map((slot) => [slot, slotKey(slot)]));
  const slots = given.slots.toSorted((one, two) => ((keys.get(one) ?? "") < (keys.get(two) ?? "") ? -1 : 1));
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
    return state.slots.filter((slot) => slot.state === "present" && slot.data === "-").length >= size.founders;
  const all = voters(state);
  const able = all.filter((slot) => alive(slot) && ((slot.data === "m" && slot.diskClaim !== "O") || canFound(slot)));
  return able.length >= quorumOf(all.length);
}

function canFound(slot: Slot): boolean {
  const claims = slot.storeClaim ? slot.diskClaim === "F" : slot.diskClaim === "-" || slot.diskClaim === "F";
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
      if (slot.member !== "-") return `the member of ${at}, which is ${slot.state}, is never removed`;
      continue;
    }
    const next = deciders.joinNext(joinView(size, state, at));
    if (next.kind !== "settled") return `${at} never settles: ${next.kind === "wait" ? next.why.text : next.act.kind}`;
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
