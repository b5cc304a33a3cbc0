import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { answerJoins, type Admission } from "../../src/components/admission.ts";
import { seededRandom, virtualClock } from "../../src/host/virtual.ts";
import { encodeRecord, listRecords, readRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";

const now = 1_700_000_000_000;
const machine = { files: [], directories: [], links: [], users: [], groups: [], kernelArguments: [], units: [] };
const hashOf = (instance: string): string => createHash("sha256").update(instance).digest("hex");
let store: ClusterStore;
let admission: Admission;
let said: string[];

async function put(key: string, value: unknown): Promise<void> {
  await store.putIfAbsent(key, encodeRecord(value));
}

async function token(id: string, change: Record<string, unknown> = {}): Promise<void> {
  const record = {
    id,
    group: "web",
    role: "worker",
    hash: "00",
    expires: now + 1,
    uses: 2,
    revoked: false,
    nonce: "n",
  };
  await put(`control/join-tokens/${id}`, { ...record, ...change });
}

async function join(instance: string, id = "t1"): Promise<void> {
  await put(`joins/${instance}`, { instance, token: id, address: "10.0.0.9", tokenHash: hashOf(instance), nonce: "n" });
}

const rosterOf = async (): Promise<readonly string[]> =>
  (await listRecords(store, "roster")).map(({ value }) => `${value.node} ${value.instance} ${value.state}`).toSorted();
const reasonOf = async (instance: string): Promise<string | undefined> =>
  (await readRecord(store, "joinAnswer", { instance }))?.value.refused;

beforeEach(async () => {
  store = memoryStore(seededRandom(1));
  said = [];
  admission = { store, clock: virtualClock(now), random: seededRandom(2), say: (line) => void said.push(line) };
  await put("cluster", { name: "demo", orchestrator: "swarm", generation: "g", founders: 1, created: 1, nonce: "n" });
  await put("revision", { revision: "r", apply: 0, nonce: "n" });
  for (const group of ["web", "control"])
    await put(`revisions/r/groups/${group}`, {
      revision: "r",
      group,
      role: group === "control" ? "control" : "worker",
      machine,
      wanted: { labels: {}, ...(group === "control" ? { etcd: { size: 1 } } : {}) },
    });
});

describe("a machine that asks", () => {
  test("gets the lowest free name, its bootstrap and its place in the roster", async () => {
    await token("t1");
    await join("i-a");
    expect(await answerJoins(admission)).toEqual({ admitted: ["demo-web-1"], refused: [] });
    expect((await readRecord(store, "bootstrap", { instance: "i-a" }))?.value).toEqual({
      cluster: "demo",
      generation: "g",
      orchestrator: "swarm",
      instance: "i-a",
      node: "demo-web-1",
      group: "web",
      role: "worker",
      address: "10.0.0.9",
      founders: 1,
    });
    expect((await readRecord(store, "roster", { instance: "i-a" }))?.value).toMatchObject({
      tokenHash: hashOf("i-a"),
      joinToken: "t1",
      state: "present",
    });
    expect(await answerJoins(admission)).toEqual({ admitted: [], refused: [] });
  });

  test("two at once get different names, and the third finds the token used up", async () => {
    await token("t1");
    for (const instance of ["i-b", "i-a", "i-c"]) await join(instance);
    expect(await answerJoins(admission)).toEqual({ admitted: ["demo-web-1", "demo-web-2"], refused: ["i-c"] });
    expect(await rosterOf()).toEqual(["demo-web-1 i-a present", "demo-web-2 i-b present"]);
    expect(await reasonOf("i-c")).toBe("the join token t1 is used up: 2 of 2 have joined by it");
  });

  test("is counted for ever: who left gives no use back, but its name", async () => {
    await token("t1");
    await join("i-a");
    await answerJoins(admission);
    const entry = await readRecord(store, "roster", { instance: "i-a" });
    if (entry === undefined) throw new Error("nobody was let in");
    await store.putIfUnchanged("roster/i-a", encodeRecord({ ...entry.value, state: "gone" }), entry.version);
    await join("i-b");
    await join("i-c");
    expect(await answerJoins(admission)).toEqual({ admitted: ["demo-web-1"], refused: ["i-c"] });
  });

  test.each([
    ["revoked", { revoked: true }, "the join token t1 is revoked"],
    ["expired", { expires: now }, "the join token t1 has expired"],
    ["of a group that is not there", { group: "gone" }, "the cluster has no group gone now"],
    ["of another role than its group", { role: "control" }, "the group web is no longer one of role control"],
  ])("is refused with a reason when its token is %s", async (_, change, why) => {
    await token("t1", change);
    await join("i-a");
    expect(await answerJoins(admission)).toEqual({ admitted: [], refused: ["i-a"] });
    expect(await reasonOf("i-a")).toBe(why);
    await answerJoins(admission);
    expect(said).toEqual([`join: i-a at 10.0.0.9 is refused: ${why}`]);
    expect(await rosterOf()).toEqual([]);
  });

  test("is refused when nobody knows its token, and when the control group is whole", async () => {
    await token("t2", { group: "control", role: "control" });
    await join("i-a", "lost");
    await join("i-b", "t2");
    await join("i-c", "t2");
    expect(await answerJoins(admission)).toEqual({ admitted: ["demo-control-1"], refused: ["i-a", "i-c"] });
    expect(await reasonOf("i-a")).toBe("its join token is not known");
    expect(await reasonOf("i-c")).toBe("the control group has its 1 nodes; remove one first");
  });

  test("waits while the launch is not that far", async () => {
    store = memoryStore(seededRandom(3));
    await token("t1");
    await join("i-a");
    expect(await answerJoins({ ...admission, store })).toEqual({ admitted: [], refused: [] });
  });
});

test("killed after any write, the next server completes it under the same name", async () => {
  await token("t1");
  await join("i-a");
  for (let writes = 0; ; writes++) {
    let left = writes;
    const dying: ClusterStore = {
      ...store,
      get: (key) => store.get(key),
      list: (prefix) => store.list(prefix),
      delete: (key, version) => store.delete(key, version),
      async putIfAbsent(key, value) {
        if (left-- === 0) throw new Error("killed");
        return store.putIfAbsent(key, value);
      },
      async putIfUnchanged(key, value, version) {
        if (left-- === 0) throw new Error("killed");
        return store.putIfUnchanged(key, value, version);
      },
    };
    const ended = await answerJoins({ ...admission, store: dying }).catch((error: unknown) => error);
    if (!(ended instanceof Error)) break;
    expect(ended.message).toBe("killed");
    expect(writes).toBeLessThan(10);
  }
  expect(await rosterOf()).toEqual(["demo-web-1 i-a present"]);
  expect((await listRecords(store, "nodeName")).map(({ value }) => value.node)).toEqual(["demo-web-1"]);
});
