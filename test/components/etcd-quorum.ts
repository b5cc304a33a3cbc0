// etcd, as its documentation says it behaves.

import { quorumOf } from "../../src/components/quorum.ts";
import { type EtcdState, id, type Pending, put, type Ref, type Slot, slotOf } from "./etcd-state.ts";

/** Runs on the data of the member that is listed here, and can speak to the others. */
export function serves(slot: Slot): boolean {
  return slot.running && slot.data === "m" && !slot.cut;
}

export function voters(state: EtcdState): readonly Slot[] {
  return state.proposed ? state.slots.filter((slot) => slot.member === "voter") : [];
}

export function hasQuorum(state: EtcdState): boolean {
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
export function isHealthy(state: EtcdState, slot: Slot): boolean {
  if (slot.member !== "voter" || !slot.running || slot.data !== "m") return false;
  return slot.cut ? voters(state).length === 1 : hasQuorum(state);
}

/** Enough voters still have their data: what was acknowledged can still be read after a restart. */
export function keepsData(state: EtcdState): boolean {
  const all = voters(state);
  return all.length > 0 && all.filter((slot) => slot.data === "m").length >= quorumOf(all.length);
}

export function removeMember(state: EtcdState, at: number): EtcdState {
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
export function renamed(pending: Pending | undefined, from: string, to: string): Pending | undefined {
  if (pending === undefined) return undefined;
  const turn = (_: string, value: unknown): unknown => (value === from ? to : value);
  const renamedPending: Pending = JSON.parse(JSON.stringify(pending), turn);
  return renamedPending;
}
