import { expect, it } from "vitest";
import { seededRandom } from "../../src/host/virtual.ts";
import { prune } from "../../src/operations/prune.ts";
import { encodeRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";

it("keeps the revisions that are named, the newest journal entries, and everything else", async () => {
  const store = memoryStore(seededRandom(1));
  const put = (key: string): Promise<unknown> => store.putIfAbsent(key, encodeRecord({}));
  for (const revision of ["old", "before", "now"])
    for (const part of ["groups/control", "groups/worker", "services"]) await put(`revisions/${revision}/${part}`);
  for (let n = 0; n < 230; n++) await put(`journal/${String(n).padStart(15, "0")}-aa`);
  await put("revision");
  await prune(store, ["now", "before"]);
  const revisions = [...(await store.list("revisions/")).keys()];
  expect(revisions).toHaveLength(6);
  expect(revisions.some((key) => key.startsWith("revisions/old/"))).toBe(false);
  const journal = [...(await store.list("journal/")).keys()];
  expect(journal).toHaveLength(200);
  expect(journal[0]).toBe("journal/000000000000030-aa");
  expect(await store.get("revision")).toBeDefined();
});
