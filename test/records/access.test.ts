import { expect, test } from "vitest";
import { seededRandom } from "../../src/host/virtual.ts";
import { listRecords, updateRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";

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

/** A store of which `reads` counts what S3 would be paid for. */
function countingStore(): { readonly store: ClusterStore; readonly reads: string[] } {
  const inner = memoryStore(seededRandom(3));
  const reads: string[] = [];
  const store: ClusterStore = {
    ...inner,
    async get(key) {
      reads.push(key);
      return inner.get(key);
    },
  };
  return { store, reads };
}

test("a list reads only what has changed since the last one", async () => {
  const { store, reads } = countingStore();
  const write = (instance: string, state: "present" | "gone") =>
    updateRecord(store, "roster", { instance }, () => entry(instance, state));
  for (let n = 0; n < 100; n++) await write(`i-${n}`, "present");
  reads.length = 0;
  expect(await listRecords(store, "roster")).toHaveLength(100);
  expect(reads).toHaveLength(100);
  reads.length = 0;
  const again = await listRecords(store, "roster");
  expect(reads).toEqual([]);
  expect(again.map(({ key }) => key)).toEqual([...(await store.list("roster/")).keys()]);

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
