import { peerUrl } from "../../src/components/etcd/membership.ts";
import type { Roster } from "../../src/components/roster.ts";
import type { Clock } from "../../src/host/clock.ts";
import { listRecords, readRecord, updateRecord, writeOnce } from "../../src/records/access.ts";
import type { RecordValue } from "../../src/records/table.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { enterEtcd, hasQuorum, managersHaveQuorum, newId, watch, type Alive, type Members } from "./memory-members.ts";

/** What a node that joins sees of the cluster. */
type JoinWorld = { readonly members: Members; readonly alive: () => Alive; readonly clock: Clock };

/** A value that a volume keeps, where it is text. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** One step of a control node's way into etcd; undefined: it is in. */
export async function joinEtcd(
  world: JoinWorld,
  store: ClusterStore,
  me: RecordValue<"bootstrap">,
  node: string,
  data: Record<string, unknown>,
  roster: Roster,
): Promise<[string, string] | undefined> {
  const { members, alive, clock } = world;
  const own = { generation: me.generation, instance: me.instance };
  const memberId = text(data["member"]);
  if (memberId !== undefined) {
    const there = members.etcd?.members.find(({ id }) => id === memberId);
    if (there === undefined) {
      delete data["member"];
      return ["etcd", "it was removed; its data is moved aside"];
    }
    if (!hasQuorum(members, alive())) return ["etcd", "there is no quorum"];
    if ((await readRecord(store, "etcdJoined", own))?.value.memberId !== memberId) {
      await updateRecord(store, "etcdJoined", own, () => ({
        clusterId: members.etcd?.clusterId ?? "",
        memberId,
        time: clock.now(),
      }));
    }
    return there.learner ? ["etcd", "it catches up"] : undefined;
  }
  const proposal = (await readRecord(store, "etcdProposal", { generation: me.generation }))?.value;
  if (proposal === undefined) {
    const registered = (await listRecords(store, "registration", { generation: me.generation }))
      .map(({ value }) => value)
      .filter(({ role }) => role === "control");
    const founders = registered.filter(({ instance }) =>
      roster.some((entry) => entry.instance === instance && entry.state === "present"),
    );
    if (founders.length < me.founders) return ["etcd", `${founders.length} of ${me.founders} founders have registered`];
    const chosen = founders.toSorted((a, b) => (a.instance < b.instance ? -1 : 1)).slice(0, me.founders);
    await writeOnce(
      store,
      "etcdProposal",
      { generation: me.generation },
      { members: chosen.map(({ instance, node: its, address }) => ({ instance, node: its, address })), nonce: "n" },
    );
    return ["etcd", "the founders are proposed"];
  }
  const founder = proposal.members.findIndex(({ instance }) => instance === me.instance);
  const claimed = await readRecord(store, "etcdClaim", own);
  members.etcd ??= {
    clusterId: newId(members, "cluster"),
    formed: false,
    members: proposal.members.map((member, n) => ({
      id: `founder${n}`,
      name: member.node,
      peerUrls: [peerUrl(member.address)],
      learner: false,
    })),
  };
  if (founder >= 0 && claimed === undefined) {
    await writeOnce(store, "etcdClaim", own, { claim: me.instance, time: clock.now() });
    data["member"] = `founder${founder}`;
    alive().etcd.add(`founder${founder}`);
    return ["etcd", "it starts as a founder"];
  }
  const entered = enterEtcd(members, alive(), node, me.address);
  if (entered !== undefined) {
    data["member"] = entered;
    alive().etcd.add(entered);
  }
  watch(members, alive(), "a learner came or an old member went");
  return ["etcd", "it enters as a learner"];
}

/** One step of a node's way into the swarm; undefined: it is in. */
export async function joinSwarm(
  world: JoinWorld,
  store: ClusterStore,
  me: RecordValue<"bootstrap">,
  own: RecordValue<"roster">,
  docker: Record<string, unknown>,
  roster: Roster,
): Promise<[string, string] | undefined> {
  const { members, alive } = world;
  const nodeId = text(docker["swarm"]);
  if (nodeId !== undefined) {
    const there = members.swarm?.nodes.find(({ id }) => id === nodeId);
    if (there === undefined) {
      delete docker["swarm"];
      return ["swarm", "the swarm does not know this node any more"];
    }
    return own.role === "control" && there.role !== "manager" ? ["swarm", "it is not a manager yet"] : undefined;
  }
  const enter = (role: "worker" | "manager"): void => {
    const id = newId(members, "swarm");
    members.swarm?.nodes.push({ id, hostname: own.node, labels: {}, role, availability: "active" });
    docker["swarm"] = id;
    alive().swarm.add(id);
  };
  const role = own.role === "control" ? "manager" : "worker";
  const parts = { generation: me.generation };
  if (members.swarm !== undefined) {
    if (!managersHaveQuorum(members, alive())) return ["swarm", "the managers have no quorum"];
    enter(role);
    return ["swarm", "it joins"];
  }
  if (role === "worker") return ["swarm", "no manager has made a swarm yet"];
  const claim = (await readRecord(store, "swarmClaim", parts))?.value;
  if (claim === undefined) {
    await writeOnce(store, "swarmClaim", parts, { instance: me.instance, epoch: 1, nonce: "n" });
    return ["swarm", "it claims"];
  }
  if (claim.instance !== me.instance) {
    const gone = roster.find((entry) => entry.instance === claim.instance)?.state === "gone";
    if (gone)
      await updateRecord(store, "swarmClaim", parts, (now) =>
        now?.instance === claim.instance ? { ...now, instance: me.instance, epoch: now.epoch + 1 } : undefined,
      );
    return ["swarm", `${claim.instance} makes the swarm`];
  }
  members.swarm = { clusterId: newId(members, "cluster"), nodes: [], formed: false };
  enter("manager");
  return ["swarm", "it made the swarm"];
}
