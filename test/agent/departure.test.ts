import { describe, expect, test } from "vitest";
import { Agent } from "../../src/agent/agent.ts";
import { hasDeparted } from "../../src/agent/departure.ts";
import { updateRecord } from "../../src/records/access.ts";
import { StoreError, UnknownCaller, type ClusterStore } from "../../src/store/store.ts";
import { memoryNode } from "./memory-node.ts";

const unknown = new UnknownCaller("the store answered 401", false);
const gone = new UnknownCaller("the store answered 401 gone", true);

/** A worker's agent and its store, which answers with an error once there is one. */
async function worker(state: "present" | "leaving") {
  const node = memoryNode();
  const { me, store: inner } = node.ports;
  const trouble: { error?: Error } = {};
  const asked =
    <Words extends unknown[], Answer>(verb: (...words: Words) => Promise<Answer>) =>
    async (...words: Words): Promise<Answer> => {
      if (trouble.error !== undefined) throw trouble.error;
      return verb(...words);
    };
  const store: ClusterStore = {
    get: asked(inner.get),
    list: asked(inner.list),
    putIfAbsent: asked(inner.putIfAbsent),
    putIfUnchanged: asked(inner.putIfUnchanged),
    delete: asked(inner.delete),
  };
  const { instance, node: name, group, role, address } = me;
  const entry = { instance, node: name, group, role, address, state, tokenHash: "", since: 0, nonce: "n" };
  await updateRecord(inner, "roster", { instance }, () => entry);
  const agent = (): Agent =>
    new Agent({
      node: { ...node.ports, store },
      gateway: "10.0.0.1",
      life: "life",
      boot: "boot",
      certificateLife: undefined,
      proving: undefined,
      machine: undefined,
      certificatesChanged: async () => undefined,
    });
  return { agent, trouble, files: node.ports.files, instance };
}

describe("an agent that the store does not know", () => {
  test("has departed when it was told to leave before, also when it is started again", async () => {
    const { agent, trouble, files, instance } = await worker("leaving");
    const first = agent();
    expect(await first.round()).toMatchObject({ departed: false });
    trouble.error = unknown;
    expect(await first.round()).toMatchObject({ departed: true });
    expect(await agent().round()).toMatchObject({ departed: true });
    expect(await hasDeparted(files, instance, unknown)).toBe(true);
    expect(await hasDeparted(files, "i-another", unknown)).toBe(false);
  });

  test("has departed when the store says that it is gone, though it heard of no leaving", async () => {
    const { agent, trouble, files, instance } = await worker("present");
    trouble.error = gone;
    expect(await agent().round()).toMatchObject({ departed: true });
    expect(await hasDeparted(files, instance, gone)).toBe(true);
  });

  test("goes on where nobody told it to leave", async () => {
    const { agent, trouble, files, instance } = await worker("present");
    trouble.error = unknown;
    await expect(agent().round()).rejects.toBe(unknown);
    expect(await hasDeparted(files, instance, unknown)).toBe(false);
  });

  test("goes on while the store does not answer, or refuses one thing", async () => {
    const { agent, trouble } = await worker("leaving");
    const leaving = agent();
    await leaving.round();
    for (const error of [new StoreError("unreachable", "no answer"), new StoreError("forbidden", "403")]) {
      trouble.error = error;
      await expect(leaving.round()).rejects.toBe(error);
    }
  });
});
