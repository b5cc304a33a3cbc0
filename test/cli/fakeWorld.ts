import { PassThrough } from "node:stream";
import type { ClusterName, NodeName } from "../../src/cluster/cluster.ts";
import { runCli } from "../../src/cli/cli.ts";
import { operations, type Operations } from "../../src/cli/operations.ts";
import type { Output, Prompts, World } from "../../src/cli/world.ts";
import type { Clock } from "../../src/host/clock.ts";
import type { ObservedNode } from "../../src/plan/plan.ts";
import type { Target } from "../../src/targets/target.ts";

/** A stream that keeps what is written; a terminal where `columns` are given. */
export function output(columns?: number): Output & { readonly text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
  return Object.assign(stream, {
    text: () => Buffer.concat(chunks).toString("utf8"),
    ...(columns === undefined ? {} : { isTTY: true, columns, rows: 24 }),
  });
}

/** Time that stands still; sleeping lets others run and ends at once. */
function stillClock(now: number): Clock {
  return { now: () => now, sleep: () => new Promise((resolve) => void setImmediate(resolve)) };
}

function node(cluster: string, group: string, role: "control" | "worker", n: number): ObservedNode {
  return {
    name: `${cluster}-${group}-${n}` as NodeName,
    group,
    role,
    instance: `i-${group}-${n}`,
    address: `10.0.0.${role === "control" ? n : n + 10}`,
    state: "running",
    shape: "s",
  };
}

/** The target's half that the command line itself asks: which clusters and nodes there are. */
function fakeTarget(clusters: readonly string[]): Target {
  const refuse = (): never => {
    throw new Error("the command line leaves this to the operations");
  };
  return {
    name: "docker",
    body: "container",
    wake: async () => undefined,
    examine: refuse,
    list: async () => clusters.map((cluster) => cluster as ClusterName),
    store: refuse,
    observe: async (cluster) => ({
      cluster,
      state: clusters.includes(cluster) ? "present" : "absent",
      nodes: clusters.includes(cluster)
        ? [
            node(cluster, "control", "control", 1),
            node(cluster, "worker", "worker", 1),
            node(cluster, "worker", "worker", 2),
          ]
        : [],
      published: [],
    }),
    node: refuse,
    prepare: refuse,
    plan: refuse,
    apply: refuse,
    removal: refuse,
    nudge: refuse,
    localImages: refuse,
    loadImage: refuse,
    leftovers: refuse,
  };
}

export type Setting = {
  readonly operations?: Partial<Operations>;
  readonly clusters?: readonly string[];
  /** The clusters on files; without them no store answers there. */
  readonly handedOut?: readonly string[];
  /** The clusters on AWS; without them there are no credentials. */
  readonly onAws?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the three streams are a terminal. */
  readonly terminal?: boolean;
  readonly prompts?: Partial<Prompts>;
  readonly signal?: AbortSignal;
  readonly input?: string;
  readonly interactive?: World["interactive"];
};

const refusePrompts: Prompts = {
  text: () => Promise.reject(new Error("asked for a text")),
  choose: () => Promise.reject(new Error("asked to choose")),
  confirm: () => Promise.reject(new Error("asked to confirm")),
};

const noon = Date.UTC(2026, 10, 21, 12);

/** Runs the command line in a world of its own; gives the exit code, both streams and the files afterwards. */
export async function run(words: readonly string[], setting: Setting = {}) {
  const files = new Map(Object.entries(setting.files ?? {}));
  const columns = setting.terminal === true ? 80 : undefined;
  const stdout = output(columns);
  const stderr = output(columns);
  const code = await runCli({
    program: "bin/slipway",
    words,
    environment: { LANG: "C.UTF-8", ...setting.environment },
    stdin: { terminal: setting.terminal === true },
    readInput: async () => Buffer.from(setting.input ?? ""),
    stdout,
    stderr,
    signal: setting.signal ?? new AbortController().signal,
    atExit: () => () => undefined,
    clock: stillClock(noon),
    random: { hex: (bytes) => "0".repeat(bytes * 2), fraction: () => 0 },
    processes: { run: () => Promise.reject(new Error("no processes here")) },
    owner: () => ({ host: "laptop", process: 1, started: "1", user: "ada" }),
    files: {
      read: async (path) => {
        const text = files.get(path);
        if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
        return Buffer.from(text);
      },
      write: async (path, content) => void files.set(path, Buffer.from(content).toString("utf8")),
      writePrivate: async (path, content) => void files.set(path, content),
      exists: (path) => files.has(path),
      absolute: (path) => `/home/ada/${path}`,
    },
    privateFolder: (cluster) => `run/${cluster}`,
    interactive: setting.interactive ?? (() => Promise.reject(new Error("no terminal here"))),
    openTarget: async (name) => {
      if (name === "docker") return fakeTarget(setting.clusters ?? ["demo"]);
      if (name === "aws" && setting.onAws !== undefined)
        return { ...fakeTarget(setting.onAws), name, billed: true, keepsData: true };
      if (setting.handedOut === undefined) throw new Error("no store answers");
      return fakeTarget(setting.handedOut);
    },
    programs: {},
    bridge: () => Promise.reject(new Error("no sockets here")),
    operations: { ...operations, ...setting.operations },
    prompts: async () => ({ ...refusePrompts, ...setting.prompts }),
  });
  return { code, stdout: stdout.text(), stderr: stderr.text(), files };
}

export const clusterFile = "name: demo\ngroups:\n  control: { role: control, count: 3 }\n  worker: { count: 2 }\n";
