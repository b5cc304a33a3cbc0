import type { RecordValue } from "../../records/table.ts";
import { guard } from "../quorum.ts";
import { act, settled, wait, type Next, type Seen } from "../reconciler.ts";
import { standing, type Roster } from "../roster.ts";
import {
  ownerOf,
  peerUrl,
  quorumMembers,
  type Joined,
  type ObservedCluster,
  type ObservedMember,
} from "./membership.ts";

/** One founder in the proposal. */
export type Founder = RecordValue<"etcdProposal">["members"][number];

/**
 * The file that lies beside the member's data, on the same disk and lost with it; fsynced before etcd's first start.
 * A founder's names its claim (also in the store); a learner's names the member that was added for it.
 */
export type DiskClaim = { readonly generation: string; readonly instance: string } & (
  | { readonly kind: "founder"; readonly claim: string }
  | { readonly kind: "learner"; readonly memberId: string }
);

export type EtcdDisk = {
  readonly claim: DiskClaim | undefined;
  /** Whether etcd's own data is there (its `member` directory exists and is not empty). */
  readonly data: boolean;
};

/** The etcd process of this instance. */
export type EtcdProcess =
  | { readonly kind: "stopped" }
  /** Gave up and nobody restarts it: it may be started again. */
  | { readonly kind: "failed" }
  /** Starts (or is restarted), but says nothing yet; `log` are its last lines. */
  | { readonly kind: "silent"; readonly log: readonly string[] }
  | {
      readonly kind: "answers";
      readonly clusterId: string;
      readonly memberId: string;
      readonly learner: boolean;
      /** A linearizable read through its own endpoint succeeded (never so for a learner). */
      readonly healthy: boolean;
    };

/** All that one instance must know to decide its next step into (or back into) etcd. Every `Seen` is a fresh look. */
export type JoinView = {
  readonly me: {
    readonly instance: string;
    readonly node: string;
    readonly address: string;
    readonly generation: string;
  };
  /** How many control instances found the cluster: fixed at creation, from the bootstrap record. */
  readonly founders: number;
  /** Of my generation; `undefined`: the store does not know it (an empty or foreign store). */
  readonly generation: Seen<"open" | "closed" | undefined>;
  readonly roster: Seen<Roster>;
  /** Control instances that registered under this generation. */
  readonly registrations: Seen<readonly Founder[]>;
  readonly proposal: Seen<readonly Founder[] | undefined>;
  /** My claim in the store. */
  readonly claim: Seen<string | undefined>;
  /** The joined records of all instances, mine too. */
  readonly joined: Seen<readonly Joined[]>;
  readonly disk: Seen<EtcdDisk>;
  readonly process: Seen<EtcdProcess>;
  /** Read through OTHER control instances' endpoints (not through mine), linearizable; unknown when nobody with quorum answers. */
  readonly cluster: Seen<ObservedCluster>;
};

export type JoinAct =
  /** Write my registration record. */
  | { readonly kind: "register" }
  /** Create-if-absent the proposal; losing is fine. */
  | { readonly kind: "propose"; readonly members: readonly Founder[] }
  /** Write a fresh random founder's claim beside the (empty) data directory: exclusive create, fsync of file and directory. */
  | { readonly kind: "claimOnDisk" }
  /** Create-if-absent my claim record with exactly this text. */
  | { readonly kind: "claimInStore"; readonly claim: string }
  /** Start etcd with `initial-cluster-state: new` and this list. */
  | { readonly kind: "startFounder"; readonly members: readonly InitialMember[] }
  /** Start etcd on the data that is there. */
  | { readonly kind: "startExisting" }
  /** Remove a member that is at my address or was mine, through another member's endpoint; absent already is success. */
  | { readonly kind: "removeOldMember"; readonly memberId: string }
  /**
   * `member add --learner` through another member's endpoint, then at once write the learner's claim with the id that
   * came back (replace, fsync). Killed in between: the next look removes the member and adds it again.
   */
  | { readonly kind: "addLearner"; readonly peerUrl: string }
  /** Start etcd with `initial-cluster-state: existing` and this list, on an empty data directory. */
  | { readonly kind: "startLearner"; readonly members: readonly InitialMember[] }
  /** Write my joined record (overwrites an older one of mine). */
  | { readonly kind: "recordJoined"; readonly clusterId: string; readonly memberId: string }
  /** Stop etcd; move the data directory and the claim beside it aside (never delete). */
  | { readonly kind: "discardData"; readonly why: string };

