import { awsRequester } from "../../../src/host/aws/request.ts";
import { seededRandom } from "../../../src/host/virtual.ts";
import { listRecords, readRecord, updateRecord } from "../../../src/records/access.ts";
import { objectKey, recordKey } from "../../../src/records/objects.ts";
import type { RecordValue } from "../../../src/records/table.ts";
import { s3Store } from "../../../src/store/s3.ts";
import type { ClusterStore } from "../../../src/store/store.ts";
import type { Instance } from "../stand-in/ec2/instances.ts";
import { obedientNodes, type Nodes } from "../stand-in/nodes.ts";
import type { StandIn } from "../stand-in/stand-in.ts";

/**
 * Nodes behind the stand-in, as far as an operator sees them: what is written here is what the operator's half relies on.
 * - A node that becomes ready writes its record, is in the roster (which a real control node would see to), and signals SUCCESS.
 * - One that fails writes its reason and log lines first, then signals FAILURE; a silent one does nothing.
 * - Every ten seconds running nodes look at the pointer and at the roster: they take a new revision over, and leave when told.
 * - etcd's member goes with the control node's disk: the instance that takes a node's place is the same member.
 * - What a control node would do when a worker ends is done at once: its roster entry says `gone`.
 */
export type Fleet = {
  /** What becomes of an instance that boots. */
  word: (instance: Instance) => "ready" | "failed" | "silent";
  /** Seconds from its first moment to its word. */
  delay: number;
  stop(): void;
};

type Node = {
  readonly instance: Instance;
  readonly identity: string;
  readonly name: string;
  readonly group: string;
  readonly role: "control" | "worker";
  boots: number;
  left: boolean;
};

const bucketIn = (userData: string): string => {
  const pattern = /slipway-[a-z0-9-]+-\d{12}-[a-z]+(?:-[a-z]+)+-\d/;
  const found = pattern.exec(userData)?.[0] ?? pattern.exec(Buffer.from(userData, "base64").toString("utf8"))?.[0];
  if (found === undefined) throw new Error("the user data names no bucket");
  return found;
};

