import { PassThrough } from "node:stream";
import type { ClusterName, NodeName } from "../../src/cluster/cluster.ts";
import { dataLost } from "../../src/components/etcd/join.ts";
import { emitter, type Event } from "../../src/events/event.ts";
import type { Processes } from "../../src/host/processes.ts";
import { systemProcesses } from "../../src/host/processes.ts";
import { seededRandom, virtualClock, type VirtualClock } from "../../src/host/virtual.ts";
import type { Context } from "../../src/operations/context.ts";
import type { Observed, ObservedNode } from "../../src/plan/plan.ts";
import { encodeRecord, keyOf, updateRecord } from "../../src/records/access.ts";
import type { RecordName, RecordValue } from "../../src/records/table.ts";
import { memoryStore } from "../../src/store/memory.ts";
import { StoreError, type ClusterStore } from "../../src/store/store.ts";
import type { ExecOptions, ExecResult, NodeAccess, Target } from "../../src/targets/target.ts";

/**
 * A target in memory. What it promises, as the real one does:
 * - `observe` shows every node with its container's state at this moment; an unknown cluster is `absent`.
 * - `start` and `stop` change that state, and each is noted in `calls`; `stop` of a stopped node succeeds.
 * - `exec` on a node that does not run throws; else the `exec` handler answers, and its output goes where it is asked to.
 * - `store` is one in-memory store per cluster; `storeDown` makes it unreachable.
 * - `fail` is the failure switch: asked before every call, an error that it gives is thrown.
 * - `onStart` plays the node's agent.
 */
export type FakeTarget = Target & {
  readonly calls: string[];
  readonly stores: Map<ClusterName, ClusterStore>;
  nodes: ObservedNode[];
  published: Observed["published"];
  storeDown: boolean;
  consoleText: string;
  exec: (node: NodeName, command: readonly string[], options: ExecOptions) => ExecResult | Promise<ExecResult>;
  onStart: (node: ObservedNode) => Promise<void>;
  fail: (call: string) => Error | undefined;
};

export const demo = "demo" as ClusterName;
export const start = 1_700_000_000_000;

export function observedNode(group: string, n: number, fields: Partial<ObservedNode> = {}): ObservedNode {
  const name = `demo-${group}-${n}` as NodeName;
  const role = group === "control" ? "control" : "worker";
  return {
    name,
    group,
    role,
    instance: `i-${group}-${n}`,
    address: `10.0.${role === "control" ? 0 : 1}.${n}`,
    state: "running",
    shape: "s",
    ...fields,
  };
}

export function fakeTarget(nodes: readonly ObservedNode[] = threeAndTwo()): FakeTarget {
  const target: FakeTarget = {
    name: "docker",
    body: "container",
    calls: [],
    stores: new Map([[demo, memoryStore(seededRandom(1))]]),
    nodes: [...nodes],
    published: [],
    storeDown: false,
    consoleText: "",
    exec: () => ({ code: 0, stdout: "", stderr: "" }),
    onStart: async () => {},
    fail: () => undefined,
    examine: async () => [{ subject: "engine", state: "good", message: "reachable" }],
    list: async () => [...target.stores.keys()],
    wake: async () => undefined,
    async store(cluster) {
      const store = target.stores.get(cluster);
      if (target.storeDown) throw new StoreError("unreachable", "the gateway does not answer");
      return store === undefined ? undefined : { store, address: "10.0.0.254", close: async () => {} };
    },
    async observe(cluster) {
      const there = target.stores.has(cluster);
      return {
        cluster,
        state: there ? "present" : "absent",
        nodes: there ? [...target.nodes] : [],
        published: target.published,
      };
    },
    node: (name) => nodeAccess(target, name),
    prepare: async () => Promise.reject(new Error("not part of this fake")),
    plan: async () => ({ changes: [], steps: [] }),
    removal: (node, cluster) => {
      const common = { carries: [], subject: node.name, wave: 0 };
      return [
        { ...common, kind: "retire", title: "retire", node },
        { ...common, kind: "work", title: "remove", work: { remove: node.name, cluster } },
        { ...common, kind: "forget", title: "forget", instance: node.instance },
      ];
    },
    async apply(work) {
      if (typeof work !== "object" || work === null || !("remove" in work)) throw new Error("not a work of this fake");
      target.calls.push(`remove ${String(work.remove)}`);
      target.nodes = target.nodes.filter((node) => node.name !== work.remove);
    },
    nudge: async () => {},
    localImages: async () => new Map(),
    loadImage: async () => [],
    leftovers: async () => [],
  };
  return target;
}

