import { describe, expect, test } from "vitest";
import { certificatesOf } from "../../src/components/certificates.ts";
import {
  answerRequest,
  bindingOf,
  issueOwn,
  requestOwn,
  type Issuing,
  type Keeper,
  type Proving,
} from "../../src/components/keeper.ts";
import { describeCertificate } from "../../src/pki/renewal.ts";
import { readRecord, updateRecord } from "../../src/records/access.ts";
import { testCluster } from "../pki/authorities.ts";
import { memoryNode, type MemoryNode } from "./memory-node.ts";

const day = 86_400_000;
const cluster = testCluster("demo", 1_700_000_000_000);
async function issuing(): Promise<Issuing> {
  const { root, issuers } = await cluster;
  return { root: root.certificate, issuer: async (purpose) => issuers[purpose] };
}
function keeperOf({ ports }: MemoryNode, life?: number): Keeper {
  const { store, files, clock, random, me } = ports;
  return {
    store,
    files,
    clock,
    random,
    instance: me.instance,
    kept: { folder: "/pki", owner: () => "root" },
    ...(life === undefined ? {} : { life }),
  };
}
const worker = (node: MemoryNode) => certificatesOf(node.ports.me, { share: false });

describe("where a provider knows who an instance is", () => {
  /** Its word: who it is of, and what it is bound to. */
  const proving = (who: string): Proving => ({
    prove: async (binding) => `${who} ${binding}`,
    async check(instance, proof, binding) {
      if (proof !== `${instance} ${binding}`) throw new Error("it proves nothing");
    },
  });

  test("a request is signed with its proof, and not with another's, none, or one for other requests", async () => {
    const node = memoryNode();
    const authorities = await issuing();
    const answered = () =>
      answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now(), { proving: proving("-") });
    await requestOwn({ ...keeperOf(node), proving: proving("i-2") }, worker(node));
    await expect(answered()).rejects.toThrow("it proves nothing");
    await updateRecord(node.ports.store, "request", { instance: "i-1" }, (now) =>
      now === undefined ? undefined : { requests: now.requests, nonce: now.nonce },
    );
    await expect(answered()).rejects.toThrow("it proves nothing");
    await updateRecord(node.ports.store, "request", { instance: "i-1" }, (now) =>
      now === undefined ? undefined : { ...now, proof: { text: `i-1 ${bindingOf(now)}`, time: node.clock.now() } },
    );
    await updateRecord(node.ports.store, "request", { instance: "i-1" }, (now) =>
      now === undefined ? undefined : { ...now, requests: { ...now.requests, more: "CSR" } },
    );
    await expect(answered()).rejects.toThrow("it proves nothing");
  });

  test("who has waited until its proof is too old asks again with another", async () => {
    const node = memoryNode();
    const keeper = { ...keeperOf(node), proving: proving("i-1") };
    await requestOwn(keeper, worker(node));
    expect((await requestOwn(keeper, worker(node))).why).toContain("waiting for a control node");
    await node.clock.advance(11 * 60_000);
    expect((await requestOwn(keeper, worker(node))).why).toBe("asked for a certificate");
    const how = { proving: proving("-") };
    expect(await answerRequest(node.ports.store, "i-1", worker(node), await issuing(), node.clock.now(), how)).toBe(
      true,
    );
  });
});

