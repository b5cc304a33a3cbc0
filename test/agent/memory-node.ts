import type { Me, NodePorts } from "../../src/components/node.ts";
import type { Systemd, UnitState } from "../../src/components/systemd.ts";
import type { NodeFiles, Ownership } from "../../src/host/nodeFiles.ts";
import { seededRandom, virtualClock, type VirtualClock } from "../../src/host/virtual.ts";
import { memoryStore } from "../../src/store/memory.ts";

/**
 * A node in memory, for the agent. Files: whole texts with mode and owner; `root` is 0, `etcd` is 101; a link has a target and
 * no text; removing a folder removes what is below. systemd: a unit that is started is active, one that is masked can be neither started nor enabled;
 * `enable` and `mask` are remembered as systemd does, by unit file state. Every call that changes something is in `calls`,
 * in order. `failing` names units whose start fails.
 */
export type MemoryNode = {
  readonly ports: NodePorts;
  readonly clock: VirtualClock;
  readonly calls: string[];
  readonly texts: Map<string, { content: string; owner: Ownership }>;
  readonly links: Map<string, string>;
  readonly states: Map<string, { active: string; enabled: string; masked: boolean }>;
  readonly said: string[];
  readonly failing: Set<string>;
};

const users: Readonly<Record<string, number>> = { root: 0, etcd: 101 };

const refuse = async (): Promise<never> => {
  throw new Error("not part of this fake");
};

/** An etcd that nobody reaches. */
const unreachable: NodePorts["etcd"] = {
  status: refuse,
  members: refuse,
  reads: refuse,
  addLearner: refuse,
  promote: refuse,
  remove: refuse,
  moveLeader: refuse,
  auth: {
    enabled: refuse,
    enable: refuse,
    user: refuse,
    addUser: refuse,
    removeUser: refuse,
    grantRole: refuse,
    role: refuse,
    addRole: refuse,
    grant: refuse,
    revoke: refuse,
  },
};

export function memoryNode(fields: Partial<Me> = {}, etcd: NodePorts["etcd"] = unreachable): MemoryNode {
  const calls: string[] = [];
  const texts: MemoryNode["texts"] = new Map();
  const links = new Map<string, string>();
  const states: MemoryNode["states"] = new Map();
  const said: string[] = [];
  const failing = new Set<string>();
  const clock = virtualClock();
  const random = seededRandom(3);
  const ids = async (owner: Ownership): Promise<{ uid: number; gid: number }> => ({
    uid: users[owner.user] ?? 1_000,
    gid: users[owner.group] ?? 1_000,
  });
  const files: NodeFiles = {
    read: async (path) => texts.get(path)?.content,
    async bytes(path) {
      const there = texts.get(path);
      return there === undefined ? undefined : Buffer.from(there.content, "utf8");
    },
    async write(path, content, owner) {
      calls.push(`write ${path}`);
      links.delete(path);
      texts.set(path, {
        content: typeof content === "string" ? content : Buffer.from(content).toString("utf8"),
        owner,
      });
    },
    async create(path, content, owner) {
      if (texts.has(path)) return false;
      calls.push(`create ${path}`);
      texts.set(path, { content, owner });
      return true;
    },
    async makeFolder(path) {
      calls.push(`folder ${path}`);
    },
    async link(path, target) {
      calls.push(`link ${path}`);
      texts.delete(path);
      links.set(path, target);
    },
    linkTarget: async (path) => links.get(path),
    async ownership(path) {
      const there = texts.get(path);
      if (there === undefined) return links.has(path) ? { mode: 0o777, uid: 0, gid: 0, kind: "link" } : undefined;
      return { mode: there.owner.mode, ...(await ids(there.owner)), kind: "file" };
    },
    ids,
    async remove(path) {
      calls.push(`remove ${path}`);
      for (const all of [texts, links])
        for (const its of all.keys()) if (its === path || its.startsWith(`${path}/`)) all.delete(its);
    },
    async move(from, to) {
      const there = texts.get(from);
      if (there === undefined) throw new Error(`${from} is not there`);
      texts.delete(from);
      texts.set(to, there);
    },
    list: async (folder) =>
      [...texts.keys()].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)),
    space: async () => ({ size: 1_000, free: 500 }),
  };
  const unit = (name: string): { active: string; enabled: string; masked: boolean } => {
    const there = states.get(name) ?? { active: "inactive", enabled: "disabled", masked: false };
    states.set(name, there);
    return there;
  };
  const each = (
    verb: string,
    names: readonly string[],
    change: (its: ReturnType<typeof unit>, name: string) => void,
  ): void => {
    if (names.length === 0) return;
    calls.push(`${verb} ${names.join(" ")}`);
    for (const name of names) change(unit(name), name);
  };
  const start = (its: ReturnType<typeof unit>, name: string): void => {
    its.active = its.masked ? "inactive" : failing.has(name) ? "failed" : "active";
  };
  const systemd: Systemd = {
    reload: async () => void calls.push("reload"),
    enable: async (names, now) =>
      each(now === "on" ? "enable" : "disable", names, (its, name) => {
        if (its.masked && now === "on") throw new Error(`unit ${name} is masked`);
        its.enabled = now === "on" ? "enabled" : "disabled";
      }),
    mask: async (names, masked) => each(masked ? "mask" : "unmask", names, (its) => (its.masked = masked)),
    start: async (names) => each("start", names, start),
    restart: async (names) => each("restart", names, start),
    renew: async (names) => each("renew", names, () => {}),
    stop: async (names) => each("stop", names, (its) => (its.active = "inactive")),
    resetFailed: async () => {},
    states: async (names) =>
      new Map(
        names.map((name): [string, UnitState] => {
          const its = unit(name);
          return [
            name,
            {
              active: its.active,
              sub: its.active === "active" ? "running" : its.active === "failed" ? "failed" : "dead",
              result: its.active === "failed" ? "exit-code" : "success",
              enabled: its.masked ? "masked" : its.enabled,
              load: its.masked ? "masked" : "loaded",
            },
          ];
        }),
      ),
    failed: async () => [...states].flatMap(([name, its]) => (its.active === "failed" ? [name] : [])),
    log: async (name) => [`${name} said something`],
  };
  const me: Me = {
    cluster: "demo",
    generation: "g1",
    orchestrator: "none",
    instance: "i-1",
    node: "demo-worker-1",
    group: "worker",
    role: "worker",
    address: "10.0.0.11",
    founders: 1,
    ...fields,
  };
  const ports: NodePorts = {
    me,
    store: memoryStore(random),
    files,
    processes: { run: refuse },
    download: refuse,
    systemd,
    engine: { call: refuse },
    etcd,
    clock,
    random,
    wanted: () => undefined,
    say: (message) => void said.push(message),
  };
  return { ports, clock, calls, texts, links, states, said, failing };
}