export function fleetOn(standIn: StandIn): Fleet {
  const { inner } = standIn.clock;
  const nodes = new Map<string, Node>();
  /** The instance that each control node's disk is. */
  const members = new Map<string, string>();
  const obedient: Nodes = obedientNodes(standIn);
  let stopped = false;
  let said = "";
  const fleet: Fleet = {
    word: () => "ready",
    delay: 60,
    stop() {
      stopped = true;
    },
  };

  const stores = new Map<string, ClusterStore>();
  const storeOf = (instance: Instance): ClusterStore => {
    const there = stores.get(instance.id);
    if (there !== undefined) return there;
    const client = standIn.asInstance(instance.id);
    const bucket = bucketIn(instance.userData);
    const store = s3Store({
      url: `https://${bucket}.s3.${instance.region}.amazonaws.com`,
      request: awsRequester({
        region: instance.region,
        credentials: async () => client.credentials,
        // What nodes ask takes no time of the world's, and none passes while they do.
        clock: { now: standIn.clock.now, sleep: async () => new Promise((resolve) => setTimeout(resolve, 1)) },
        random: seededRandom(7),
        fetch: client.fetch,
      }),
      random: { ...seededRandom(1), hex: (bytes) => seededRandom(Math.imul(++nonce, 7919)).hex(bytes) },
      names: { object: objectKey, key: recordKey },
    });
    stores.set(instance.id, store);
    return store;
  };

  const signal = async (instance: Instance, status: "SUCCESS" | "FAILURE"): Promise<void> => {
    const { "aws:cloudformation:stack-name": stack = "", "aws:cloudformation:logical-id": resource = "" } =
      instance.tags;
    await standIn.asInstance(instance.id).fetch(`https://cloudformation.${instance.region}.amazonaws.com/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        Action: "SignalResource",
        Version: "2010-05-15",
        StackName: stack,
        LogicalResourceId: resource,
        UniqueId: instance.id,
        Status: status,
      }).toString(),
    });
  };

  /** What IAM calls `aws:userid`, with a dot. */
  const identityOf = async (instance: Instance): Promise<string> => {
    const answer = await standIn.asInstance(instance.id).fetch(`https://sts.${instance.region}.amazonaws.com/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    });
    const id = /<UserId>([^<]+)<\/UserId>/.exec(await answer.text())?.[1];
    if (id === undefined) throw new Error(`nobody knows who ${instance.id} is`);
    return id.replace(":", ".");
  };

  /** The lowest number in the group that no other instance has. */
  const nameFor = (instance: Instance, group: string): string => {
    const own = instance.tags["slipway.node"];
    if (own !== undefined) return own;
    const taken = new Set([...nodes.values()].map(({ name }) => name));
    for (let n = 1; ; n++) {
      const name = `${instance.tags["slipway.cluster"] ?? ""}-${group}-${n}`;
      if (!taken.has(name)) return name;
    }
  };

  const alive = (): Node[] => [...nodes.values()].filter(({ instance, left }) => instance.state === "running" && !left);

  const etcd = (own: Node): Pick<RecordValue<"node">, "etcd" | "swarm"> => {
    if (own.role !== "control") return { swarm: { nodeId: own.name, manager: false, leader: false, mesh: true } };
    const control = [...nodes.values()].filter(({ role, left }) => role === "control" && !left);
    const members = [...new Map(control.map((node) => [node.name, node])).values()];
    const healthy = new Set(alive().map(({ name }) => name));
    const leader =
      members
        .map(({ name }) => name)
        .toSorted()
        .find((name) => healthy.has(name)) ?? "";
    return {
      etcd: {
        memberId: `m-${own.name}`,
        clusterId: "c1",
        leader: `m-${leader}`,
        members: members.map(({ name }) => ({ id: `m-${name}`, name, learner: false, healthy: healthy.has(name) })),
      },
      swarm: {
        nodeId: own.name,
        manager: true,
        leader: own.name === leader,
        mesh: true,
        ...(own.name === leader ? { nodes: [...nodes.values()].map(({ identity }) => identity) } : {}),
      },
    };
  };

  const write = async (
    store: ClusterStore,
    node: Node,
    more: Partial<RecordValue<"node">> & Pick<RecordValue<"node">, "state" | "phase">,
  ): Promise<void> => {
    const now = standIn.clock.now();
    await updateRecord(store, "node", { instance: node.identity }, (before) => ({
      instance: node.identity,
      node: node.name,
      machine: node.instance.id,
      revision: before?.revision ?? "",
      apply: before?.apply ?? 0,
      log: [],
      since: now,
      seen: now,
      boot: `${node.instance.id}-${node.boots}`,
      nudges: 0,
      settled: {},
      units: [],
      drift: [],
      disk: [],
      certificates: {},
      ...etcd(node),
      ...more,
    }));
  };

  /** While it is done no time passes. */
  const atOnce = async (act: () => Promise<void>): Promise<void> => {
    const go = standIn.clock.hold(false);
    try {
      await act();
    } finally {
      go();
    }
  };

  const enter = async (instance: Instance): Promise<void> => {
    await inner.sleep(fleet.delay * 1_000);
    if (!stopped && instance.state === "running") await atOnce(() => speak(instance));
  };

  const speak = async (instance: Instance): Promise<void> => {
    const word = fleet.word(instance);
    instance.console += `slipway-agent: ${word}\n`;
    if (word === "silent") return;
    const group = instance.tags["slipway.group"] ?? "";
    const name = nameFor(instance, group);
    const role = instance.tags["slipway.node"] === undefined ? "worker" : "control";
    // A control member is its disk: whoever has it is the same instance.
    const identity = (role === "control" ? members.get(name) : undefined) ?? (await identityOf(instance));
    if (role === "control") members.set(name, identity);
    const node: Node = { instance, identity, name, group, role, boots: 1, left: false };
    nodes.set(instance.id, node);
    const store = storeOf(instance);
    if (word === "failed") {
      await write(store, node, {
        state: "failed",
        phase: "etcd",
        reason: "etcd.service failed: exit code 1",
        log: ["etcd: no space left on device"],
      });
      await signal(instance, "FAILURE");
      return;
    }
    await updateRecord(store, "roster", { instance: identity }, () => ({
      instance: identity,
      node: name,
      group,
      role,
      address: instance.privateAddress,
      state: "present",
      tokenHash: "",
      since: standIn.clock.now(),
      nonce: `n${++nonce}`,
    }));
    const pointer = await readRecord(store, "pointer");
    await write(store, node, {
      state: "ready",
      phase: "ready",
      ...(pointer === undefined ? {} : { revision: pointer.value.revision, apply: pointer.value.apply }),
    });
    await signal(instance, "SUCCESS");
  };

  /** One look of all nodes: what has changed for them since the last one. */
  const look = async (): Promise<void> => {
    const [first] = alive();
    if (first === undefined) return;
    const store = storeOf(first.instance);
    const [pointer, roster] = await Promise.all([readRecord(store, "pointer"), listRecords(store, "roster")]);
    if (pointer === undefined) return;
    const leaving = new Set(roster.filter(({ value }) => value.state === "leaving").map(({ value }) => value.instance));
    const picture = JSON.stringify([
      pointer.version,
      [...leaving],
      alive().map(({ identity, boots }) => [identity, boots]),
    ]);
    const quiet = picture === said && standIn.clock.now() - spoken < 45_000;
    if (quiet) return;
    [said, spoken] = [picture, standIn.clock.now()];
    await services(store);
    for (const node of alive()) {
      if (fleet.word(node.instance) !== "ready") continue;
      if (leaving.has(node.identity)) {
        node.left = true;
        await write(store, node, { state: "stopped", phase: "left" });
        continue;
      }
      const { revision, apply } = pointer.value;
      await write(store, node, { state: "ready", phase: "ready", revision, apply });
    }
  };

  /** What managers would say of the services that are wanted. */
  const services = async (store: ClusterStore): Promise<void> => {
    const pointer = (await readRecord(store, "pointer"))?.value;
    const wanted =
      pointer === undefined ? undefined : await readRecord(store, "servicesRevision", { revision: pointer.revision });
    for (const { name, replicas } of wanted?.value.services ?? [])
      await updateRecord(store, "service", { name }, () => {
        const count = replicas === "global" ? alive().length : replicas;
        return {
          name,
          revision: pointer?.revision ?? "",
          apply: pointer?.apply ?? 0,
          applied: "a",
          desired: count,
          running: count,
          state: "ready",
          drift: [],
          tasks: [],
          seen: standIn.clock.now(),
        };
      });
  };

  const rounds = async (): Promise<void> => {
    while (!stopped) {
      await inner.sleep(10_000);
      if (!stopped) await atOnce(look);
    }
  };

  const gone = async (instance: Instance): Promise<void> => {
    const node = nodes.get(instance.id);
    nodes.delete(instance.id);
    await atOnce(() => outOfRoster(node));
  };

  const outOfRoster = async (node: Node | undefined): Promise<void> => {
    const [other] = alive();
    if (node === undefined || other === undefined) return;
    if (node.role === "control" && !node.left) return;
    await updateRecord(storeOf(other.instance), "roster", { instance: node.identity }, (now) =>
      now === undefined ? undefined : { ...now, state: "gone", since: standIn.clock.now(), nonce: `n${++nonce}` },
    );
  };

  let nonce = 0;
  let spoken = 0;
  standIn.nodes = {
    booted(instance) {
      const node = nodes.get(instance.id);
      if (node === undefined) void enter(instance);
      else node.boots++;
    },
    leaving: (instance, group, hook) => obedient.leaving(instance, group, hook),
    stopped() {
      // Its record stands as it was; EC2 says that it is stopped.
    },
    terminated: (instance) => void gone(instance),
  };
  void rounds();
  return fleet;
}