function nodeAccess(target: FakeTarget, name: NodeName): NodeAccess {
  const called = (call: string): void => {
    target.calls.push(call);
    const error = target.fail(call);
    if (error !== undefined) throw error;
  };
  const node = (): ObservedNode => {
    const found = target.nodes.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`no such container: ${name}`);
    return found;
  };
  const become = (state: ObservedNode["state"]): void => {
    target.nodes = target.nodes.map((candidate) => (candidate.name === name ? { ...candidate, state } : candidate));
  };
  const access: NodeAccess = {
    async exec(command, options = {}) {
      called(`exec ${name} ${command.join(" ")}`);
      if (node().state !== "running") throw new Error(`container ${name} is not running`);
      const result = await target.exec(name, command, options);
      if (options.output === undefined) return result;
      for (const stream of ["stdout", "stderr"] as const) {
        if (result[stream] !== "") options.output(stream, new TextEncoder().encode(result[stream]));
      }
      return { code: result.code, stdout: "", stderr: "" };
    },
    terminal: (command) => ["docker", "exec", "-it", name, ...command],
    put: async () => called(`put ${name}`),
    get: async () => {
      called(`get ${name}`);
      return new Uint8Array();
    },
    console: async (lines) => {
      called(`console ${name}`);
      return target.consoleText.split("\n").slice(-lines).join("\n");
    },
    async start() {
      called(`start ${name}`);
      become("running");
      await target.onStart(node());
    },
    async stop() {
      called(`stop ${name}`);
      become("stopped");
    },
    async restart() {
      await access.stop(0);
      await access.start();
    },
    connect: async () => new PassThrough(),
  };
  return access;
}

export const threeAndTwo = (): ObservedNode[] => [
  observedNode("control", 1),
  observedNode("control", 2),
  observedNode("control", 3),
  observedNode("worker", 1),
  observedNode("worker", 2),
];

export type World = {
  readonly context: Context;
  readonly target: FakeTarget;
  readonly store: ClusterStore;
  readonly clock: VirtualClock;
  readonly events: Event[];
  readonly abort: AbortController;
};

/** A context around a fake target, with a virtual clock. */
export function world(target: FakeTarget = fakeTarget(), processes: Processes = systemProcesses): World {
  const clock = virtualClock(start);
  const events: Event[] = [];
  const abort = new AbortController();
  const store = target.stores.get(demo);
  if (store === undefined) throw new Error("the fake target has no store for demo");
  const context: Context = {
    target,
    emit: emitter(
      () => clock.now(),
      (event) => events.push(event),
    ),
    signal: abort.signal,
    clock,
    random: seededRandom(7),
    processes,
    owner: { host: "test", process: 1, started: "1", user: "ann" },
    environment: {},
    readFile: async (path) => (await import("node:fs/promises")).readFile(path),
  };
  return { context, target, store, clock, events, abort };
}

/** Lets virtual time pass until the promise is settled; at most an hour of it. */
export async function run<Result>({ clock }: World, promise: Promise<Result>): Promise<Result> {
  let done = false;
  const settled = Promise.allSettled([promise]).then(() => {
    done = true;
  });
  for (let steps = 0; !done && steps < 36_000; steps++) await clock.advance(100);
  await settled;
  return promise;
}

export async function put<Name extends RecordName>(
  store: ClusterStore,
  name: Name,
  parts: Readonly<Record<string, string>>,
  value: RecordValue<Name>,
): Promise<void> {
  const written = await updateRecord(store, name, parts, () => value);
  if (written === undefined)
    throw new Error(`${keyOf(name, parts)} was not written: ${new TextDecoder().decode(encodeRecord(value))}`);
}

export function rosterRecord(node: ObservedNode, fields: Partial<RecordValue<"roster">> = {}): RecordValue<"roster"> {
  const { instance, group, role, address } = node;
  return {
    instance,
    node: node.name,
    group,
    role,
    address,
    state: "present",
    tokenHash: "hash-of-token",
    since: start,
    nonce: "n",
    ...fields,
  };
}

export const etcdId = (node: ObservedNode): string => `etcd-${node.instance}`;

