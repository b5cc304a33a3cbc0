import type { Cluster, ClusterName, NodeName } from "../../cluster/cluster.ts";
import type { Clock } from "../../host/clock.ts";
import type { Processes } from "../../host/processes.ts";
import type { Random } from "../../host/random.ts";
import { httpStore } from "../../store/client.ts";
import type { ClusterStore } from "../../store/store.ts";
import type { Leftover, Run, StoreAccess, Target } from "../target.ts";
import { nodeAccess } from "./access.ts";
import { applyWork, ensureGateway, ensureNetwork } from "./apply.ts";
import { detectRights, removeProbes } from "./capabilities.ts";
import { operatorSocket } from "./container.ts";
import { textAt } from "../../host/answer.ts";
import { openEngine, orDone, type Engine, type EngineEnvironment } from "./engine.ts";
import { ensureNodeImage, type ImageNodejs, type NodeImageOptions, nodejsIn, wantedImageTag } from "./image.ts";
import { loadImage, localImages } from "./images.ts";
import { gatewayName, label } from "./names.ts";
import { freeSubnet, gatewayAddress } from "./network.ts";
import { look, observed, takenSubnets, type World } from "./observe.ts";
import { planCleanup, planLaunch, removal, wantedGateway } from "./plan.ts";
import { rememberedRights, type Rights } from "./rights.ts";
import { findRuntime, type Runtime } from "./runtime.ts";
import { exec } from "./exec.ts";
import { tunnel } from "./tunnel.ts";
import type { DockerWork } from "./work.ts";

export type DockerOptions = {
  readonly environment: EngineEnvironment;
  /** The operator's own Node.js, which nodes run too: it is put into the node image, or into each cluster where that has none. */
  readonly node: string;
  /** As Node.js names them; of the operator's machine. */
  readonly architecture: string;
  readonly platform: string;
  /** Folder of agent.js and gateway.js. */
  readonly programs: string;
  readonly cacheFolder: string;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  /** What stands in for Docker where there is none: the engine, the stores behind gateways, the nodes' programs. */
  readonly instead?: {
    readonly engine: Engine;
    readonly store: (cluster: ClusterName) => ClusterStore;
    readonly runtime: Runtime;
  };
};

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function linuxNodejs({ node, architecture, platform }: DockerOptions): Pick<NodeImageOptions, "nodejs"> {
  const known = platform !== "linux" ? undefined : { x64: "amd64", arm64: "arm64" }[architecture];
  return known === "amd64" || known === "arm64" ? { nodejs: { path: node, architecture: known } } : {};
}

