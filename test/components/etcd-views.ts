// What one instance sees.

import type { JoinView } from "../../src/components/etcd/join.ts";
import type { Joined, ObservedMember } from "../../src/components/etcd/membership.ts";
import type { TendView } from "../../src/components/etcd/tend.ts";
import { seen, unknown } from "../../src/components/reconciler.ts";
import type { RosterEntry } from "../../src/components/roster.ts";
import { hasQuorum, isHealthy, serves } from "./etcd-quorum.ts";
import {
  address,
  clusterId,
  type EtcdSize,
  type EtcdState,
  id,
  instance,
  nameOf,
  node,
  previous,
  slotOf,
} from "./etcd-state.ts";

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
    if (slot.joined !== "-") records.push({ instance: instance(at), clusterId, memberId: id(at, slot.joined) });
    if (slot.beforeJoined) records.push({ instance: previous(at), clusterId, memberId: id(at, "m") });
  });
  // Records of instances that are gone and whose members are out stay in the store.
  if (state.anyJoined && records.length === 0) records.push({ instance: "i-past", clusterId, memberId: "past" });
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
type Common = Pick<JoinView, "generation" | "roster" | "registrations" | "proposal" | "joined" | "cluster">;
let last: { readonly state: EtcdState; readonly common: Common } | undefined;
function commonOf(state: EtcdState): Common {
  if (last?.state === state) return last.common;
  const common: Common = {
    generation: seen("open"),
    roster: seen(rosterOf(state)),
    registrations: seen(state.slots.flatMap((slot, other) => (slot.registered ? [founderAt(other)] : []))),
    proposal: seen(
      state.proposed
        ? state.slots.flatMap((slot, other) =>
            slot.founder ? [{ ...founderAt(other), instance: slot.listed ? instance(other) : previous(other) }] : [],
          )
        : undefined,
    ),
    joined: seen(joinedOf(state)),
    cluster: hasQuorum(state) ? seen({ clusterId, members: membersOf(state) }) : unknown("nobody answers"),
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
    clusterId: "",
    me: { instance: instance(at), memberId: id(at, "m") },
    roster,
    joined,
    members: seen(membersOf(state).map((member) => ({ ...member, inSync: member.healthy }))),
    leader: seen(state.leader < 0 ? undefined : id(state.leader, "m")),
  };
}