/** One entry of `initial-cluster`: `name=peerUrl`. My own name is my node's name. */
export type InitialMember = { readonly name: string; readonly peerUrl: string };

/** Begins the reason of a founder that has come back without its data; doctor goes by it. */
export const dataLost = "this founder's etcd data is lost";

/** The next step of this instance into etcd; pure. */
export function joinNext(view: JoinView): Next<JoinAct> {
  if (view.disk.kind === "unknown") return wait(`cannot read etcd's data directory: ${view.disk.why}`);
  if (view.process.kind === "unknown") return wait(`cannot see the etcd unit: ${view.process.why}`);
  const disk = view.disk.value;
  const process = view.process.value;
  if (disk.data) return onData(view, disk, process);
  if (process.kind === "silent") return wait("etcd starts and has no data yet", process.log);
  if (process.kind === "answers") return discard(view, process, "etcd's data directory was deleted under it");
  return onEmptyDisk(view, disk);
}

/** Data is there: start on it, unless it is not mine to start on. Needs no store: a node must come back without one. */
function onData(view: JoinView, disk: EtcdDisk, process: EtcdProcess): Next<JoinAct> {
  const claim = disk.claim;
  if (claim === undefined || !isMine(view, claim))
    return discard(view, process, "the data directory holds data that is not this instance's");
  const refused = foreignStore(view, claim);
  if (refused !== undefined) return refused;
  if (standing(view.roster, view.me.instance) === "gone") return wait("the roster says that this instance is gone");
  if (wasRemoved(view, claim, process)) return discard(view, process, "its etcd member was removed from the cluster");
  if (process.kind === "stopped" || process.kind === "failed") return act({ kind: "startExisting" });
  if (process.kind === "silent") return wait(noQuorum(view, "etcd does not answer"), process.log);
  const other = recorded(view).find((record) => record.clusterId !== process.clusterId);
  if (other !== undefined) {
    return wait(
      `etcd runs in cluster ${process.clusterId}, but ${other.instance} recorded ${other.clusterId}: run slipway doctor`,
    );
  }
  if (!process.learner && !process.healthy) return wait(noQuorum(view, "etcd answers without a quorum"));
  if (
    view.joined.kind === "seen" &&
    recorded(view).find((record) => record.instance === view.me.instance)?.memberId !== process.memberId
  ) {
    return act({ kind: "recordJoined", clusterId: process.clusterId, memberId: process.memberId });
  }
  if (!process.learner) return settled;
  return wait(
    trusted(view) === undefined
      ? noQuorum(view, "etcd is a learner")
      : "etcd catches up as a learner, then it is promoted",
  );
}

/** Nothing is there, so what follows is decided by what the store says happened before; nothing is guessed. */
function onEmptyDisk(view: JoinView, disk: EtcdDisk): Next<JoinAct> {
  if (disk.claim !== undefined && !isMine(view, disk.claim)) {
    return act({ kind: "discardData", why: "a claim of another instance, without data" });
  }
  if (view.generation.kind === "unknown") return wait(`cannot read the generation: ${view.generation.why}`);
  if (view.generation.value === undefined)
    return wait(`the store does not know generation ${view.me.generation}: it is empty or foreign`);
  if (view.generation.value === "closed")
    return wait(`generation ${view.me.generation} is closed: this creation was rolled back`);
  const here = standing(view.roster, view.me.instance);
  if (here === "leaving" || here === "gone") return wait(`the roster says that this instance is ${here}`);
  if (view.registrations.kind === "unknown") return wait(`cannot read the registrations: ${view.registrations.why}`);
  if (!view.registrations.value.some((founder) => founder.instance === view.me.instance))
    return act({ kind: "register" });
  if (here !== "present")
    return wait(here === "unknown" ? "cannot read the roster" : "the roster does not list this instance yet");
  if (view.proposal.kind === "unknown") return wait(`cannot read the proposal: ${view.proposal.why}`);
  if (view.claim.kind === "unknown") return wait(`cannot read the claim: ${view.claim.why}`);
  if (view.joined.kind === "unknown") return wait(`cannot read who joined: ${view.joined.why}`);
  const proposal = view.proposal.value;
  if (proposal === undefined) return propose(view, disk, view.registrations.value, view.claim.value);
  if (!proposal.some((founder) => founder.instance === view.me.instance))
    return enter(view, disk, "this instance is not a founder");
  return found(view, disk, proposal, view.claim.value);
}

