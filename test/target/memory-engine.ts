import { text } from "node:stream/consumers";
import { extract } from "tar-stream";
import type { Clock } from "../../src/host/clock.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import { EngineError, type Call, type Engine } from "../../src/targets/docker/engine.ts";
import { label } from "../../src/targets/docker/names.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";

/**
 * A Docker engine in memory, as far as Slipway's Docker target speaks to one. What it promises, as the real one does:
 * - Names are unique: a second container or network of a name is 409. A second volume of a name is the first, with the
 *   labels that it was made with.
 * - Making a container makes the volumes that it mounts and that are not there (without labels), but needs no network.
 *   Its state is `created` until it is started; starting a running one and stopping a stopped one are 304.
 * - Starting needs the network (404), an address in its subnet that no running container has (403), and published
 *   ports that no running container has (500).
 * - A running container is removed only with `force`; a volume only when no container mounts it (409); a network only
 *   when no running container is in it (403). What is not there is 404.
 * - Files that are put into a container last as long as the container; those below a mounted volume are not kept.
 * - A container of part `gateway` serves the store in its volume of part `store` from 300 ms after its start on.
 * - Ids of removed things are never given again. `calls` holds every call that could change something.
 */
export type MemoryContainer = {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly network: string;
  readonly address: string;
  readonly volumes: readonly string[];
  readonly ports: readonly {
    readonly inside: number;
    readonly protocol: "tcp" | "udp";
    readonly outside: number;
    readonly address: string;
  }[];
  state: "created" | "running" | "exited";
  /** Counts the starts; every start is another boot. */
  boots: number;
  since: number;
  files: Map<string, string>;
};
export type MemoryVolume = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What nodes keep in it: plain data. */
  readonly kept: Record<string, unknown>;
};
export type MemoryNetwork = {
  readonly id: string;
  readonly name: string;
  readonly subnet: string;
  readonly labels: Readonly<Record<string, string>>;
};

export type MemoryEngine = {
  readonly containers: Map<string, MemoryContainer>;
  readonly volumes: Map<string, MemoryVolume>;
  readonly networks: Map<string, MemoryNetwork>;
  readonly stores: Map<string, ClusterStore>;
  readonly calls: string[];
  /** How often it was asked for a list of everything. */
  lists: number;
  /** Called after every change. */
  changed: (what: string) => void;
  readonly api: Engine;
  /** The store of a cluster whose gateway runs and has come up. */
  store(cluster: string): ClusterStore | undefined;
};

const gatewayComesUp = 300;

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (now, name) => (typeof now === "object" && now !== null ? Reflect.get(now, name) : undefined),
    value,
  );
}
const fields = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];
const texts = (value: unknown): Record<string, string> =>
  Object.fromEntries(fields(value).map(([name, its]) => [name, String(its)]));

