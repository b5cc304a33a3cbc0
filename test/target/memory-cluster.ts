import { instanceLabel } from "../../src/components/swarm/tend.ts";
import { createHash } from "node:crypto";
import { gatewayInstance } from "../../src/components/certificates.ts";
import type { Joined } from "../../src/components/etcd/membership.ts";
import { peerUrl } from "../../src/components/etcd/membership.ts";
import type { Roster } from "../../src/components/roster.ts";
import type { Clock } from "../../src/host/clock.ts";
import { fingerprint } from "../../src/pki/renewal.ts";
import { listRecords, readRecord, updateRecord, writeOnce } from "../../src/records/access.ts";
import type { RecordValue } from "../../src/records/table.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { dataVolume, dockerVolume, label } from "../../src/targets/docker/names.ts";
import type { NodeName } from "../../src/cluster/cluster.ts";
import type { MemoryContainer, MemoryEngine, MemoryVolume } from "./memory-engine.ts";
import {
  etcdLeader,
  hasQuorum,
  noMembers,
  swarmNodesNow,
  tendEtcd,
  tendSwarm,
  watch,
  type Alive,
  type Members,
} from "./memory-members.ts";
import { joinEtcd, joinSwarm, text } from "./memory-joins.ts";
import { tendServices, type Deployed } from "./memory-services.ts";

/**
 * The agents of one cluster's nodes in memory. What each promises, as `src/agent` does:
 * - It speaks to the store only while the gateway is up; at first contact its token must be the one in the roster and
 *   the root's fingerprint the store's. Then its data volume holds a certificate, which counts while the instance is
 *   not gone from the roster. Data of another instance is refused.
 * - It registers, founds or joins etcd and the swarm, applies its group's revision, and writes its record on change:
 *   phase (the first that is not settled), revision, apply, nudges, drift. A new container has nothing applied.
 * - `apply` higher than before puts back what was changed.
 * - When the roster says `leaving` it waits until it is out of the swarm and of etcd, and says `left`.
 * - The leading manager deploys the services and writes their records.
 * - A node at rest looks every two seconds, one that is nudged or under way at every tick.
 * Clients' certificates are records only; nothing is signed.
 */
export type MemoryCluster = {
  readonly members: Members;
  readonly services: Map<string, Deployed>;
  /** Edited files and stopped units, by container id. */
  readonly drift: Map<string, string[]>;
  /** What agents could not do, by node: a refused token, foreign data. Empty when all is well. */
  readonly refusals: Map<string, string>;
  /** One look of every agent that is due. */
  tick(): Promise<void>;
  nudge(node: string): void;
  /** Notes whether quorum is there; after every change of the engine. */
  changed(what: string): void;
};

type Run = {
  nudges: number;
  due: number;
  settled: Record<string, { from: number; to: number }>;
  written: string;
  seen: number;
};

const restPause = 2_000;
/** As many as the real agent does in one round. */
const mostActs = 12;

