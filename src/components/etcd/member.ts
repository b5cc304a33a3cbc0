import { listRecords, readRecord, updateRecord, writeOnce } from "../../records/access.ts";
import { generationOf, looking, rosterOf, type NodePorts } from "../node.ts";
import { unknown, type Reconciler, type Seen } from "../reconciler.ts";
import type { Roster } from "../roster.ts";
import { joinNext, type Founder, type JoinAct, type JoinView } from "./join.ts";
import type { EtcdMember, Joined, ObservedMember } from "./membership.ts";
import {
  endpointOf,
  lookAtDisk,
  lookAtProcess,
  memberEndpoint,
  ownEndpoint,
  setAside,
  startEtcd,
  writeClaim,
} from "./process.ts";
import { tendNext, type TendAct, type TendedMember, type TendView } from "./tend.ts";

async function joinedRecords({ store, me }: NodePorts): Promise<readonly Joined[]> {
  const found = await listRecords(store, "etcdJoined", { generation: me.generation });
  return found.map(({ key, value }) => ({
    instance: key.slice(key.lastIndexOf("/") + 1),
    clusterId: value.clusterId,
    memberId: value.memberId,
  }));
}

async function founders({ store, me }: NodePorts): Promise<readonly Founder[]> {
  const found = await listRecords(store, "registration", { generation: me.generation });
  return found
    .filter(({ value }) => value.role === "control")
    .map(({ value }) => ({ instance: value.instance, node: value.node, address: value.address }));
}

/** Each member's own answer: a voter's linearizable read, a learner's serializable one. */
async function observe({ etcd }: NodePorts, members: readonly EtcdMember[]): Promise<readonly ObservedMember[]> {
  return Promise.all(
    members.map(async (member) => {
      if (member.peerUrls.length === 0 || member.name === "")
        return { ...member, healthy: { kind: "seen", value: false } as const };
      return {
        ...member,
        healthy: await looking(etcd.reads(memberEndpoint(member), member.learner ? "serializable" : "linearizable")),
      };
    }),
  );
}