export function memoryEngine(clock: Clock, seed = 11): MemoryEngine {
  const random = seededRandom(seed);
  const engine: MemoryEngine = {
    containers: new Map(),
    volumes: new Map(),
    networks: new Map(),
    stores: new Map(),
    calls: [],
    lists: 0,
    changed: () => {},
    api: {
      bytes: async () => Buffer.alloc(0),
      stream: async (doing) => Promise.reject(new EngineError(`nothing is kept in memory: ${doing}`, undefined)),
      hijack: async (doing) => Promise.reject(new EngineError(`nothing runs in memory: ${doing}`, undefined)),
      async call(_doing, method, path, call = {}) {
        if (method === "GET") return route(method, path, call);
        const what = `${method} ${named(path)}${call.query?.["name"] === undefined ? "" : ` ${call.query["name"]}`}`;
        engine.calls.push(what);
        const answer = await route(method, path, call);
        engine.changed(what);
        return answer;
      },
    },
    store(cluster) {
      for (const container of engine.containers.values()) {
        if (container.labels[label.part] !== "gateway" || container.labels[label.cluster] !== cluster) continue;
        if (container.state !== "running" || clock.now() < container.since + gatewayComesUp) return undefined;
        return container.volumes.map((name) => engine.stores.get(name)).find((store) => store !== undefined);
      }
      return undefined;
    },
  };
  /** A path with a container's name in place of its id. */
  const named = (path: string): string => path.replace(/c-[0-9a-f]{16}/, (id) => find(id)?.name ?? id);
  const names = new Map<string, string>();
  const find = (name: string): MemoryContainer | undefined => {
    const there = engine.containers.get(name) ?? engine.containers.get(names.get(name) ?? "");
    if (there !== undefined && (there.name === name || there.id === name)) return there;
    // One that was put there by hand, or is gone.
    for (const container of engine.containers.values()) names.set(container.id, container.name);
    return [...engine.containers.values()].find(({ id }) => id === name);
  };
  const refuse = (status: number, message: string): never => {
    throw new EngineError(message, status);
  };

  function makeVolume(name: string, labels: Readonly<Record<string, string>>): void {
    if (engine.volumes.has(name)) return;
    engine.volumes.set(name, { name, labels, kept: {} });
    if (labels[label.part] === "store") engine.stores.set(name, memoryStore(random));
  }

  function makeContainer(name: string, body: unknown): unknown {
    if (engine.containers.has(name)) return refuse(409, `the name ${name} is taken`);
    const [[network, endpoint] = ["", undefined]] = fields(field(body, "NetworkingConfig", "EndpointsConfig"));
    const mounts = field(body, "HostConfig", "Mounts");
    const volumes = (Array.isArray(mounts) ? mounts : []).map((mount) => String(field(mount, "Source")));
    for (const volume of volumes) makeVolume(volume, {});
    const id = `c-${random.hex(8)}`;
    names.set(id, name);
    engine.containers.set(name, {
      id,
      name,
      labels: texts(field(body, "Labels")),
      network,
      address: String(field(endpoint, "IPAMConfig", "IPv4Address") ?? ""),
      volumes,
      ports: fields(field(body, "HostConfig", "PortBindings")).flatMap(([key, bindings]) => {
        const [inside = "", protocol] = key.split("/");
        return (Array.isArray(bindings) ? bindings : []).map((binding) => ({
          inside: Number(inside),
          protocol: protocol === "udp" ? ("udp" as const) : ("tcp" as const),
          outside: Number(field(binding, "HostPort")) || 30_000 + Math.floor(random.fraction() * 20_000),
          address: String(field(binding, "HostIp")),
        }));
      }),
      state: "created",
      boots: 0,
      since: 0,
      files: new Map(),
    });
    return { Id: id };
  }

  function start(container: MemoryContainer): void {
    if (container.state === "running") refuse(304, "it runs already");
    const network = engine.networks.get(container.network) ?? refuse(404, `there is no network ${container.network}`);
    const [begin = ""] = (network.subnet.split("/")[0] ?? "").split(".");
    if (!container.address.startsWith(`${begin}.`)) refuse(403, `${container.address} is not in ${network.subnet}`);
    for (const other of engine.containers.values()) {
      if (other === container || other.state !== "running") continue;
      if (other.network === container.network && other.address === container.address)
        refuse(403, `address ${container.address} is in use by ${other.name}`);
      for (const port of container.ports) {
        if (
          other.ports.some(
            (its) => its.outside === port.outside && its.protocol === port.protocol && its.address === port.address,
          )
        )
          refuse(500, `port ${port.outside} is in use`);
      }
    }
    container.state = "running";
    container.boots++;
    container.since = clock.now();
  }

  async function put(container: MemoryContainer, folder: string, call: Call): Promise<void> {
    if (call.archive === undefined) return refuse(400, "no archive");
    const files = extract();
    const done = (async () => {
      for await (const entry of files) {
        const content = entry.header.type === "file" ? await text(entry) : `-> ${entry.header.linkname ?? ""}`;
        container.files.set(`${folder}/${entry.header.name}`, content);
        entry.resume();
      }
    })();
    call.archive.pipe(files);
    await done;
  }

  function listed(call: Call, labels: Readonly<Record<string, string>>): boolean {
    const filters: unknown = JSON.parse(String(call.query?.["filters"] ?? "{}"));
    const wanted = field(filters, "label");
    return (Array.isArray(wanted) ? wanted : []).every((filter) => {
      const [name = "", value] = String(filter).split("=");
      return value === undefined ? labels[name] !== undefined : labels[name] === value;
    });
  }

  async function route(method: string, path: string, call: Call): Promise<unknown> {
    const [kind = "", name = "", act] = path.slice(1).split("/");
    const key = `${method} ${kind}${act === undefined ? "" : `/${act}`}`;
    if (path === "/containers/json") {
      engine.lists++;
      return [...engine.containers.values()]
        .filter((container) => listed(call, container.labels))
        .map(({ id, name: its, state, labels, ports }) => ({
          Id: id,
          Names: [`/${its}`],
          State: state,
          Labels: { ...labels },
          Ports:
            state === "running"
              ? ports.map((port) => ({
                  PrivatePort: port.inside,
                  PublicPort: port.outside,
                  IP: port.address,
                  Type: port.protocol,
                }))
              : [],
        }));
    }
    if (path === "/volumes")
      return {
        Volumes: [...engine.volumes.values()]
          .filter(({ labels }) => listed(call, labels))
          .map((volume) => ({ Name: volume.name, Labels: volume.labels })),
      };
    const networkOf = (network: MemoryNetwork): unknown => ({
      Id: network.id,
      Name: network.name,
      Labels: network.labels,
      IPAM: { Config: [{ Subnet: network.subnet }] },
    });
    // Without an id nothing that was found out of it is remembered.
    if (path === "/info") return {};
    // Whatever image is asked for is there, and says nothing of itself.
    if (/^\/images\/.+\/json$/.test(path)) return {};
    if (path === "/networks")
      return [...engine.networks.values()].filter(({ labels }) => listed(call, labels)).map(networkOf);
    if (path === "/networks/create") {
      const its = String(field(call.body, "Name"));
      if (engine.networks.has(its)) return refuse(409, `the network ${its} is there`);
      const [config] = (field(call.body, "IPAM", "Config") ?? []) as unknown[];
      engine.networks.set(its, {
        id: `n-${random.hex(6)}`,
        name: its,
        subnet: String(field(config, "Subnet")),
        labels: texts(field(call.body, "Labels")),
      });
      return {};
    }
    if (path === "/volumes/create") {
      makeVolume(String(field(call.body, "Name")), texts(field(call.body, "Labels")));
      return {};
    }
    if (path === "/containers/prune") return {};
    if (path === "/containers/create") return makeContainer(String(call.query?.["name"]), call.body);
    if (kind === "containers") {
      const container = find(name) ?? refuse(404, `no such container: ${name}`);
      switch (key) {
        case "GET containers/json":
          return {
            Id: container.id,
            State: { Status: container.state, Running: container.state === "running" },
            Config: { Labels: { ...container.labels } },
          };
        case "POST containers/start":
          return start(container);
        case "POST containers/stop":
          if (container.state !== "running") return refuse(304, "it does not run");
          container.state = "exited";
          return undefined;
        case "PUT containers/archive":
          return put(container, String(call.query?.["path"]), call);
        case "DELETE containers":
          if (container.state === "running" && call.query?.["force"] !== true) return refuse(409, `${name} runs`);
          engine.containers.delete(container.name);
          return undefined;
      }
    }
    if (key === "DELETE volumes") {
      if (!engine.volumes.has(name)) return refuse(404, `no such volume: ${name}`);
      const user = [...engine.containers.values()].find(({ volumes }) => volumes.includes(name));
      if (user !== undefined) return refuse(409, `volume ${name} is in use by ${user.name}`);
      engine.volumes.delete(name);
      engine.stores.delete(name);
      return undefined;
    }
    if (key === "GET networks") return networkOf(engine.networks.get(name) ?? refuse(404, `no such network: ${name}`));
    if (key === "DELETE networks") {
      if (!engine.networks.has(name)) return refuse(404, `no such network: ${name}`);
      const user = [...engine.containers.values()].find(
        ({ network, state }) => network === name && state === "running",
      );
      if (user !== undefined) return refuse(403, `network ${name} has the active endpoint ${user.name}`);
      engine.networks.delete(name);
      return undefined;
    }
    return refuse(404, `the engine in memory knows no ${method} ${path}`);
  }
  return engine;
}

/** A copy that shares nothing with the original: containers, volumes with what is in them, networks, stores. */
export async function copyEngine(from: MemoryEngine, clock: Clock): Promise<MemoryEngine> {
  const to = memoryEngine(clock, 1_000 + from.calls.length);
  for (const [name, container] of from.containers)
    to.containers.set(name, { ...container, files: new Map(container.files) });
  for (const [name, volume] of from.volumes) to.volumes.set(name, structuredClone(volume));
  for (const [name, network] of from.networks) to.networks.set(name, network);
  for (const [name, store] of from.stores) {
    const copy = memoryStore(seededRandom(1_000 + from.calls.length));
    for (const key of (await store.list("")).keys()) {
      const entry = await store.get(key);
      if (entry !== undefined) await copy.putIfAbsent(key, entry.value);
    }
    to.stores.set(name, copy);
  }
  return to;
}
