// What an act does to the world, and what it must never do.

import type { JoinAct } from "../../src/components/etcd/join.ts";
import { peerUrl } from "../../src/components/etcd/membership.ts";
import type { TendAct } from "../../src/components/etcd/tend.ts";
import { hasQuorum, keepsData, removeMember, serves } from "./etcd-quorum.ts";
import { address, change, type EtcdSize, type EtcdState, id, instance, previous, put, slotOf } from "./etcd-state.ts";

export type Done = { readonly state: EtcdState; readonly broken?: string };

function slotOfMember(state: EtcdState, memberId: string): number | undefined {
  const at = Number(memberId.slice(1));
  return memberId.startsWith("m") && slotOf(state, at).member !== "-" ? at : undefined;
}

export function performJoin(size: EtcdSize, state: EtcdState, at: number, act: JoinAct): Done {
  const me = slotOf(state, at);
  if (state.storeLost && !state.proposed && me.data !== "-" && !me.cut && size.faults.late !== true) {
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
          broken: "founded on a list that is not as many registered and present instances as the file asks for",
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
      return me.diskClaim === "-" ? { state: put(state, at, { diskClaim: me.storeClaim ? "D" : "F" }) } : { state };
    case "claimInStore":
      return me.storeClaim ? { state } : { state: put(state, at, { storeClaim: true, diskClaim: me.diskClaim }) };
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
        ...(ours ? {} : { broken: "a founder starts as a member that is not in the cluster any more" }),
      };
    }
    case "startExisting":
      return startExisting(state, at);
    case "startLearner": {
      if (me.data !== "-") return startExisting(state, at);
      if (!hasQuorum(state) || me.cut || me.member === "-") return { state };
      if (me.started) return { state, broken: "a member that had data starts again from nothing" };
      if (me.member !== "learner") return { state, broken: "starts as a learner where etcd has a voter" };
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

export function addLearner(state: EtcdState, at: number): EtcdState | undefined {
  const me = slotOf(state, at);
  if (me.cut || !hasQuorum(state) || me.member !== "-" || state.slots.some((slot) => slot.member === "learner"))
    return undefined;
  return put(state, at, { member: "learner", named: false, started: false });
}

function remove(state: EtcdState, by: number, memberId: string): Done {
  const target = slotOfMember(state, memberId);
  if (target === undefined || slotOf(state, by).cut || !hasQuorum(state)) return { state };
  return { state: removeMember(state, target) };
}

export function performTend(state: EtcdState, at: number, act: TendAct): Done {
  switch (act.kind) {
    case "removeMember": {
      const target = slotOfMember(state, act.memberId);
      const slot = target === undefined ? undefined : slotOf(state, target);
      const done = remove(state, at, act.memberId);
      const alive =
        slot !== undefined && slot.state === "present" && !slot.beforeJoined && !(slot.before && slot.data !== "m");
      return alive && done.state !== state
        ? { ...done, broken: "a member is removed whose instance is neither gone nor leaving" }
        : done;
    }
    case "promote": {
      const target = slotOfMember(state, act.memberId);
      if (target === undefined || slotOf(state, target).member !== "learner" || !hasQuorum(state)) return { state };
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
export function guarded(before: EtcdState, done: Done): Done {
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
      (slot, other) => other !== at && slot.state === "present" && slot.member === "voter" && serves(slot),
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
