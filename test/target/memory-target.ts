import { setMaxListeners } from "node:events";
import type { Cluster, ClusterName, NodeName } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import { emitter, type Event } from "../../src/events/event.ts";
import { seededRandom, virtualClock, type VirtualClock } from "../../src/host/virtual.ts";
import type { Context } from "../../src/operations/context.ts";
import { thisProcess } from "../../src/host/owner.ts";
import { dockerTarget } from "../../src/targets/docker/target.ts";
import { dockerVolume } from "../../src/targets/docker/names.ts";
import type { Target } from "../../src/targets/target.ts";
import { copyEngine, memoryEngine, type MemoryEngine } from "./memory-engine.ts";
import { memoryCluster, type MemoryCluster } from "./memory-cluster.ts";
import { clockOf, engineOf, oneProcess, processesOf, storeOf, type OneProcess } from "./one-process.ts";

/**
 * A target in memory: the real Docker target (its looking, planning and applying) on an engine, a gateway's store and
 * agents in memory. What lies behind it is written down where it is made:
 * - `memory-engine.ts`: containers, volumes, networks, and the store that lies in the gateway's volume and goes with it;
 * - `memory-cluster.ts`: the nodes' agents, whose records the operations wait for, with etcd, Swarm (`memory-members.ts`)
 *   and services (`memory-services.ts`);
 * - `one-process.ts`: one run of the command line, which may be killed, or sleep, at each of its calls.
 * Beyond that: a local image gets into a running node's engine at once (`loadImage`); time is virtual and moves only when
 * everything that it does not depend on has come to rest, so that a world's course is the same every time.
 */
export type MemoryWorld = {
  readonly clock: VirtualClock;
  readonly engine: MemoryEngine;
  readonly clusters: Map<string, MemoryCluster>;
  /** Images on the operator's side, by reference. */
  readonly images: Map<string, string>;
};

const nodeImage = "node-image:test";
const agentsLook = 100;

export function memoryWorld(start?: number): MemoryWorld {
  const clock = virtualClock(start);
  return furnish({
    clock,
    engine: memoryEngine(clock),
    clusters: new Map(),
    images: new Map([["demo/hello", "sha256:hello"]]),
  });
}

function furnish(world: MemoryWorld): MemoryWorld {
  world.engine.changed = (what) => {
    for (const cluster of world.clusters.values()) cluster.changed(what);
  };
  void agentsRun(world);
  return world;
}

/** The agents' own loop; it ends with the test, when time no longer moves. */
async function agentsRun(world: MemoryWorld): Promise<never> {
  for (;;) {
    await world.clock.sleep(agentsLook);
    for (const name of new Set([...world.engine.networks.keys()])) clusterOf(world, name);
    for (const cluster of world.clusters.values()) await cluster.tick();
  }
}

export function clusterOf(world: MemoryWorld, name: string): MemoryCluster {
  const there = world.clusters.get(name) ?? memoryCluster(world.engine, world.clock, name);
  world.clusters.set(name, there);
  return there;
}

/** A world of its own that goes on from where this one stands. */
export async function copyWorld(from: MemoryWorld): Promise<MemoryWorld> {
  const clock = virtualClock(from.clock.now());
  const engine = await copyEngine(from.engine, clock);
  const clusters = new Map(
    [...from.clusters].map(
      ([name, its]) =>
        [
          name,
          memoryCluster(
            engine,
            clock,
            name,
            structuredClone(its.members),
            structuredClone(its.services),
            structuredClone(its.drift),
          ),
        ] as const,
    ),
  );
  return furnish({ clock, engine, clusters, images: new Map(from.images) });
}

/** One run of the command line on a world. */
export type Operator = {
  readonly context: Context;
  readonly process: OneProcess;
  readonly events: Event[];
  readonly abort: AbortController;
  readonly commands: (readonly string[])[];
};

let operators = 0;