export function memoryCluster(
  engine: MemoryEngine,
  clock: Clock,
  name: string,
  members: Members = noMembers(),
  services: Map<string, Deployed> = new Map(),
  drift: Map<string, string[]> = new Map(),
): MemoryCluster {
  const runs = new Map<string, Run>();
  const refusals = new Map<string, string>();
  const nodes = (): MemoryContainer[] =>
    [...engine.containers.values()].filter(
      (container) => container.labels[label.part] === "node" && container.labels[label.cluster] === name,
    );
  const running = (): MemoryContainer[] => nodes().filter((container) => container.state === "running");
  const volumeOf = (container: MemoryContainer, of: (node: NodeName) => string): MemoryVolume | undefined =>
    engine.volumes.get(of(container.name as NodeName));

  /** Read anew after every change of the engine; who joins adds itself. */
  let living: Alive | undefined;
  const alive = (): Alive => (living ??= lookAtLiving());
  function lookAtLiving(): Alive {
    const etcd = new Set<string>();
    const swarm = new Set<string>();
    for (const container of running()) {
      const member = text(volumeOf(container, dataVolume)?.kept["member"]);
      const node = text(volumeOf(container, dockerVolume)?.kept["swarm"]);
      if (member !== undefined) etcd.add(member);
      if (node !== undefined) swarm.add(node);
    }
    return { etcd, swarm };
  }
  const world = { members, alive, clock };
  const runOf = (container: MemoryContainer): Run => {
    const key = `${container.id} ${container.boots}`;
    const there = runs.get(key) ?? { nudges: 0, due: 0, settled: {}, written: "", seen: 0 };
    runs.set(key, there);
    return there;
  };

  /** Round by round: what all agents read is read once. */
  type Shared = {
    readonly roster: Roster;
    readonly joined: readonly Joined[];
    readonly records: () => Promise<readonly RecordValue<"node">[]>;
  };

  async function round(container: MemoryContainer, store: ClusterStore, shared: Shared): Promise<void> {
    const run = runOf(container);
    const data = volumeOf(container, dataVolume)?.kept;
    const docker = volumeOf(container, dockerVolume)?.kept;
    const bootstrap: unknown = JSON.parse(container.files.get("/etc/slipway/bootstrap.json") ?? "{}");
    const instance = text(
      typeof bootstrap === "object" && bootstrap !== null ? Reflect.get(bootstrap, "instance") : undefined,
    );
    const pin = text(typeof bootstrap === "object" && bootstrap !== null ? Reflect.get(bootstrap, "pin") : undefined);
    if (instance === undefined || data === undefined || docker === undefined)
      return void refusals.set(container.name, "it was started without an identity");
    const own = (await readRecord(store, "roster", { instance }))?.value;
    const me = (await readRecord(store, "bootstrap", { instance }))?.value;
    if (own === undefined || me === undefined || own.state === "gone")
      return void refusals.set(container.name, `instance ${instance} is ${own?.state ?? "not in the roster"}`);
    if (data["certified"] === undefined) {
      const root = await readRecord(store, "root");
      if (root === undefined || fingerprint(root.value.certificate) !== pin)
        return void refusals.set(container.name, "the store's root is not the pinned one");
      const token = (container.files.get("/etc/slipway/token") ?? "").trim();
      if (createHash("sha256").update(token).digest("hex") !== own.tokenHash || own.state !== "present")
        return void refusals.set(container.name, "its token is not the roster's");
      data["certified"] = instance;
    }
    if (data["certified"] !== instance)
      return void refusals.set(container.name, `its data is that of ${String(data["certified"])}`);
    refusals.delete(container.name);

    if (own.state === "leaving") {
      const why = leave(own, data, docker, shared);
      await write(
        container,
        store,
        run,
        own,
        undefined,
        why === undefined ? undefined : ["leaving", why],
        why === undefined,
      );
      run.due = 0;
      return;
    }
    const parts = { generation: me.generation, instance };
    if ((await readRecord(store, "registration", parts)) === undefined) {
      await writeOnce(store, "registration", parts, {
        instance,
        node: own.node,
        group: own.group,
        role: own.role,
        address: own.address,
        nonce: "n",
        time: clock.now(),
      });
    }
    const pointer = (await readRecord(store, "pointer"))?.value;
    const group =
      pointer === undefined
        ? undefined
        : (await readRecord(store, "groupRevision", { revision: pointer.revision, group: own.group }))?.value;
    let blocked: [string, string] | undefined;
    if (pointer === undefined || group === undefined) blocked = ["config", "no revision is published yet"];
    else {
      const applied = container.files.get("applied");
      if (applied !== `${pointer.revision} ${pointer.apply}`) {
        if (applied === undefined || applied.split(" ")[1] !== String(pointer.apply)) drift.delete(container.id);
        container.files.set("applied", `${pointer.revision} ${pointer.apply}`);
        container.files.set("machine", JSON.stringify(group.machine));
      }
      if (own.role === "control") blocked ??= await joinEtcd(world, store, me, own.node, data, shared.roster);
      if (me.orchestrator === "swarm") blocked ??= await joinSwarm(world, store, me, own, docker, shared.roster);
    }
    await write(container, store, run, own, blocked === undefined ? (pointer ?? undefined) : undefined, blocked, false);
    run.due = blocked === undefined ? clock.now() + restPause : 0;
  }

  /** Undefined: it has left; else why not yet. */
  function leave(
    own: RecordValue<"roster">,
    data: Record<string, unknown>,
    docker: Record<string, unknown>,
    shared: Shared,
  ): string | undefined {
    const swarmId = text(docker["swarm"]);
    const entry = members.swarm?.nodes.find(({ id }) => id === swarmId);
    if (own.role === "control") tend(own.instance, data, docker, shared, [], undefined);
    if (entry?.role === "manager") return "it is still a swarm manager";
    if (entry !== undefined && entry.availability !== "drain") return "its tasks are moving away";
    delete docker["swarm"];
    if (swarmId !== undefined) alive().swarm.delete(swarmId);
    if (own.role === "control") {
      const memberId = text(data["member"]);
      if (
        members.etcd?.members.some(
          (member) => member.id === memberId || member.peerUrls.includes(peerUrl(own.address)),
        ) === true
      )
        return "its etcd member is still in the list";
      delete data["member"];
    }
    return undefined;
  }

  function tend(
    instance: string,
    data: Record<string, unknown>,
    docker: Record<string, unknown>,
    { roster, joined }: Shared,
    identities: readonly { instance: string; nodeId: string }[],
    labels: RecordValue<"servicesRevision">["labels"] | undefined,
  ): void {
    const memberId = text(data["member"]);
    for (let acts = 0; memberId !== undefined && acts < mostActs; acts++) {
      if (!tendEtcd(members, alive(), memberId, instance, roster, joined)) break;
      watch(members, alive(), "a change of the member list");
    }
    const nodeId = text(docker["swarm"]);
    for (let acts = 0; nodeId !== undefined && acts < mostActs; acts++) {
      if (!tendSwarm(members, alive(), { instance, nodeId }, roster, identities, labels)) break;
      watch(members, alive(), "a change of the swarm");
    }
  }

  async function write(
    container: MemoryContainer,
    store: ClusterStore,
    run: Run,
    own: RecordValue<"roster">,
    settled: RecordValue<"pointer"> | undefined,
    blocked: [string, string] | undefined,
    left: boolean,
  ): Promise<void> {
    const now = clock.now();
    const phase = left ? "left" : (blocked?.[0] ?? "ready");
    const kept = volumeOf(container, dataVolume)?.kept ?? {};
    const swarmId = text(volumeOf(container, dockerVolume)?.kept["swarm"]);
    const memberId = text(kept["member"]);
    const membersNow = alive();
    const swarmNode =
      swarmId === undefined ? undefined : swarmNodesNow(members, membersNow).find(({ id }) => id === swarmId);
    const [revision = "", apply = "0"] = (container.files.get("applied") ?? "").split(" ");
    run.settled[phase] ??= { from: now, to: now };
    const record: RecordValue<"node"> = {
      instance: own.instance,
      node: own.node,
      revision: left ? "" : revision,
      apply: Number(apply),
      state: left ? "stopped" : settled === undefined ? "starting" : "ready",
      phase,
      ...(blocked === undefined ? {} : { reason: blocked[1] }),
      log: [],
      since: run.settled[phase]?.from ?? now,
      seen: 0,
      boot: `${container.id}-${container.boots}`,
      nudges: run.nudges,
      settled: { ...run.settled },
      units: [],
      drift: [...(drift.get(container.id) ?? [])],
      disk: [],
      certificates: {},
      ...(memberId !== undefined && members.etcd !== undefined && hasQuorum(members, membersNow)
        ? {
            etcd: {
              memberId,
              clusterId: members.etcd.clusterId,
              leader: etcdLeader(members, membersNow) ?? "",
              members: members.etcd.members.map((member) => ({
                id: member.id,
                name: member.name,
                learner: member.learner,
                healthy: membersNow.etcd.has(member.id),
              })),
            },
          }
        : {}),
      ...(swarmNode === undefined
        ? {}
        : {
            swarm: {
              nodeId: swarmNode.id,
              manager: swarmNode.role === "manager",
              leader: swarmNode.leader,
              mesh: true,
              ...(swarmNode.leader
                ? {
                    nodes: (members.swarm?.nodes ?? []).map((node) => node.labels[instanceLabel] ?? node.id).toSorted(),
                  }
                : {}),
            },
          }),
    };
    const line = JSON.stringify(record);
    if (line === run.written && now - run.seen < 30_000) return;
    run.written = line;
    run.seen = now;
    await updateRecord(store, "node", { instance: own.instance }, () => ({ ...record, seen: now }));
  }

  /** What the agents of etcd's healthy voters and of the swarm's leader do for all. */
  async function lead(store: ClusterStore, shared: Shared): Promise<void> {
    const leaderNode = swarmNodesNow(members, alive()).find(({ leader }) => leader)?.id;
    const pointer = (await readRecord(store, "pointer"))?.value;
    const revision =
      pointer === undefined
        ? undefined
        : (await readRecord(store, "servicesRevision", { revision: pointer.revision }))?.value;
    for (const container of running()) {
      if (container.labels[label.role] !== "control" || refusals.has(container.name)) continue;
      const data = volumeOf(container, dataVolume)?.kept ?? {};
      const docker = volumeOf(container, dockerVolume)?.kept ?? {};
      const instance = container.labels[label.instance] ?? "";
      const leads = leaderNode !== undefined && docker["swarm"] === leaderNode;
      const identities = leads
        ? (await shared.records()).flatMap((record) =>
            record.swarm === undefined ? [] : [{ instance: record.instance, nodeId: record.swarm.nodeId }],
          )
        : [];
      tend(instance, data, leads ? docker : {}, shared, identities, revision?.labels);
      if (leads && pointer !== undefined && revision !== undefined) {
        const images = (node: string): readonly string[] => {
          const there = engine.volumes.get(dockerVolume(node as NodeName))?.kept["images"];
          return Array.isArray(there) ? there.map(String) : [];
        };
        await tendServices({
          store,
          services,
          pointer,
          revision,
          nodes: swarmNodesNow(members, alive()),
          hostname: (id) => members.swarm?.nodes.find((node) => node.id === id)?.hostname ?? "",
          images,
          now: clock.now(),
        });
      }
    }
  }

  let led = 0;
  return {
    members,
    services,
    drift,
    refusals,
    nudge(node) {
      const container = engine.containers.get(node);
      if (container === undefined) return;
      const run = runOf(container);
      run.nudges++;
      run.due = 0;
    },
    changed(what) {
      living = undefined;
      // Only control instances can take a quorum away.
      if (what.includes("-control-")) watch(members, alive(), what);
    },
    async tick() {
      const store = engine.store(name);
      if (store === undefined) return;
      if ((await readRecord(store, "request", { instance: gatewayInstance })) === undefined) {
        await updateRecord(store, "request", { instance: gatewayInstance }, () => ({ requests: {}, nonce: "gateway" }));
      }
      const due = running().filter((container) => runOf(container).due <= clock.now());
      if (due.length === 0 && clock.now() - led < restPause) return;
      led = clock.now();
      const generation = (await readRecord(store, "cluster"))?.value.generation;
      let records: Promise<readonly RecordValue<"node">[]> | undefined;
      const shared: Shared = {
        roster: (await listRecords(store, "roster")).map(({ value }) => value),
        joined: (generation === undefined ? [] : await listRecords(store, "etcdJoined", { generation })).map(
          ({ key, value }) => ({
            instance: key.slice(key.lastIndexOf("/") + 1),
            clusterId: value.clusterId,
            memberId: value.memberId,
          }),
        ),
        records: () => (records ??= listRecords(store, "node").then((found) => found.map(({ value }) => value))),
      };
      for (const container of due)
        if (engine.containers.get(container.name) === container && container.state === "running")
          await round(container, store, shared);
      await lead(store, shared);
    },
  };
}
