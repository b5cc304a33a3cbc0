import { guard } from "../quorum.ts";
import { act, settled, wait, type Next, type Seen } from "../reconciler.ts";
import type { Roster, RosterEntry } from "../roster.ts";
import { ownerOf, quorumMembers, type Joined, type ObservedMember } from "./membership.ts";

/** What a control instance whose own member is a healthy voter sees of the whole cluster. */
export type TendView = {
  readonly me: { readonly instance: string; readonly memberId: string };
  /** For reports only; empty when it could not be asked. */
  readonly clusterId: string;
  readonly roster: Seen<Roster>;
  readonly joined: Seen<readonly Joined[]>;
  /** From a linearizable read of the member list, with each member's own answer. */
  readonly members: Seen<readonly TendedMember[]>;
  /** The leader's member id; `undefined`: there is none now. */
  readonly leader: Seen<string | undefined>;
};
export type TendedMember = ObservedMember & {
  /** Learners only: its applied index is close behind the leader's. etcd refuses the promotion itself when it is not. */
  readonly inSync: Seen<boolean>;
};

export type TendAct =
  | { readonly kind: "promote"; readonly memberId: string }
  /** The member of an instance that is gone or leaves for good; absent already is success. */
  | { readonly kind: "removeMember"; readonly memberId: string; readonly instance: string }
  /** Through the leader's own endpoint; not the leader any more is success. */
  | { readonly kind: "moveLeader"; readonly from: string; readonly to: string };

/** The next step in keeping the member list equal to the roster; pure. Any control member may ask, all acts are idempotent. */
export function tendNext(view: TendView): Next<TendAct> {
  if (view.members.kind === "unknown") return wait(`cannot see the etcd members: ${view.members.why}`);
  if (view.roster.kind === "unknown") return wait(`cannot read the roster: ${view.roster.why}`);
  if (view.joined.kind === "unknown") return wait(`cannot read who joined: ${view.joined.why}`);
  const members = view.members.value;
  const joined = view.joined.value;
  const roster = view.roster.value;
  const owned = members.map((member) => ({ member, owner: ownerOf(member, joined, roster) }));

  // One change in flight: a learner is seen through (or out) before anything else moves.
  const learner = owned.find(({ member }) => member.learner);
  if (learner !== undefined) return tendLearner(members, learner.member, learner.owner);

  // Removing the dead first gives quorum back before healthy members leave.
  const gone = owned.find(({ owner }) => owner?.state === "gone");
  if (gone?.owner !== undefined) return remove(members, gone.member, gone.owner);
  const leaving = owned.filter(({ owner }) => owner?.state === "leaving");
  const next =
    leaving.find(({ member }) => view.leader.kind === "seen" && member.id !== view.leader.value) ?? leaving[0];
  if (next?.owner === undefined) return settled;
  if (view.leader.kind === "unknown") return wait(`cannot see the etcd leader: ${view.leader.why}`);
  if (view.leader.value === undefined) return wait("etcd has no leader now");
  if (next.member.id === view.leader.value) {
    const heir = owned.find(({ member, owner }) => owner?.state === "present" && isHealthy(member));
    if (heir !== undefined) return act({ kind: "moveLeader", from: next.member.id, to: heir.member.id });
  }
  return remove(members, next.member, next.owner);
}

function tendLearner(
  members: readonly TendedMember[],
  learner: TendedMember,
  owner: RosterEntry | undefined,
): Next<TendAct> {
  if (owner === undefined) return wait(`learner ${learner.id} belongs to no instance of the roster`);
  if (owner.state !== "present") return remove(members, learner, owner);
  const ready = isHealthy(learner) && learner.name !== "" && learner.inSync.kind === "seen" && learner.inSync.value;
  if (!ready) return wait(`learner ${owner.node} catches up`);
  const verdict = guard({ kind: "seen", value: quorumMembers(members) }, { kind: "promote", id: learner.id });
  if (!verdict.allowed) return wait(`learner ${owner.node} cannot be promoted yet: ${verdict.why}`);
  return act({ kind: "promote", memberId: learner.id });
}

function remove(members: readonly TendedMember[], member: TendedMember, owner: RosterEntry): Next<TendAct> {
  const verdict = guard({ kind: "seen", value: quorumMembers(members) }, { kind: "remove", id: member.id });
  if (!verdict.allowed)
    return wait(`the member of ${owner.node}, which is ${owner.state}, cannot be removed yet: ${verdict.why}`);
  return act({ kind: "removeMember", memberId: member.id, instance: owner.instance });
}

function isHealthy(member: ObservedMember): boolean {
  return member.healthy.kind === "seen" && member.healthy.value;
}