/** The cluster as another control instance's endpoint shows it, by a linearizable read. */
async function throughOthers(node: NodePorts, roster: Seen<Roster>): Promise<JoinView["cluster"]> {
  if (roster.kind === "unknown") return roster;
  const others = roster.value.filter(
    (entry) => entry.role === "control" && entry.state !== "gone" && entry.instance !== node.me.instance,
  );
  const reasons: string[] = [];
  for (const other of others) {
    try {
      const cluster = await node.etcd.members(endpointOf(other.address));
      return { kind: "seen", value: { clusterId: cluster.clusterId, members: await observe(node, cluster.members) } };
    } catch (error) {
      reasons.push(`${other.node}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    }
  }
  return unknown(reasons.length === 0 ? "there is no other control instance" : reasons.join("; "));
}

/** Where membership calls go: another instance's endpoint that answers now. */
async function throughWhom(node: NodePorts): Promise<string> {
  const roster = await rosterOf(node.store);
  for (const other of roster.filter(
    (entry) => entry.role === "control" && entry.state !== "gone" && entry.instance !== node.me.instance,
  )) {
    const answers = await looking(node.etcd.members(endpointOf(other.address)));
    if (answers.kind === "seen") return endpointOf(other.address);
  }
  throw new Error("no other etcd member answers");
}

/** Brings this control instance into etcd, or back into it, and keeps it there. */
export function etcdJoin(): Reconciler<JoinView, JoinAct, NodePorts> {
  let round = 0;
  return {
    phase: "etcd",
    async look(node) {
      const { store, me } = node;
      const generation = me.generation;
      // One after the other: an etcd that made its data and answers between the two would look as if it had lost it.
      const here = looking(lookAtProcess(node)).then(
        async (found) => [found, await looking(lookAtDisk(node))] as const,
      );
      const [[process, disk], roster, joined, proposal, state] = await Promise.all([
        here,
        looking(rosterOf(store)),
        looking(joinedRecords(node)),
        looking(readRecord(store, "etcdProposal", { generation }).then((record) => record?.value.members)),
        looking(generationOf(node)),
      ]);
      const healthy = process.kind === "seen" && process.value.kind === "answers" && process.value.healthy;
      // A healthy member needs no other's word; it asks now and then whether it is still a member.
      const ask = !healthy || round++ % 10 === 9;
      const [registrations, claim, cluster] = await Promise.all([
        healthy ? unknown("not asked: this member is healthy") : looking(founders(node)),
        looking(
          readRecord(store, "etcdClaim", { generation, instance: me.instance }).then((record) => record?.value.claim),
        ),
        ask ? throughOthers(node, roster) : unknown("not asked: this member is healthy"),
      ]);
      return {
        me: { instance: me.instance, node: me.node, address: me.address, generation },
        founders: me.founders,
        generation: state,
        roster,
        registrations,
        proposal,
        claim,
        joined,
        disk,
        process,
        cluster,
      };
    },
    next: joinNext,
    async perform(act, node) {
      const { store, me, random, clock } = node;
      const own = { generation: me.generation, instance: me.instance };
      switch (act.kind) {
        case "register": {
          const { instance, group, role, address } = me;
          await updateRecord(store, "registration", own, () => ({
            instance,
            node: me.node,
            group,
            role,
            address,
            nonce: random.hex(8),
            time: clock.now(),
          }));
          return;
        }
        case "propose":
          await writeOnce(store, "etcdProposal", own, { members: [...act.members], nonce: random.hex(8) });
          return;
        case "claimOnDisk":
          return writeClaim(node, { kind: "founder", ...own, claim: random.hex(16) }, false);
        case "claimInStore":
          await writeOnce(store, "etcdClaim", own, { claim: act.claim, time: clock.now() });
          return;
        case "startFounder":
          return startEtcd(node, { state: "new", members: act.members });
        case "startExisting":
          return startEtcd(node, undefined);
        case "startLearner":
          return startEtcd(node, { state: "existing", members: act.members });
        case "removeOldMember":
          return node.etcd.remove(await throughWhom(node), act.memberId);
        case "addLearner": {
          const memberId = await node.etcd.addLearner(await throughWhom(node), act.peerUrl);
          return writeClaim(node, { kind: "learner", ...own, memberId }, true);
        }
        case "recordJoined":
          await updateRecord(store, "etcdJoined", own, () => ({
            clusterId: act.clusterId,
            memberId: act.memberId,
            time: clock.now(),
          }));
          return;
        case "discardData":
          node.say(`etcd data is moved aside: ${act.why}`);
          return setAside(node);
      }
    },
  };
}

/** How far a learner's applied index may be behind; etcd itself refuses the promotion below 90 %. */
const closeBehind = 1_000n;

/** Keeps etcd's member list equal to the roster, from any control instance whose member is a healthy voter. */
export const etcdTend: Reconciler<TendView, TendAct, NodePorts> = {
  phase: "etcd members",
  async look(node) {
    const { store, etcd, me } = node;
    const [roster, joined, status, listed] = await Promise.all([
      looking(rosterOf(store)),
      looking(joinedRecords(node)),
      looking(etcd.status(ownEndpoint)),
      looking(etcd.members(ownEndpoint).then(({ members }) => observe(node, members))),
    ]);
    const applied = status.kind === "seen" ? status.value.applied : undefined;
    const members: TendView["members"] =
      listed.kind === "unknown"
        ? listed
        : {
            kind: "seen",
            value: await Promise.all(
              listed.value.map(async (member): Promise<TendedMember> => {
                if (!member.learner || member.peerUrls.length === 0 || member.name === "" || applied === undefined) {
                  return { ...member, inSync: unknown("not asked") };
                }
                return {
                  ...member,
                  inSync: await looking(
                    etcd.status(memberEndpoint(member)).then((its) => applied - its.applied < closeBehind),
                  ),
                };
              }),
            ),
          };
    return {
      me: { instance: me.instance, memberId: status.kind === "seen" ? status.value.memberId : "" },
      clusterId: status.kind === "seen" ? status.value.clusterId : "",
      roster,
      joined,
      members,
      leader:
        status.kind === "seen"
          ? { kind: "seen", value: status.value.leader === "0" ? undefined : status.value.leader }
          : status,
    };
  },
  next: tendNext,
  async perform(act, node) {
    switch (act.kind) {
      case "promote":
        node.say(`etcd member ${act.memberId} is promoted`);
        return node.etcd.promote(ownEndpoint, act.memberId);
      case "removeMember":
        node.say(`etcd member ${act.memberId} of ${act.instance} is removed`);
        return node.etcd.remove(ownEndpoint, act.memberId);
      case "moveLeader": {
        const roster = await rosterOf(node.store);
        const { members } = await node.etcd.members(ownEndpoint);
        const leader = members.find((member) => member.id === act.from);
        const address = roster.find((entry) => leader?.peerUrls.includes(`https://${entry.address}:2380`))?.address;
        if (address !== undefined) await node.etcd.moveLeader(endpointOf(address), act.to);
        return;
      }
    }
  },
};
