import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Cluster, ClusterName, FilesSettings, NodeName } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import { emitter } from "../../src/events/event.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import { programsAt, serveRuntime } from "../../src/gateway/programs.ts";
import { encodeRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { type ServedStore, serveStore } from "../../src/store/listen.ts";
import { storeRules } from "../../src/records/authorisation.ts";
import { systemClock } from "../../src/host/clock.ts";
import { filesTarget } from "../../src/targets/files/target.ts";
import { NotHere } from "../../src/targets/target.ts";
import { temporaryFolder } from "../store/places.ts";

// The target over a store that is really served, by the socket in its folder.
const demo = "demo" as ClusterName;
const run = { emit: emitter(() => 0), signal: new AbortController().signal };
let settings: FilesSettings;
let store: ClusterStore;
let deleted: string[];
let served: ServedStore | undefined;
let remove: () => Promise<void>;

beforeEach(async () => {
  const made = await temporaryFolder();
  remove = made.remove;
  settings = { store: "https://10.0.0.5:7443", data: made.folder, ssh: undefined, user: "debian" };
  const inner = memoryStore(seededRandom(1));
  deleted = [];
  store = {
    get: inner.get,
    list: inner.list,
    putIfAbsent: inner.putIfAbsent,
    putIfUnchanged: inner.putIfUnchanged,
    delete: (key, version) => {
      deleted.push(key);
      return inner.delete(key, version);
    },
  };
});
afterEach(async () => {
  await served?.close(0);
  served = undefined;
  await remove();
});

async function serve(): Promise<void> {
  const programs = await programsAt({ agent: new URL(import.meta.url).pathname });
  served = await serveStore({
    store,
    rules: storeRules(store, systemClock),
    unixSocket: join(settings.data, "operator.sock"),
    beside: serveRuntime(programs, () => undefined),
  });
}
const put = (key: string, value: unknown) => store.putIfAbsent(key, encodeRecord(value));
async function filled(): Promise<void> {
  await put("cluster", { name: demo, orchestrator: "none", generation: "g", founders: 1, created: 1, nonce: "n" });
  for (const [n, state] of [
    [1, "present"],
    [2, "leaving"],
    [3, "gone"],
  ] as const)
    await put(`roster/i-${n}`, {
      instance: `i-${n}`,
      node: `demo-worker-${n}`,
      group: "worker",
      role: "worker",
      address: `10.0.0.${n}`,
      state,
      tokenHash: "",
      since: 0,
      nonce: "n",
    });
  await put("generation/g", { generation: "g", state: "open", nonce: "n" });
  await put("requests/gateway", { requests: {}, nonce: "n" });
}
function cluster(name: string): Cluster {
  const read = readCluster(
    `name: ${name}\ntarget: files\nos: debian\ngroups: { control: { count: 1 } }\nfiles: { store: "https://10.0.0.5:7443" }\n`,
    "cluster.yml",
  );
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

describe("without a store", () => {
  test("nothing is there, and whoever needs one hears how to serve it", async () => {
    const target = filesTarget(settings);
    expect(await target.list()).toEqual([]);
    expect(await target.leftovers(demo)).toEqual([]);
    const serving = `slipway store serve --data ${settings.data} --listen 10.0.0.5:7443`;
    await expect(target.prepare(cluster("demo"), run)).rejects.toMatchObject({ name: "NotHere", next: serving });
    expect(await target.examine()).toMatchObject([{ subject: "store", state: "bad", fix: serving }]);
  });

  test("an address is needed for a launch alone", async () => {
    const target = filesTarget({ ...settings, store: undefined });
    await expect(target.prepare(cluster("demo"), run)).rejects.toThrow("needs the address at which nodes reach");
    expect(await target.list()).toEqual([]);
  });
});

describe("over a store", () => {
  beforeEach(async () => {
    await serve();
    await filled();
  });

  test("what exists is what its roster says", async () => {
    const target = filesTarget(settings);
    expect(await target.list()).toEqual(["demo"]);
    const { state, nodes } = await target.observe(demo);
    expect(state).toBe("present");
    expect(nodes.map(({ name, address }) => `${name} ${address}`)).toEqual([
      "demo-worker-1 10.0.0.1",
      "demo-worker-2 10.0.0.2",
    ]);
    expect(await target.observe("other" as ClusterName)).toMatchObject({ state: "absent", nodes: [] });
  });

  test("another cluster's store is nobody else's", async () => {
    const target = filesTarget(settings);
    await expect(target.prepare(cluster("other"), run)).rejects.toThrow(
      `the store at ${settings.data} is that of demo`,
    );
    const opened = await target.prepare(cluster("demo"), run);
    expect(opened.address).toBe("10.0.0.5");
    await opened.close();
  });

  test("it hands out programs by their sums; one that it has not is no program's sum", async () => {
    const sums = await filesTarget(settings).userData?.sums();
    expect(sums?.agent).toMatch(/^[0-9a-f]{64}$/);
    expect(sums?.agent).not.toBe("0".repeat(64));
    expect(sums?.node.aarch64).toBe("0".repeat(64));
  });

  test("cleanup takes the roster first and the cluster's record last, and proves zero", async () => {
    const target = filesTarget(settings);
    const seen = await target.observe(demo);
    const { changes, steps } = await target.plan(undefined, seen);
    expect(changes.map(({ name }) => name)).toEqual(["demo-worker-1", "demo-worker-2", "records"]);
    for (const step of steps) if (step.kind === "work") await target.apply(step.work, run);
    expect(deleted.slice(0, 3)).toEqual(["roster/i-1", "roster/i-2", "roster/i-3"]);
    expect(deleted.at(-1)).toBe("cluster");
    expect(await target.leftovers(demo)).toEqual([]);
  });

  test("what is left is named; what the server asks for itself is not left", async () => {
    const left = await filesTarget(settings).leftovers(demo);
    expect(left.map(({ name }) => name)).toEqual(["cluster", "generation/g", "roster/i-1", "roster/i-2", "roster/i-3"]);
  });

  test("machines are somebody else's to start and stop", async () => {
    const node = filesTarget(settings).node("demo-worker-1" as NodeName, demo);
    for (const act of [node.start(), node.stop(1), node.restart(1)]) await expect(act).rejects.toBeInstanceOf(NotHere);
    expect(await node.terminal(["ls", "a b"])).toEqual([
      "ssh",
      "-o",
      "HostKeyAlias=demo-worker-1",
      "-o",
      "StrictHostKeyChecking=accept-new",
      "-t",
      "--",
      "debian@10.0.0.1",
      "ls 'a b'",
    ]);
    const gone = filesTarget(settings).node("demo-worker-3" as NodeName, demo);
    await expect(Promise.resolve().then(() => gone.terminal([]))).rejects.toThrow("the store's roster has no");
  });
});