/** A ready node's record; a control node's holds etcd and Swarm as seen from there. */
export function nodeRecord(node: ObservedNode, fields: Partial<RecordValue<"node">> = {}): RecordValue<"node"> {
  return {
    instance: node.instance,
    node: node.name,
    revision: "r1",
    apply: 0,
    nudges: 0,
    state: "ready",
    phase: "ready",
    log: [],
    since: start,
    seen: start,
    boot: "b1",
    settled: {},
    units: [],
    drift: [],
    disk: [],
    certificates: {},
    ...fields,
  };
}

export function controlRecord(
  node: ObservedNode,
  all: readonly ObservedNode[],
  fields: Partial<RecordValue<"node">> = {},
): RecordValue<"node"> {
  const control = all.filter((candidate) => candidate.role === "control");
  const first = control[0] ?? node;
  return nodeRecord(node, {
    etcd: {
      memberId: etcdId(node),
      clusterId: "c",
      leader: etcdId(first),
      members: control.map((member) => ({
        id: etcdId(member),
        name: member.name,
        learner: false,
        healthy: true,
      })),
    },
    swarm: { nodeId: `s-${node.instance}`, manager: true, leader: node === first, mesh: true },
    ...fields,
  });
}

/** Fills the store as a ready cluster does. */
export async function fillReady(
  store: ClusterStore,
  nodes: readonly ObservedNode[] = threeAndTwo(),
  seen = start,
): Promise<void> {
  await put(
    store,
    "cluster",
    {},
    {
      name: "demo",
      orchestrator: "swarm",
      generation: "g1",
      founders: 3,
      created: start,
      nonce: "n",
    },
  );
  await put(store, "generation", { generation: "g1" }, { generation: "g1", state: "open", nonce: "n" });
  await put(store, "pointer", {}, { revision: "r1", apply: 0, nonce: "n" });
  await put(
    store,
    "servicesRevision",
    { revision: "r1" },
    { revision: "r1", services: [wantedWeb()], labels: {}, logins: [] },
  );
  await put(store, "service", { name: "web" }, webRecord({ seen }));
  const [first] = nodes;
  if (first !== undefined) {
    const swarm = { clusterId: "s", instance: first.instance, epoch: 1, nonce: "n" };
    await put(store, "swarmCluster", { generation: "g1" }, swarm);
  }
  for (const node of nodes.filter(({ role }) => role === "control")) {
    const joined = { clusterId: "c", memberId: etcdId(node), time: start };
    await put(store, "etcdJoined", { generation: "g1", instance: node.instance }, joined);
  }
  for (const node of nodes) {
    await put(store, "roster", { instance: node.instance }, rosterRecord(node));
    await put(
      store,
      "node",
      { instance: node.instance },
      node.role === "control" ? controlRecord(node, nodes, { seen }) : nodeRecord(node, { seen }),
    );
  }
}

/** Two of three control nodes have lost etcd's data since they were all there, and the third alone can tell nothing. */
export async function loseMajority(store: ClusterStore, nodes: readonly ObservedNode[]): Promise<void> {
  for (const [at, node] of nodes.filter(({ role }) => role === "control").entries()) {
    const reason = at === 0 ? "etcd answers without a quorum" : `${dataLost}; no etcd cluster with quorum answers`;
    const record = nodeRecord(node, { state: "starting", phase: "etcd", reason });
    await put(store, "node", { instance: node.instance }, record);
  }
}

/** What managers say of the service `web`, which runs as it is wanted. */
export function webRecord(fields: Partial<RecordValue<"service">> = {}): RecordValue<"service"> {
  return {
    name: "web",
    applied: "h",
    revision: "r1",
    apply: 0,
    desired: 2,
    running: 2,
    state: "ready",
    drift: [],
    tasks: [],
    seen: start,
    ...fields,
  };
}

export function wantedWeb(): RecordValue<"servicesRevision">["services"][number] {
  return {
    name: "web",
    image: "demo/hello",
    command: [],
    replicas: 2,
    ports: [{ published: 8080, target: 80, protocol: "tcp" }],
    environment: { PASSWORD: "hunter2" },
    labels: {},
    mounts: [],
    update: { parallelism: 1, delay: 0, monitor: 0, order: "stop-first", onFailure: "pause" },
    constraints: {},
    secrets: [],
  };
}
