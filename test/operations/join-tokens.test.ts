import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { createToken, listTokens, makeToken, revokeToken, stillGood } from "../../src/operations/join-tokens.ts";
import { readRecord } from "../../src/records/access.ts";
import { demo, fillReady, put, start, world, type World } from "./fake-target.ts";

const day = 24 * 3_600_000;
const machine = { files: [], directories: [], links: [], users: [], groups: [], kernelArguments: [], units: [] };
let made: World;

beforeEach(async () => {
  made = world();
  await fillReady(made.store);
  for (const [group, role] of [
    ["control", "control"],
    ["worker", "worker"],
  ] as const)
    await put(
      made.store,
      "groupRevision",
      { revision: "r1", group },
      // A worker that shares etcd bears its units as well.
      { revision: "r1", group, role, machine, wanted: { labels: {}, etcd: { size: 3, share: "shared" } } },
    );
});

/** A machine has asked with a token. */
async function asked(token: string, instance: string): Promise<void> {
  const join = { instance, token, address: "10.0.0.9", tokenHash: "0".repeat(64), nonce: "n" };
  await put(made.store, "join", { instance }, join);
}
const create = (group: string, uses = 2) => createToken(made.context, { cluster: demo, group, uses, life: day });
const list = async () =>
  (await listTokens(made.context, { cluster: demo })).map(({ group, state, used }) => [group, state, used]);

describe("a join token", () => {
  it("is of its group's role, and the store has the hash of its secret only", async () => {
    const { id, token, group, uses, expires } = await create("control");
    expect({ group, uses, expires }).toEqual({
      group: "control",
      uses: 2,
      expires: new Date(start + day).toISOString(),
    });
    const secret = token.slice(id.length + 1);
    expect(token).toMatch(/^[0-9a-f]{8}\.[0-9a-f]{48}$/);
    const record = (await readRecord(made.store, "joinToken", { id }))?.value;
    expect(record).toMatchObject({
      role: "control",
      revoked: false,
      hash: createHash("sha256").update(secret).digest("hex"),
    });
    expect(JSON.stringify(record)).not.toContain(secret);
    const worker = await create("worker");
    expect((await readRecord(made.store, "joinToken", { id: worker.id }))?.value.role).toBe("worker");
  });

  it("is for a group that there is", async () => {
    await expect(create("worke")).rejects.toThrow(
      "there is no group worke: there are control, worker; did you mean worker?",
    );
  });

  it("is listed with those who have asked with it, let in or not", async () => {
    const { id } = await create("worker");
    expect(await list()).toEqual([["worker", "open", 0]]);
    await asked(id, "i-a");
    await asked("another", "i-b");
    expect(await list()).toEqual([["worker", "open", 1]]);
    await asked(id, "i-c");
    expect(await list()).toEqual([["worker", "used up", 2]]);
    await made.clock.advance(day);
    expect(await list()).toEqual([["worker", "expired", 2]]);
  });

  it("is revoked once, and an unknown one is named", async () => {
    const { id } = await create("worker");
    const revoke = (which: string) => revokeToken(made.context, { cluster: demo, id: which });
    expect(await revoke(id)).toEqual({ id, changed: true });
    expect(await revoke(id)).toEqual({ id, changed: false });
    expect(await list()).toEqual([["worker", "revoked", 0]]);
    for (const unknown of ["00000000", "../x", ""]) await expect(revoke(unknown)).rejects.toThrow("there is no join");
  });
});

describe("a token that was handed out before is used again", () => {
  const wish = { group: "worker", role: "worker", uses: 2, life: day } as const;
  const make = () => makeToken(made.store, { random: made.context.random, now: start }, wish);
  const good = (token: string, change: Partial<{ group: string; missing: number; now: number }> = {}) =>
    stillGood(made.store, { token, group: "worker", missing: 2, now: start, ...change });

  it("while it lets in all that are missing", async () => {
    const { id, token } = await make();
    expect(await good(token)).toBe(true);
    await asked(id, "i-a");
    expect([await good(token), await good(token, { missing: 1 })]).toEqual([false, true]);
  });

  it("and never one of another group, of another secret, or that is over", async () => {
    const { id, token } = await make();
    expect(await good(token, { group: "control" })).toBe(false);
    expect(await good(token, { now: start + day })).toBe(false);
    for (const other of [`${id}.${"0".repeat(48)}`, id, "", `../${token}`, "no token at all"])
      expect(await good(other), other).toBe(false);
    await revokeToken(made.context, { cluster: demo, id });
    expect(await good(token)).toBe(false);
  });
});
