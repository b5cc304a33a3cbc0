import type { Seen } from "./reconciler.ts";

/** A member of a quorum system: an etcd member, or a Swarm manager. */
export type QuorumMember = {
  readonly id: string;
  /** Learners do not vote. */
  readonly voter: boolean;
  /** Only a member seen healthy counts; unknown counts as not healthy. */
  readonly healthy: Seen<boolean>;
};

/**
 * `stop`: the member's process stops and comes back (stop, reboot, restart); `replace`: it never comes back as it was;
 * `remove`: it leaves the member list; `promote`: a learner becomes a voter.
 */
export type QuorumChange = {
  readonly kind: "stop" | "replace" | "remove" | "promote";
  readonly id: string;
};

/**
 * `because` is for programs: `unknown` (could not look: wait), `in-flight` (another change is under way: wait),
 * `quorum` (would lose it, or it is lost), `only-voter` (no change of this kind can ever keep quorum: it takes the owner's word).
 */
export type Verdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly because: "unknown" | "in-flight" | "quorum" | "only-voter";
      readonly why: string;
    };

/** May this change be made now? Pure; asked again right before every step that touches a member. */
export function guard(members: Seen<readonly QuorumMember[]>, change: QuorumChange): Verdict {
  if (members.kind === "unknown") return refuse("unknown", `cannot see the members: ${members.why}`);
  const target = members.value.find((member) => member.id === change.id);
  if (target === undefined) {
    return change.kind === "promote" ? refuse("unknown", `there is no member ${change.id}`) : { allowed: true };
  }
  const voters = members.value.filter((member) => member.voter);
  const healthy = voters.filter(isHealthy);
  if (change.kind === "promote") {
    if (target.voter) return { allowed: true };
    const after = voters.length + 1;
    return enough(healthy.length, voters.length)
      ? judge(healthy.length + (isHealthy(target) ? 1 : 0), after, "promoting it")
      : lost(healthy.length, voters.length);
  }
  // A learner has no vote: whether it comes or goes changes no quorum.
  if (!target.voter) return { allowed: true };
  const learner = members.value.find((member) => !member.voter);
  if (learner !== undefined) return refuse("in-flight", `member ${learner.id} is still catching up as a learner`);
  const after = change.kind === "remove" ? voters.length - 1 : voters.length;
  if (after === 0 || voters.length - 1 < quorumOf(after)) {
    return refuse("only-voter", `${voters.length} voting members have no quorum without this one`);
  }
  // Removing is itself a decision of the present quorum; a stop needs the others to have it without the target.
  if (!enough(healthy.length, voters.length)) return lost(healthy.length, voters.length);
  return judge(
    healthy.length - (isHealthy(target) ? 1 : 0),
    after,
    change.kind === "remove" ? "removing it" : "stopping it",
  );
}

/** How many of so many voters are a majority. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function isHealthy(member: QuorumMember): boolean {
  return member.healthy.kind === "seen" && member.healthy.value;
}

function enough(healthy: number, voters: number): boolean {
  return healthy >= quorumOf(voters);
}

function judge(healthy: number, voters: number, doing: string): Verdict {
  if (enough(healthy, voters)) return { allowed: true };
  return refuse(
    "quorum",
    `${doing} would leave ${healthy} healthy of ${voters} voting members; ${quorumOf(voters)} are needed`,
  );
}

function lost(healthy: number, voters: number): Verdict {
  return refuse(
    "quorum",
    `only ${healthy} of ${voters} voting members are seen healthy; ${quorumOf(voters)} are needed`,
  );
}

function refuse(because: "unknown" | "in-flight" | "quorum" | "only-voter", why: string): Verdict {
  return { allowed: false, because, why };
}
