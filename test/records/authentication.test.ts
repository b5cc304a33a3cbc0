import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { systemRandom } from "../../src/host/random.ts";
import { encodeRecord } from "../../src/records/access.ts";
import { authenticate } from "../../src/records/authentication.ts";
import type { Caller } from "../../src/store/caller.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";

const token = "t0ken";
let store: ClusterStore;

async function enter(
  instance: string,
  state: "present" | "leaving" | "gone",
  role: "control" | "worker" = "worker",
): Promise<void> {
  const tokenHash = createHash("sha256").update(token).digest("hex");
  const value = {
    instance,
    node: `demo-${instance}`,
    group: "web",
    role,
    address: "10.0.0.9",
    state,
    tokenHash,
    since: 1,
    nonce: "n",
  };
  await store.putIfAbsent(`roster/${instance}`, encodeRecord(value));
}

const certified = (name: string, unit = "worker", organisation = "web"): Caller => ({
  kind: "remote",
  certificate: { name, unit, organisation },
});
const identified = (authorization: string): Caller => ({ kind: "remote", authorization });
const refused = { kind: "unknown" };
const left = { kind: "gone", why: "instance gone has left the cluster" };

beforeEach(async () => {
  store = memoryStore(systemRandom);
  await enter("here", "present");
  await enter("leaving", "leaving");
  await enter("gone", "gone");
});

describe("who a caller is", () => {
  test("the operator's own socket is the operator", async () => {
    expect(await authenticate(store, { kind: "local" })).toEqual({
      kind: "known",
      principal: { kind: "operator" },
    });
  });

  test("a certificate is its instance, while the roster has it as present or leaving", async () => {
    for (const instance of ["here", "leaving"]) {
      const principal = {
        kind: "instance",
        by: "certificate",
        instance,
        group: "web",
        role: "worker",
      };
      expect(await authenticate(store, certified(instance))).toEqual({ kind: "known", principal });
    }
    expect(await authenticate(store, certified("gone"))).toEqual(left);
    expect(await authenticate(store, certified("never"))).toMatchObject(refused);
  });

  test("a certificate for another role or group than the roster's is refused", async () => {
    expect(await authenticate(store, certified("here", "control"))).toMatchObject(refused);
    expect(await authenticate(store, certified("here", "worker", "control"))).toMatchObject(refused);
    expect(await authenticate(store, certified("here", "operator"))).toMatchObject(refused);
  });

  test("the gateway is the gateway by its certificate alone", async () => {
    expect(await authenticate(store, certified("gateway", "gateway", ""))).toEqual({
      kind: "known",
      principal: { kind: "gateway" },
    });
    expect(await authenticate(store, certified("here", "gateway"))).toMatchObject(refused);
    expect(await authenticate(store, certified("gateway", "worker"))).toMatchObject(refused);
  });

  test("a token is its instance's identity, while the roster has it as present", async () => {
    const principal = {
      kind: "instance",
      by: "identity",
      instance: "here",
      group: "web",
      role: "worker",
    };
    expect(await authenticate(store, identified(`Slipway here ${token}`))).toEqual({
      kind: "known",
      principal,
    });
    for (const instance of ["leaving", "never"]) {
      expect(await authenticate(store, identified(`Slipway ${instance} ${token}`)), instance).toMatchObject(refused);
    }
  });

  test.each([
    "",
    "Slipway",
    "Slipway here",
    "Slipway here wrong",
    `Bearer ${token}`,
    `slipway here ${token}`,
    `Slipway ../roster/here ${token}`,
    `Slipway here  ${token}`,
    `Slipway here ${token} more`,
  ])("%j is nobody", async (authorization) => {
    expect(await authenticate(store, identified(authorization))).toMatchObject(refused);
  });

  test("an instance whose roster entry has no token cannot be claimed with an empty one", async () => {
    const value = {
      instance: "bare",
      node: "demo-bare",
      group: "web",
      role: "worker",
      address: "",
      state: "present",
      tokenHash: "",
      since: 1,
      nonce: "n",
    };
    await store.putIfAbsent("roster/bare", encodeRecord(value));
    expect(await authenticate(store, identified("Slipway bare "))).toMatchObject(refused);
    expect(await authenticate(store, identified("Slipway bare x"))).toMatchObject(refused);
  });

  test("who proves by its own token that it was let in once is told that this is over", async () => {
    expect(await authenticate(store, identified(`Slipway gone ${token}`))).toEqual(left);
  });

  test("wrong token, wrong instance and wrong state are answered alike", async () => {
    const shown = ["here wrong", `never ${token}`, `leaving ${token}`, "gone wrong", "leaving wrong"];
    const answers = shown.map((one) => authenticate(store, identified(`Slipway ${one}`)));
    expect(new Set((await Promise.all(answers)).map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test("nothing shown is nobody", async () => {
    expect(await authenticate(store, { kind: "remote" })).toMatchObject(refused);
  });
});

describe("join tokens", () => {
  beforeEach(async () => {
    const hash = createHash("sha256").update("5ecret").digest("hex");
    const record = { id: "t1", group: "web", role: "worker", hash, expires: 0, uses: 1, revoked: true, nonce: "n" };
    await store.putIfAbsent("control/join-tokens/t1", encodeRecord(record));
  });

  test("one says which group its bearer asks to join, also when it is over: the answer says why not", async () => {
    expect(
      await authenticate(store, { kind: "remote", authorization: "Slipway-Join t1.5ecret", address: "10.0.0.9" }),
    ).toEqual({
      kind: "known",
      principal: { kind: "joiner", group: "web", token: "t1", address: "10.0.0.9" },
    });
  });

  test.each([
    "Slipway-Join t1.other",
    "Slipway-Join t1.",
    "Slipway-Join t2.5ecret",
    "Slipway-Join ../t1.5ecret",
    "Slipway-Join t1.5ecret ",
    "Slipway t1 5ecret",
  ])("%s is nobody", async (shown) => {
    expect(await authenticate(store, identified(shown))).toMatchObject(refused);
  });
});