/** The Docker target: clusters of systemd containers on the engine that the docker command uses. */
export function dockerTarget(options: DockerOptions): Target<DockerWork> {
  const { processes, clock, random, instead } = options;
  const engine = instead?.engine ?? openEngine(options.environment);
  let image: string | undefined;
  let nodejs: ImageNodejs | undefined;
  const named = options.environment["SLIPWAY_NODE_IMAGE"];
  /** Builds the image when it is not there; only `prepare` does. */
  const ensureImage = async (run: Run): Promise<string> => {
    const given = named === undefined ? linuxNodejs(options) : { image: named };
    const made = await ensureNodeImage({ engine, processes, clock, emit: run.emit, signal: run.signal, ...given });
    ({ image, nodejs } = made);
    return made.image;
  };
  const nodeImage = async (): Promise<string> => {
    const tag = image ?? named ?? (await wantedImageTag(engine));
    image = tag;
    return tag;
  };
  const runtime = async (): Promise<Runtime> => {
    if (instead !== undefined) return instead.runtime;
    nodejs ??= await nodejsIn(engine, await nodeImage());
    return findRuntime(options, nodejs);
  };
  const rights = once<Rights>(async () => {
    const tag = await nodeImage();
    const [found] = await Promise.all([
      rememberedRights({ engine, image: tag, cacheFolder: options.cacheFolder }, () =>
        detectRights({ image: tag, processes }),
      ),
      removeProbes(engine),
    ]);
    return found;
  });

  const world = async (cluster: ClusterName): Promise<World> => ({ cluster, ...(await look(engine, cluster)) });

  const access = (cluster: ClusterName, subnet: string, gateway: "serves" | "starts" = "serves"): StoreAccess => {
    if (instead !== undefined)
      return { store: instead.store(cluster), address: gatewayAddress(subnet), close: async () => {} };
    // One that starts is waited for where its socket will be: to come back again and again is a process each time.
    const to = `UNIX-CONNECT:${operatorSocket}${gateway === "starts" ? ",retry=100,interval=0.05" : ""}`;
    const store = httpStore({ connect: () => tunnel(engine, gatewayName(cluster), to) });
    return { store, address: gatewayAddress(subnet), close: async () => store.close() };
  };

  const networkOf = (seen: World): string | undefined =>
    seen.networks.find((network) => network.labels[label.part] === "network")?.subnets[0];

  async function subnetOf(cluster: Cluster, seen: World): Promise<string> {
    const there = networkOf(seen);
    if (there !== undefined) return there;
    if (cluster.docker.subnet !== undefined) return cluster.docker.subnet;
    const nodes = cluster.groups.reduce((sum, group) => sum + group.count, 0);
    return freeSubnet(cluster.name, nodes, await takenSubnets(engine));
  }

  return {
    name: "docker",
    body: "container",
    image: { wanted: nodeImage, ensure: ensureImage },

    ending: {
      async end({ name, instance }, _, seconds) {
        const work: DockerWork = { kind: "end", node: name, instance, seconds };
        await applyWork(engine, work, { rights, runtime, admission: undefined });
        return "away";
      },
      settle: async () => {
        // A container that is gone is all there was of a machine.
      },
    },

    async examine() {
      try {
        const [version, info] = await Promise.all([
          engine.call("tell its version", "GET", "/version"),
          engine.call("tell about itself", "GET", "/info"),
        ]);
        const cgroup = textAt(info, "CgroupVersion") || "1";
        return [
          {
            subject: "docker engine",
            state: "good",
            message: `${textAt(version, "Version")}, API ${textAt(version, "ApiVersion")}, ${textAt(info, "Driver")}, cgroup v${cgroup}`,
          },
        ];
      } catch (error) {
        return [
          {
            subject: "docker engine",
            state: "bad",
            message: error instanceof Error ? error.message : String(error),
            fix: "start Docker, or set DOCKER_HOST or a docker context that reaches one",
          },
        ];
      }
    },

    async list() {
      const all = await look(engine, undefined);
      const names = new Set<string>();
      for (const { labels } of [...all.containers, ...all.volumes, ...all.networks])
        names.add(labels[label.cluster] ?? "");
      names.delete("");
      // Read back from labels that were written from clusters' names.
      return [...names].toSorted() as ClusterName[];
    },

    async store(cluster) {
      const seen = await world(cluster);
      const gateway = seen.containers.find((container) => container.labels[label.part] === "gateway");
      const subnet = networkOf(seen);
      return gateway?.state === "running" && subnet !== undefined ? access(cluster, subnet) : undefined;
    },

    async wake(cluster) {
      const seen = await world(cluster);
      const gateway = seen.containers.find((container) => container.labels[label.part] === "gateway");
      const subnet = networkOf(seen);
      if (gateway === undefined || gateway.state === "running" || subnet === undefined) return;
      await orDone(engine.call(`start ${gateway.name}`, "POST", `/containers/${gateway.id}/start`));
      const opened = access(cluster, subnet, "starts");
      await untilAnswers(opened, { emit: () => undefined, signal: new AbortController().signal });
      await opened.close();
    },

    observe: async (cluster) => observed(await world(cluster)),

    node: (name) => nodeAccess(engine, name),

    async prepare(cluster, run) {
      const [nodes, seen] = await Promise.all([ensureImage(run), world(cluster.name)]);
      const programs = await runtime();
      // Found out beside the gateway's start; a refusal is thrown where the first node is made.
      void Promise.allSettled([rights()]);
      let subnet = await subnetOf(cluster, seen);
      const gateway = seen.containers.find((container) => container.labels[label.part] === "gateway");
      // An existing gateway is brought up to date under the lock, as a step of the plan.
      if (gateway === undefined || gateway.state === "created") {
        await ensureNetwork(engine, cluster.name, subnet);
        // Another operator may have made it a moment before, with another subnet.
        subnet = networkOf(await world(cluster.name)) ?? subnet;
        await ensureGateway(engine, cluster.name, wantedGateway(cluster, nodes, programs.hash, subnet), programs);
      } else if (gateway.state !== "running")
        await orDone(engine.call(`start ${gateway.name}`, "POST", `/containers/${gateway.id}/start`));
      const opened = access(cluster.name, subnet, "starts");
      await untilAnswers(opened, run);
      return opened;
    },

    async plan(cluster, seen) {
      const now = await world(seen.cluster);
      if (cluster === undefined) return planCleanup(now);
      const [nodes, programs] = await Promise.all([nodeImage(), runtime()]);
      const subnet = await subnetOf(cluster, now);
      return planLaunch(
        { cluster, image: nodes, runtime: programs.hash, subnet, instance: () => `i-${random.hex(6)}` },
        now,
        seen,
      );
    },

    removal: (node, cluster) => removal(cluster, `node:${node.name}`, node, 0),

    // A container that does not run has nobody to tell: its agent looks when it starts.
    nudge: (name) => orDone(reload(name)),

    localImages: (references) => localImages(engine, references),
    loadImage: (reference, id, nodes, run) => loadImage({ engine, clock, signal: run.signal }, reference, id, nodes),

    async apply(work, run) {
      await applyWork(engine, work, { rights, runtime, admission: run.admission });
      if (work.kind !== "gateway") return;
      // The next step asks the new gateway's store for the lock.
      const opened = access(work.cluster, work.gateway.subnet, "starts");
      try {
        await untilAnswers(opened, run);
      } finally {
        await opened.close();
      }
    },

    async leftovers(cluster): Promise<readonly Leftover[]> {
      const [seen] = await Promise.all([world(cluster), removeProbes(engine)]);
      return [
        ...seen.containers.map(({ name, state }) => ({ kind: "container", name, blocker: `it is ${state}` })),
        ...seen.volumes.map(({ name }) => ({ kind: "volume", name })),
        ...seen.networks.map(({ name }) => ({ kind: "network", name })),
      ];
    },
  };

  async function reload(name: NodeName): Promise<void> {
    const signal = AbortSignal.timeout(20_000);
    const { code, stderr } = await exec(engine, name, ["systemctl", "reload", "slipway-agent.service"], { signal });
    // 1: it is just starting, or starting again after its own update; it looks anyway.
    if (code > 1) throw new Error(`the agent of ${name} cannot be told to look: ${stderr.trim()}`);
  }

  /** The gateway has just been started: its store answers within a second or so; 30 s is the bound. */
  async function untilAnswers(opened: StoreAccess, run: Run): Promise<void> {
    const deadline = clock.now() + 30_000;
    for (;;) {
      try {
        await opened.store.get("cluster");
        return;
      } catch (error) {
        if (clock.now() > deadline || run.signal.aborted) throw error;
        await clock.sleep(100, run.signal);
      }
    }
  }
}
