import { expect, test } from "vitest";
import { seededRandom } from "../../src/host/virtual.ts";
import { listRecords, updateRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore, Version } from "../../src/store/store.ts";

const entry = (instance: string, state: "present" | "gone") => ({
  instance,
  node: `demo-${instance}`,
  group: "worker",
  role: "worker" as const,
  address: "10.0.0.7",
  state,
  tokenHash: "",
  since: 0,
  nonce: "n",
});

/** A store that tells versions with its lists, as S3 does; `reads` counts what it would be paid for. */
function tellingStore(): { readonly store: ClusterStore; readonly reads: string[] } {
  const inner = memoryStore(seededRandom(3));
  const reads: string[] = [];
  const store: ClusterStore = {
    ...inner,
    async get(key) {
      reads.push(key);
      return inner.get(key);
    },
    async versions(prefix) {
      const found = new Map<string, Version>();
      for (const key of await inner.list(prefix)) found.set(key, (await inner.get(key))?.version ?? "");
      return found;
    },
  };
  return { store, reads };
}

test("a list reads only what has changed since the last one, where the store tells versions", async () => {
  const { store, reads } = tellingStore();
  const write = (instance: string, state: "present" | "gone") =>
    updateRecord(store, "roster", { instance }, () => entry(instance, state));
  for (let n = 0; n < 100; n++) await write(`i-${n}`, "present");
  reads.length = 0;
  expect(await listRecords(store, "roster")).toHaveLength(100);
  expect(reads).toHaveLength(100);
  reads.length = 0;
  const again = await listRecords(store, "roster");
  expect(reads).toEqual([]);
  expect(again.map(({ key }) => key)).toEqual(await store.list("roster/"));

  await write("i-7", "gone");
  await write("i-100", "present");
  const last = again.find(({ value }) => value.instance === "i-9");
  await store.delete("roster/i-9", last?.version ?? "");
  reads.length = 0;
  const now = await listRecords(store, "roster");
  expect(reads).toEqual(["roster/i-100", "roster/i-7"]);
  expect(now.find(({ value }) => value.instance === "i-7")?.value.state).toBe("gone");
  expect(now.some(({ value }) => value.instance === "i-9")).toBe(false);
  expect(now).toHaveLength(100);
});
