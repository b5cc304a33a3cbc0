import { beforeEach, describe, expect, test } from "vitest";
import { seededRandom, virtualClock, type VirtualClock } from "../../src/host/virtual.ts";
import { encodeRecord, readRecord } from "../../src/records/access.ts";
import { storeRules } from "../../src/records/authorisation.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { principals } from "./sample.ts";

const begin = 1_700_000_000_000;
let store: ClusterStore;
let clock: VirtualClock;
let writes: number;

async function token(change: Record<string, unknown> = {}): Promise<void> {
  const before = await store.get("control/join-tokens/t1");
  const record = { id: "t1", group: "web", role: "worker", hash: "00", expires: begin + 60_000, uses: 2 };
  const value = encodeRecord({ ...record, revoked: false, nonce: "n", ...change });
  if (before === undefined) await store.putIfAbsent("control/join-tokens/t1", value);
  else await store.putIfUnchanged("control/join-tokens/t1", value, before.version);
}

async function joined(instance: string): Promise<void> {
  const join = { instance, token: "t1", address: "10.0.0.9", tokenHash: "0".repeat(64), nonce: "n" };
  await store.putIfAbsent(`joins/${instance}`, encodeRecord(join));
}

/** What the store says to a machine at this address that asks with the token t1; undefined when it may. */
function asking(address = "10.0.0.9"): (instance: string) => Promise<string | undefined> {
  const { permit } = storeRules(store, clock);
  return async (instance) => {
    const decision = await permit?.({ ...principals.joiner, address }, `joins/${instance}`);
    return decision?.allowed === false ? decision.why : undefined;
  };
}
const noted = async () => (await readRecord(store, "joinRefusal", { token: "t1" }))?.value;

beforeEach(() => {
  writes = 0;
  clock = virtualClock(begin);
  const inner = memoryStore(seededRandom(1));
  store = {
    get: inner.get,
    list: inner.list,
    delete: inner.delete,
    putIfAbsent: (key, value) => ((writes += 1), inner.putIfAbsent(key, value)),
    putIfUnchanged: (key, value, version) => ((writes += 1), inner.putIfUnchanged(key, value, version)),
  };
});

describe("who shows a join token", () => {
  test("may ask as long as it is good, and again under the same instance when its uses are gone", async () => {
    await token();
    const ask = asking();
    expect([await ask("i-a"), await ask("i-b"), await ask("i-a")]).toEqual([undefined, undefined, undefined]);
    expect(await ask("i-c")).toBe("the join token t1 is used up: 2 of 2 have asked with it");
    expect(await noted()).toEqual({
      token: "t1",
      instance: "i-c",
      address: "10.0.0.9",
      refused: "the join token t1 is used up: 2 of 2 have asked with it",
      since: begin,
    });
  });

  test("may not ask more often by asking at once", async () => {
    await token();
    const ask = asking();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(`i-${n}`)));
    expect(answers.filter((why) => why === undefined)).toHaveLength(2);
  });

  test("is counted by what stands in the store when the server has been started again", async () => {
    await token();
    await joined("i-a");
    await joined("i-b");
    const ask = asking();
    expect(await ask("i-b")).toBeUndefined();
    expect(await ask("i-c")).toContain("used up");
  });

  test.each([
    ["revoked", { revoked: true }, "the join token t1 is revoked"],
    ["expired", { expires: begin }, "the join token t1 has expired"],
  ])("may not ask when it is %s, not even who asked before", async (_, change, why) => {
    await token();
    const ask = asking();
    expect(await ask("i-a")).toBeUndefined();
    await token(change);
    expect([await ask("i-a"), await ask("i-b")]).toEqual([why, why]);
    expect(await noted()).toMatchObject({ refused: why, instance: "i-a" });
  });

  test("may not ask when nobody knows it any more", async () => {
    expect(await asking()("i-a")).toBe("its join token is not known");
  });

  test("writes one record however often it is turned away", async () => {
    await token({ revoked: true });
    const ask = asking();
    writes = 0;
    for (let n = 0; n < 100; n++) await ask(`i-${n}`);
    expect(writes).toBe(1);
    await clock.advance(10_000);
    await ask("i-late");
    await ask("i-later");
    expect(writes).toBe(2);
    expect(await noted()).toMatchObject({ instance: "i-late", since: begin + 10_000 });
    expect([...(await store.list("join-refusals/")).keys()]).toEqual(["join-refusals/t1"]);
  });

  test("is read again when the store did not answer", async () => {
    await token();
    const list = store.list;
    let silent = true;
    store = { ...store, list: (prefix) => (silent ? Promise.reject(new Error("no answer")) : list(prefix)) };
    const ask = asking();
    await expect(ask("i-a")).rejects.toThrow("no answer");
    silent = false;
    expect(await ask("i-a")).toBeUndefined();
  });
});

test("nobody else is asked for a token", async () => {
  const { permit } = storeRules(store, clock);
  for (const principal of [principals.operator, principals.gateway, principals.worker, principals.control])
    expect(await permit?.(principal, "nodes/w1")).toEqual({ allowed: true });
});