/** A new process on the world; `elsewhere`: on another host, whose processes nobody here can ask. */
export function operator(
  world: MemoryWorld,
  options: {
    readonly elsewhere?: boolean;
    readonly environment?: Readonly<Record<string, string>>;
    readonly alive?: boolean;
  } = {},
): Operator {
  const { engine } = world;
  const own = oneProcess();
  const clock = clockOf(own, world.clock);
  const random = seededRandom(++operators * 7919);
  const commands: (readonly string[])[] = [];
  const nudge = (node: string): void => {
    for (const cluster of world.clusters.values()) cluster.nudge(node);
  };
  const target: Target = {
    ...(dockerTarget({
      environment: { SLIPWAY_NODE_IMAGE: nodeImage },
      node: "",
      architecture: "x64",
      platform: "linux",
      programs: "",
      cacheFolder: "",
      processes: processesOf(commands),
      clock,
      random,
      instead: {
        engine: engineOf(own, engine.api),
        store: (cluster) => storeOf(own, clock, () => engine.store(cluster)),
        runtime: { hash: "runtime", nodejs: "image", files: [] },
      },
    }) as Target),
    nudge: (node) => own.change(`nudge ${node}`, async () => nudge(node)),
    localImages: (references) =>
      own.look(async () => {
        const ids = references.map((reference): [string, string] => [reference, world.images.get(reference) ?? ""]);
        return new Map(ids.filter(([, id]) => id !== ""));
      }),
    async loadImage(reference, _id, nodes) {
      const loaded: NodeName[] = [];
      for (const node of nodes) {
        const kept = engine.volumes.get(dockerVolume(node))?.kept;
        const images = Array.isArray(kept?.["images"]) ? kept["images"] : [];
        if (kept === undefined || images.includes(reference)) continue;
        await own.change(`load ${reference} ${node}`, async () => {
          kept["images"] = [...images, reference];
          nudge(node);
        });
        loaded.push(node);
      }
      return loaded;
    },
  };
  const events: Event[] = [];
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const here = thisProcess();
  const context: Context = {
    target,
    emit: emitter(
      () => world.clock.now(),
      (event) => {
        if (!own.isDead()) events.push(event);
      },
    ),
    signal: abort.signal,
    clock,
    random,
    processes: { run: async () => Promise.reject(new Error("operations run no commands themselves")) },
    // One that is to be killed bears the number of a process that never was, so that its lock counts as left behind.
    owner:
      options.elsewhere === true
        ? { host: "elsewhere", process: operators, started: "1", user: "bob" }
        : options.alive === true
          ? here
          : { ...here, process: 4_194_304 + operators, started: "never" },
    environment: options.environment ?? {},
    readFile: async () => Promise.reject(new Error("there are no files")),
  };
  return { context, process: own, events, abort, commands };
}

export type End<Result> =
  | { readonly kind: "done"; readonly value: Result }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "killed" };

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Everything that promises and streams can bring about has happened. */
async function rest(): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet++) await turn();
}

/**
 * Lets time pass until the work ends or its process dies; at most half an hour of it. Time stands still while the process
 * is at work (certificates take real time), so that it runs the same way every time.
 */
export async function until<Result>(
  world: MemoryWorld,
  one: Pick<Operator, "process">,
  work: Promise<Result>,
): Promise<End<Result>> {
  const [end] = await untilAll(world, [{ one, work }]);
  if (end === undefined) throw new Error("one piece of work has one end");
  return end;
}

/** The same for several processes at once. */
export async function untilAll<Result>(
  world: MemoryWorld,
  runs: readonly { readonly one: Pick<Operator, "process">; readonly work: Promise<Result> }[],
): Promise<readonly End<Result>[]> {
  const ends: (End<Result> | undefined)[] = runs.map(() => undefined);
  for (const [n, { one, work }] of runs.entries()) {
    work.then(
      (value) => (ends[n] ??= { kind: "done", value }),
      (error: unknown) => (ends[n] ??= { kind: "failed", error }),
    );
    void one.process.dead.then(() => (ends[n] ??= { kind: "killed" }));
  }
  const atWork = (): boolean =>
    runs.some(({ one }, n) => ends[n] === undefined && !one.process.isHeld() && one.process.polls.count === 0);
  for (let steps = 0; steps < 18_000; steps++) {
    await rest();
    while (atWork()) await turn();
    const done = ends.filter((end) => end !== undefined);
    if (done.length === runs.length) return done;
    await world.clock.advance(agentsLook);
  }
  throw new Error(
    `nothing came of it within half an hour; last calls: ${runs.map(({ one }) => one.process.calls.at(-1)).join(", ")}`,
  );
}

/** Lets so many milliseconds pass. */
export async function pass(world: MemoryWorld, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += agentsLook) {
    await world.clock.advance(agentsLook);
    await rest();
  }
}

/** A cluster of the file; a bad one is the test's mistake. */
export function clusterFrom(text: string): Cluster {
  const read = readCluster(text, "cluster.yml");
  if (read.kind === "bad")
    throw new Error(read.problems.map((problem) => `${problem.path.join(".")}: ${problem.message}`).join("\n"));
  return read.value;
}

export const demo = "demo" as ClusterName;

/** `demo` with so many nodes and one service. */
export function demoCluster(
  control: number,
  worker: number,
  more: {
    readonly replicas?: number;
    readonly port?: number;
    readonly image?: string;
    readonly labels?: string;
    readonly files?: string;
    readonly orchestrator?: string;
  } = {},
): Cluster {
  const {
    replicas = 2,
    port = 8080,
    image = "demo/hello",
    labels = "{ disk: ssd }",
    files = "[]",
    orchestrator = "swarm",
  } = more;
  const services =
    orchestrator === "swarm"
      ? `services:\n  web: { image: ${image}, replicas: ${replicas}, ports: ["${port}:80"] }\n`
      : "";
  return clusterFrom(
    `name: demo\norchestrator: ${orchestrator}\ngroups:\n  control: { role: control, count: ${control} }\n  worker: { count: ${worker}, labels: ${labels}, files: ${files} }\n${services}`,
  );
}