function propose(
  view: JoinView,
  disk: EtcdDisk,
  registered: readonly Founder[],
  claim: string | undefined,
): Next<JoinAct> {
  if (disk.claim !== undefined || claim !== undefined || recorded(view).length > 0) {
    return wait("the store has lost the etcd proposal that this cluster was founded on: it is empty or foreign");
  }
  const ready = registered
    .filter((founder) => standing(view.roster, founder.instance) === "present")
    .toSorted((one, two) => compare(one.node, two.node) || compare(one.instance, two.instance));
  if (ready.length < view.founders)
    return wait(`${ready.length} of ${view.founders} control instances are registered and in the roster`);
  return act({ kind: "propose", members: ready.slice(0, view.founders) });
}

/** On the list. A founder starts empty only once: while both claims agree and nothing says that it joined before. */
function found(view: JoinView, disk: EtcdDisk, proposal: readonly Founder[], claim: string | undefined): Next<JoinAct> {
  const lost = dataLost;
  if (recorded(view).some((record) => record.instance === view.me.instance)) return enter(view, disk, lost);
  const cluster = trusted(view);
  const member = cluster?.members.find((candidate) => candidate.peerUrls.includes(peerUrl(view.me.address)));
  if (cluster !== undefined && member?.name !== "") return enter(view, disk, lost);
  if (disk.claim === undefined) return claim === undefined ? act({ kind: "claimOnDisk" }) : enter(view, disk, lost);
  if (disk.claim.kind !== "founder") return enter(view, disk, lost);
  if (claim === undefined) return act({ kind: "claimInStore", claim: disk.claim.claim });
  if (claim !== disk.claim.claim) return enter(view, disk, lost);
  return act({
    kind: "startFounder",
    members: proposal.map((founder) => ({ name: founder.node, peerUrl: peerUrl(founder.address) })),
  });
}

/** Into the cluster that stands: the old member out, then in as the only learner; `tend` promotes. */
function enter(view: JoinView, disk: EtcdDisk, why: string): Next<JoinAct> {
  const cluster = trusted(view);
  if (cluster === undefined || view.roster.kind === "unknown") return wait(noQuorum(view, why));
  const url = peerUrl(view.me.address);
  const here = cluster.members.find((member) => member.peerUrls.includes(url));
  const added = disk.claim?.kind === "learner" ? disk.claim.memberId : undefined;
  if (here !== undefined && here.learner && here.name === "" && here.id === added) {
    return act({
      kind: "startLearner",
      members: cluster.members.map((member) => ({
        name: member === here ? view.me.node : member.name || member.id,
        peerUrl: member.peerUrls[0] ?? "",
      })),
    });
  }
  const mine = recorded(view).find((record) => record.instance === view.me.instance)?.memberId;
  const old = here ?? cluster.members.find((member) => member.id === mine || member.id === added);
  if (old !== undefined) return removeOld(view, cluster, view.roster.value, old);
  for (const member of cluster.members) {
    const owner = ownerOf(member, recorded(view), view.roster.value);
    if (owner?.state === "gone") return wait(`member ${member.id} of ${owner.node}, which is gone, is removed first`);
    if (member.learner) return wait(`another learner (${owner?.node ?? member.id}) joins first`);
  }
  return act({ kind: "addLearner", peerUrl: url });
}

