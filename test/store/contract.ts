import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { ClusterStore } from "../../src/store/store.ts";

/** A store under test, and how to end it. */
export type Opened = { readonly store: ClusterStore; readonly close: () => Promise<void> };

const text = new TextEncoder();
const bytes = (value: string): Uint8Array => text.encode(value);
const words = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

const keysOf = async (store: ClusterStore, prefix: string): Promise<readonly string[]> => [
  ...(await store.list(prefix)).keys(),
];

/** What every cluster store holds to; `runs` is how many random histories are compared with the model. */
export function storeContract(name: string, open: () => Promise<Opened>, runs = 25): void {
  describe(`${name} keeps the contract`, () => {
    const opened: Opened[] = [];
    const fresh = async (): Promise<ClusterStore> => {
      const one = await open();
      opened.push(one);
      return one.store;
    };
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
    });

    test("what is not there is undefined, and lists are empty", async () => {
      const store = await fresh();
      expect(await store.get("cluster")).toBeUndefined();
      expect(await keysOf(store, "")).toEqual([]);
    });

    test("a value comes back byte for byte with the version of its write", async () => {
      const store = await fresh();
      const value = Uint8Array.from({ length: 256 }, (_, index) => index);
      const put = await store.putIfAbsent("a/b", value);
      expect(put.kind).toBe("written");
      const entry = await store.get("a/b");
      expect([...(entry?.value ?? [])]).toEqual([...value]);
      expect(entry?.version).toBe(put.version);
    });

    test("an empty value is a value", async () => {
      const store = await fresh();
      await store.putIfAbsent("a", new Uint8Array());
      expect((await store.get("a"))?.value).toHaveLength(0);
    });

    test("megabytes come back", async () => {
      const store = await fresh();
      const value = new Uint8Array(3_000_000).fill(65);
      await store.putIfAbsent("large", value);
      const there = (await store.get("large"))?.value;
      expect(there !== undefined && Buffer.compare(there, value)).toBe(0);
    });

    test("a value of more than 8 MB is refused as invalid", async () => {
      const store = await fresh();
      const value = new Uint8Array(8 * 1024 * 1024 + 1);
      await expect(store.putIfAbsent("a", value)).rejects.toMatchObject({ kind: "invalid" });
      await expect(store.putIfUnchanged("a", value, "v")).rejects.toMatchObject({
        kind: "invalid",
      });
      expect(await store.get("a")).toBeUndefined();
    });

    test("create-if-absent writes once and answers with what is there", async () => {
      const store = await fresh();
      const first = await store.putIfAbsent("a", bytes("one"));
      const second = await store.putIfAbsent("a", bytes("two"));
      expect(second).toEqual({ kind: "exists", version: first.version });
      expect(words((await store.get("a"))?.value)).toBe("one");
    });

    test("put-if-unchanged writes only over the version it names", async () => {
      const store = await fresh();
      const first = await store.putIfAbsent("a", bytes("one"));
      const second = await store.putIfUnchanged("a", bytes("two"), first.version);
      expect(second.kind).toBe("written");
      expect(second.version).not.toBe(first.version);
      expect(await store.putIfUnchanged("a", bytes("three"), first.version)).toEqual({
        kind: "changed",
        version: second.version,
      });
      expect(words((await store.get("a"))?.value)).toBe("two");
    });

    test("put-if-unchanged never creates", async () => {
      const store = await fresh();
      expect((await store.putIfUnchanged("a", bytes("one"), "no-such-version")).kind).toBe("changed");
      expect((await store.putIfUnchanged("a", bytes("one"), "")).kind).toBe("changed");
      expect(await store.get("a")).toBeUndefined();
    });

    test("a delete takes the version it names, and nothing else", async () => {
      const store = await fresh();
      const first = await store.putIfAbsent("a", bytes("one"));
      const second = await store.putIfUnchanged("a", bytes("two"), first.version);
      expect(await store.delete("a", first.version)).toBe("changed");
      expect(words((await store.get("a"))?.value)).toBe("two");
      expect(await store.delete("a", second.version)).toBe("deleted");
      expect(await store.get("a")).toBeUndefined();
      expect(await keysOf(store, "")).toEqual([]);
    });

    test("deleting what is not there succeeds", async () => {
      const store = await fresh();
      expect(await store.delete("a", "no-such-version")).toBe("deleted");
    });

    test("versions never come back, not for the same bytes, not after a delete", async () => {
      const store = await fresh();
      const versions: string[] = [];
      for (let round = 0; round < 5; round++) {
        const created = await store.putIfAbsent("a", bytes("same"));
        const changed = await store.putIfUnchanged("a", bytes("same"), created.version);
        versions.push(created.version, changed.version);
        expect(await store.delete("a", changed.version)).toBe("deleted");
      }
      expect(new Set(versions).size).toBe(10);
    });

    test("lists are sorted and hold every key under the prefix and no other", async () => {
      const store = await fresh();
      for (const key of ["roster/b", "roster/a", "rosters/c", "nodes/a", "roster/a.b/c"])
        await store.putIfAbsent(key, bytes(key));
      expect(await keysOf(store, "roster/")).toEqual(["roster/a", "roster/a.b/c", "roster/b"]);
      expect(await keysOf(store, "roster")).toEqual(["roster/a", "roster/a.b/c", "roster/b", "rosters/c"]);
      expect(await keysOf(store, "")).toHaveLength(5);
    });

    test("the versions in a list are those of what is read", async () => {
      const store = await fresh();
      for (const key of ["roster/b", "roster/a", "rosters/c"]) await store.putIfAbsent(key, bytes(key));
      const read = async (key: string) => [key, (await store.get(key))?.version] as const;
      const wanted = await Promise.all(["roster/a", "roster/b"].map(read));
      expect([...(await store.list("roster/"))]).toEqual(wanted);
      expect(wanted.every(([, version]) => version !== undefined)).toBe(true);
    });

    test("a key and a key under it do not disturb each other", async () => {
      const store = await fresh();
      await store.putIfAbsent("a/b", bytes("under"));
      await store.putIfAbsent("a", bytes("over"));
      expect(words((await store.get("a"))?.value)).toBe("over");
      expect(words((await store.get("a/b"))?.value)).toBe("under");
    });

    test("keys differ by case, and may be 512 characters long", async () => {
      const store = await fresh();
      const long = "k".repeat(512);
      await store.putIfAbsent("A", bytes("large"));
      await store.putIfAbsent("a", bytes("small"));
      await store.putIfAbsent(long, bytes("long"));
      expect(words((await store.get("A"))?.value)).toBe("large");
      expect(words((await store.get(long))?.value)).toBe("long");
    });

    test("what is no key is refused as invalid by every verb", async () => {
      const store = await fresh();
      for (const key of ["", "/a", "a/", "a//b", "../a", "a/./b", "a b", "ä", "a%2Fb", "k".repeat(513)]) {
        const refused = { name: "StoreError", kind: "invalid" };
        await expect(store.get(key), key).rejects.toMatchObject(refused);
        await expect(store.putIfAbsent(key, bytes("x")), key).rejects.toMatchObject(refused);
        await expect(store.putIfUnchanged(key, bytes("x"), "v"), key).rejects.toMatchObject(refused);
        await expect(store.delete(key, "v"), key).rejects.toMatchObject(refused);
      }
    });

    test("the caller's buffer is not the store's", async () => {
      const store = await fresh();
      const value = bytes("one");
      await store.putIfAbsent("a", value);
      value.fill(0);
      (await store.get("a"))?.value.fill(0);
      expect(words((await store.get("a"))?.value)).toBe("one");
    });

    test("of many that create at once exactly one writes", async () => {
      const store = await fresh();
      const puts = await Promise.all(
        Array.from({ length: 20 }, (_, number) => store.putIfAbsent("claim", bytes(`by ${number}`))),
      );
      const winners = puts.flatMap((put, number) => (put.kind === "written" ? [number] : []));
      expect(winners).toHaveLength(1);
      expect(words((await store.get("claim"))?.value)).toBe(`by ${winners[0]}`);
      expect(new Set(puts.map((put) => put.version)).size).toBe(1);
    });

    test("counters raised by many at once lose nothing", async () => {
      const store = await fresh();
      await store.putIfAbsent("counter", bytes("0"));
      const raise = async (): Promise<void> => {
        for (;;) {
          const now = await store.get("counter");
          if (now === undefined) throw new Error("the counter is gone");
          const put = await store.putIfUnchanged("counter", bytes(String(Number(words(now.value)) + 1)), now.version);
          if (put.kind === "written") return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, raise));
      expect(words((await store.get("counter"))?.value)).toBe("12");
    });

    test("any history gives what a plain map gives", async () => {
      const key = fc.constantFrom("a", "a/b", "b");
      const step = fc.oneof(
        fc.record({ verb: fc.constant("create" as const), key, value: fc.string() }),
        fc.record({
          verb: fc.constant("update" as const),
          key,
          value: fc.string(),
          stale: fc.boolean(),
        }),
        fc.record({ verb: fc.constant("delete" as const), key, stale: fc.boolean() }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const { store, close } = await open();
          const model = new Map<string, { value: string; version: string }>();
          for (const one of steps) {
            const there = model.get(one.key);
            const version = one.verb === "create" || one.stale || there === undefined ? "stale" : there.version;
            if (one.verb === "delete") {
              const expected = there === undefined || there.version === version ? "deleted" : "changed";
              expect(await store.delete(one.key, version)).toBe(expected);
              if (expected === "deleted") model.delete(one.key);
              continue;
            }
            const put =
              one.verb === "create"
                ? await store.putIfAbsent(one.key, bytes(one.value))
                : await store.putIfUnchanged(one.key, bytes(one.value), version);
            const may = one.verb === "create" ? there === undefined : there?.version === version;
            expect(put.kind === "written").toBe(may);
            if (may) model.set(one.key, { value: one.value, version: put.version });
            else expect(put.version).toBe(there?.version ?? "");
          }
          const listed = [...model].map(([key, { version }]) => [key, version]);
          expect([...(await store.list(""))]).toEqual(listed.toSorted());
          for (const [there, { value, version }] of model) {
            const entry = await store.get(there);
            expect([words(entry?.value), entry?.version]).toEqual([value, version]);
          }
          await close();
        }),
        { numRuns: runs },
      );
    });
  });
}