describe("a worker's certificates", () => {
  test("are asked for, answered, installed, and then nothing is asked any more", async () => {
    const node = memoryNode();
    const keeper = keeperOf(node);
    expect(await requestOwn(keeper, worker(node))).toMatchObject({ settled: false, why: "asked for a certificate" });
    expect(await requestOwn(keeper, worker(node))).toMatchObject({
      settled: false,
      why: "waiting for a control node to sign the certificate request",
    });
    expect(await answerRequest(node.ports.store, "i-1", worker(node), await issuing(), node.clock.now())).toBe(true);
    expect(await requestOwn(keeper, worker(node))).toMatchObject({ settled: true, changed: ["store"] });
    expect(await requestOwn(keeper, worker(node))).toMatchObject({ settled: true, changed: [] });
    expect(describeCertificate(node.texts.get("/pki/store.crt")?.content ?? "")).toMatchObject({ commonName: "i-1" });
    expect(node.texts.get("/pki/store.key")?.owner).toEqual({ mode: 0o600, user: "root", group: "root" });
  });

  test("the key never leaves the node", async () => {
    const node = memoryNode();
    await requestOwn(keeperOf(node), worker(node));
    const entry = await node.ports.store.get("requests/i-1");
    const text = new TextDecoder().decode(entry?.value);
    expect(text).toContain("CERTIFICATE REQUEST");
    expect(text).not.toContain("PRIVATE");
  });

  test("one answer is enough, however often it is asked", async () => {
    const node = memoryNode();
    await requestOwn(keeperOf(node), worker(node));
    const authorities = await issuing();
    expect(await answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now())).toBe(true);
    expect(await answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now())).toBe(false);
  });

  test("a request for more than its templates allow gets what they allow, and nothing else", async () => {
    const node = memoryNode();
    const greedy = certificatesOf(
      { ...node.ports.me, role: "control", instance: "i-2", node: "demo-control-1" },
      { share: true },
    );
    await requestOwn(keeperOf(node), greedy);
    await answerRequest(node.ports.store, "i-1", worker(node), await issuing(), node.clock.now());
    const answer = (await readRecord(node.ports.store, "certificate", { instance: "i-1" }))?.value.certificates ?? {};
    expect(Object.keys(answer).toSorted()).toEqual(["store", "store.anchor"]);
    // The signer's template says who it is, not the request.
    expect(describeCertificate(answer["store"] ?? "")).toMatchObject({ commonName: "i-1" });
  });

  test("are renewed at two thirds with the same key", async () => {
    const node = memoryNode();
    const keeper = keeperOf(node);
    const authorities = await issuing();
    await requestOwn(keeper, worker(node));
    await answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now());
    const first = await requestOwn(keeper, worker(node));
    const key = node.texts.get("/pki/store.key")?.content;
    await node.clock.advance(59 * day);
    expect(await requestOwn(keeper, worker(node))).toMatchObject({ settled: true, changed: [] });
    await node.clock.advance(2 * day);
    expect((await requestOwn(keeper, worker(node))).settled).toBe(false);
    await answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now());
    const second = await requestOwn(keeper, worker(node));
    expect(second).toMatchObject({ settled: true, changed: ["store"] });
    expect(second.ends["store"]).toBeGreaterThan((first.ends["store"] ?? 0) + 50 * day);
    expect(node.texts.get("/pki/store.key")?.content).toBe(key);
  });

  test("a lost certificate is asked for again though an old answer lies there", async () => {
    const node = memoryNode();
    const keeper = keeperOf(node);
    await requestOwn(keeper, worker(node));
    await answerRequest(node.ports.store, "i-1", worker(node), await issuing(), node.clock.now());
    await requestOwn(keeper, worker(node));
    node.texts.delete("/pki/store.crt");
    expect(await requestOwn(keeper, worker(node))).toMatchObject({ settled: true, changed: ["store"] });
  });

  test("two signers at once leave one answer to the newest request", async () => {
    const node = memoryNode();
    await requestOwn(keeperOf(node), worker(node));
    const authorities = await issuing();
    await Promise.all(
      [1, 2].map(() => answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now())),
    );
    const asked = await readRecord(node.ports.store, "request", { instance: "i-1" });
    const answered = await readRecord(node.ports.store, "certificate", { instance: "i-1" });
    expect(answered?.value.answers).toBe(asked?.value.nonce);
    await updateRecord(node.ports.store, "request", { instance: "i-1" }, (now) =>
      now === undefined ? undefined : { ...now, nonce: "newer" },
    );
    expect(await answerRequest(node.ports.store, "i-1", worker(node), authorities, node.clock.now())).toBe(true);
  });
});

describe("a control node's certificates", () => {
  const control = () => memoryNode({ instance: "i-c", node: "demo-control-1", group: "control", role: "control" });

  test("are issued by itself, all at once, and stay", async () => {
    const node = control();
    const keeper = keeperOf(node);
    const templates = certificatesOf(node.ports.me, { share: false });
    const authorities = await issuing();
    expect((await issueOwn(keeper, templates, authorities)).changed.toSorted()).toEqual([
      "docker-server",
      "etcd-client",
      "etcd-peer",
      "etcd-server",
      "store",
    ]);
    node.calls.length = 0;
    expect(await issueOwn(keeper, templates, authorities)).toMatchObject({ settled: true, changed: [] });
    expect(node.calls).toEqual([]);
  });

  test("another address needs other certificates, and only those that name it", async () => {
    const node = control();
    const keeper = keeperOf(node);
    const authorities = await issuing();
    await issueOwn(keeper, certificatesOf(node.ports.me, { share: false }), authorities);
    const moved = certificatesOf({ ...node.ports.me, address: "10.0.0.99" }, { share: false });
    expect((await issueOwn(keeper, moved, authorities)).changed.toSorted()).toEqual([
      "docker-server",
      "etcd-peer",
      "etcd-server",
    ]);
  });
});