function removeOld(view: JoinView, cluster: ObservedCluster, roster: Roster, old: ObservedMember): Next<JoinAct> {
  const owner = ownerOf(old, recorded(view), roster);
  if (owner !== undefined && owner.instance !== view.me.instance && owner.state !== "gone") {
    return wait(`member ${old.id} at this instance's address belongs to ${owner.node}, which is ${owner.state}`);
  }
  const verdict = guard({ kind: "seen", value: quorumMembers(cluster.members) }, { kind: "remove", id: old.id });
  if (!verdict.allowed) return wait(`its old etcd member ${old.id} cannot be removed yet: ${verdict.why}`);
  return act({ kind: "removeOldMember", memberId: old.id });
}

/** Data is only moved aside (and its etcd, which may still vote, stopped) while a cluster with quorum stands without it. */
function discard(view: JoinView, process: EtcdProcess, why: string): Next<JoinAct> {
  const here = standing(view.roster, view.me.instance);
  if (here !== "present") return wait(`${why}; the roster says that this instance is ${here}`);
  const cluster = trusted(view);
  if (cluster === undefined) return wait(noQuorum(view, why));
  if (process.kind === "answers") {
    const verdict = guard(
      { kind: "seen", value: quorumMembers(cluster.members) },
      { kind: "replace", id: process.memberId },
    );
    if (!verdict.allowed) return wait(`${why}; ${verdict.why}`);
  }
  return act({ kind: "discardData", why });
}

/** A node that has data refuses a store that does not know what the data was founded on. Not seeing it is no reason. */
function foreignStore(view: JoinView, claim: DiskClaim): Next<never> | undefined {
  const differs =
    (view.generation.kind === "seen" && view.generation.value === undefined) ||
    (view.proposal.kind === "seen" && view.proposal.value === undefined) ||
    (claim.kind === "founder" && view.claim.kind === "seen" && view.claim.value !== claim.claim);
  if (differs)
    return wait("this node has etcd data, but the store is empty or foreign: it knows another founding or none");
  if (view.generation.kind === "seen" && view.generation.value === "closed") {
    return wait(`generation ${view.me.generation} is closed: this creation was rolled back`);
  }
  return undefined;
}

function wasRemoved(view: JoinView, claim: DiskClaim, process: EtcdProcess): boolean {
  const cluster = trusted(view);
  if (cluster === undefined) return false;
  const id =
    process.kind === "answers"
      ? process.memberId
      : claim.kind === "learner"
        ? claim.memberId
        : recorded(view).find((record) => record.instance === view.me.instance)?.memberId;
  const url = peerUrl(view.me.address);
  return !cluster.members.some((member) => (id === undefined ? member.peerUrls.includes(url) : member.id === id));
}

/** The cluster that answers, if it is the one that this generation's instances recorded. */
function trusted(view: JoinView): ObservedCluster | undefined {
  if (view.cluster.kind === "unknown") return undefined;
  const { clusterId } = view.cluster.value;
  const records = recorded(view);
  return records.length > 0 && records.every((record) => record.clusterId === clusterId)
    ? view.cluster.value
    : undefined;
}

function recorded(view: JoinView): readonly Joined[] {
  return view.joined.kind === "seen" ? view.joined.value : [];
}

function isMine(view: JoinView, claim: DiskClaim): boolean {
  return claim.instance === view.me.instance && claim.generation === view.me.generation;
}

/** What a person must know when only a quorum can help: who would make one, and what to run. */
function noQuorum(view: JoinView, why: string): string {
  const records = recorded(view);
  if (records.length === 0) return `${why}; no etcd cluster has formed yet`;
  const answers =
    view.cluster.kind === "unknown"
      ? `no etcd cluster with quorum answers (${view.cluster.why})`
      : "another etcd cluster answers";
  const who = records
    .map((record) => record.instance)
    .toSorted(compare)
    .join(", ");
  return `${why}; ${answers}. Joined before: ${who}. If the data of a majority is lost, nothing is founded anew: run slipway doctor, then slipway restore`;
}

function compare(one: string, two: string): number {
  return one < two ? -1 : one > two ? 1 : 0;
}
