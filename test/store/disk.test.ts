import { chmod, mkdir, readdir, readFile, stat, truncate, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ProcessOwner, thisProcess } from "../../src/host/owner.ts";
import { systemRandom } from "../../src/host/random.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import { type DiskOptions, type DiskStore, diskStore } from "../../src/store/disk.ts";
import { folderFiles, type StoreFiles } from "../../src/store/files.ts";
import type { StoreError } from "../../src/store/store.ts";
import { temporaryFolder } from "./places.ts";
import { VolatileDisk } from "./volatileFiles.ts";
import { contentOf, faultsOf, type Model, type Said, workload } from "./workload.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

let folder: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  const made = await temporaryFolder();
  folder = join(made.folder, "store");
  remove = made.remove;
});
afterEach(() => remove());

async function recordFiles(): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".record"));
}

describe("what is written", () => {
  test("lasts over closing and opening, versions too", async () => {
    const first = await diskStore(folder);
    const put = await first.putIfAbsent("nodes/a", bytes("one"));
    await first.close();
    const second = await diskStore(folder);
    expect(await second.get("nodes/a")).toEqual({ value: bytes("one"), version: put.version });
    await second.close();
  });

  test("is readable by its owner alone, also where the folder was open before", async () => {
    await mkdir(folder);
    await chmod(folder, 0o755);
    const store = await diskStore(folder);
    await store.putIfAbsent("nodes/a", bytes("one"));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const modes = await Promise.all(
      (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).mode & 0o777),
    );
    expect(modes.length).toBeGreaterThanOrEqual(3);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    await store.close();
  });

  test("leaves no drafts behind", async () => {
    const store = await diskStore(folder);
    await Promise.all(Array.from({ length: 20 }, (_, number) => store.putIfAbsent(`k/${number}`, bytes("x"))));
    await store.close();
    expect((await readdir(folder)).filter((name) => name.endsWith(".temp"))).toEqual([]);
  });

  test("at once shares syncs of the folder", async () => {
    let syncs = 0;
    const real = folderFiles(folder);
    const files: StoreFiles = {
      ...real,
      syncFolder: () => {
        syncs++;
        return real.syncFolder();
      },
    };
    const store = await diskStore(folder, { files });
    syncs = 0;
    await Promise.all(Array.from({ length: 50 }, (_, number) => store.putIfAbsent(`k/${number}`, bytes("x"))));
    expect(syncs).toBeGreaterThan(0);
    expect(syncs).toBeLessThan(50);
    await store.close();
  });

  test("is refused once the store is closed", async () => {
    const store = await diskStore(folder);
    await store.close();
    await expect(store.putIfAbsent("a", bytes("x"))).rejects.toMatchObject({ kind: "closed" });
    await expect(store.get("a")).rejects.toMatchObject({ kind: "closed" });
  });
});

describe("damage is an error that names the file, never an empty store", () => {
  async function damaged(change: (file: string) => Promise<void>): Promise<string> {
    const store = await diskStore(folder);
    await store.putIfAbsent("nodes/a", bytes("a value of some length"));
    await store.close();
    const [record = ""] = await recordFiles();
    await change(join(folder, record));
    return record;
  }

  test.each([
    ["emptied", 0, "it is empty"],
    ["cut in its first line", 20, "its first line is cut off"],
    ["cut in its value", -3, "bytes of 22 (record nodes/a)"],
  ])("a record file that was %s", async (_, size, why) => {
    const record = await damaged(async (file) => truncate(file, size >= 0 ? size : (await stat(file)).size + size));
    await expect(diskStore(folder)).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringContaining(record),
    });
    await expect(diskStore(folder)).rejects.toThrow(why);
  });

  test("every single bit of a record file counts", async () => {
    const disk = new VolatileDisk(seededRandom(1));
    const store = await diskStore("", { files: disk.files() });
    await store.putIfAbsent("a", bytes("value"));
    await store.close();
    const record = disk.names().find((name) => name.endsWith(".record")) ?? "";
    const length = (await disk.files().read(record)).length;
    expect(length).toBeGreaterThan(100);
    for (let at = 0; at < length; at++) {
      const flip = (content: Uint8Array): Uint8Array => content.map((byte, index) => (index === at ? byte ^ 4 : byte));
      disk.damage(record, flip);
      await expect(diskStore("", { files: disk.files() }), `byte ${at}`).rejects.toThrow(record);
      disk.damage(record, flip);
    }
    const again = await diskStore("", { files: disk.files() });
    expect((await again.get("a"))?.value).toEqual(bytes("value"));
  });

  test("a record under another one's name", async () => {
    const record = await damaged(async (file) =>
      writeFile(join(folder, `${"0".repeat(64)}.record`), await readFile(file)),
    );
    expect(record).not.toBe("");
    await expect(diskStore(folder)).rejects.toThrow("belongs into another file");
  });

  test("a missing marker", async () => {
    await damaged(() => unlink(join(folder, "store.json")));
    await expect(diskStore(folder)).rejects.toThrow(`${join(folder, "store.json")} is missing`);
  });

  test.each(["", "{}", '{"store":"slipway","format":2}\n'])("a marker that says %j", async (content) => {
    await damaged(() => writeFile(join(folder, "store.json"), content));
    await expect(diskStore(folder)).rejects.toThrow(`${join(folder, "store.json")} is damaged or of another format`);
  });

  test("a claim that is not one", async () => {
    await damaged(async () => {
      const [claim = ""] = (await readdir(folder)).filter((name) => name.startsWith("owner."));
      await writeFile(join(folder, claim), "");
    });
    await expect(diskStore(folder)).rejects.toThrow(/owner\.\d+ is damaged/);
  });

  test("a folder that holds other things is not taken for a new store", async () => {
    await mkdir(folder);
    await writeFile(join(folder, "photo.jpg"), "");
    await chmod(folder, 0o755);
    await expect(diskStore(folder)).rejects.toThrow("it holds photo.jpg");
    expect((await stat(folder)).mode & 0o777).toBe(0o755);
  });
});

describe("one process at a time", () => {
  const other: ProcessOwner = { ...thisProcess(), process: 4_000_000, started: "1" };

  /** A store whose process ended without a word. */
  async function abandoned(options: DiskOptions): Promise<void> {
    const files = folderFiles(folder);
    await diskStore(folder, { ...options, files });
    await files.close();
  }

  test("a second opening is refused with who has it", async () => {
    const store = await diskStore(folder);
    await expect(diskStore(folder)).rejects.toMatchObject({
      kind: "closed",
      message: expect.stringContaining(`process ${process.pid} of`),
    });
    await store.close();
    await (await diskStore(folder)).close();
  });

  test("a claim of a process that is gone is taken over", async () => {
    await abandoned({ owner: other });
    const store = await diskStore(folder);
    await store.putIfAbsent("a", bytes("mine"));
    await store.close();
  });

  test("so is one whose number another process bears now", async () => {
    await abandoned({ owner: { ...thisProcess(), started: "1" } });
    await (await diskStore(folder)).close();
    expect((await readdir(folder)).filter((name) => name.startsWith("owner."))).toHaveLength(1);
  });

  test("so is one of another boot", async () => {
    await abandoned({
      owner: { ...thisProcess(), host: "elsewhere (00000000)" },
      processAlive: () => true,
    });
    await (await diskStore(folder)).close();
  });

  test("of many that take over at once exactly one has it", async () => {
    for (let round = 0; round < 10; round++) {
      await abandoned({ owner: other });
      const living = (owner: ProcessOwner): boolean => owner.process !== other.process;
      const openings = await Promise.allSettled(
        Array.from({ length: 6 }, () => diskStore(folder, { processAlive: living })),
      );
      const winners = openings.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(winners).toHaveLength(1);
      for (const one of openings) if (one.status === "rejected") expect(one.reason).toMatchObject({ kind: "closed" });
      await winners[0]?.close();
    }
  });

  test("one that slept between looking and claiming does not claim a number that was used since", async () => {
    await abandoned({ owner: other });
    const real = folderFiles(folder);
    const woken: { readonly owner: ProcessOwner } = {
      owner: { ...other, process: other.process + 1 },
    };
    let slept = false;
    let draft: Uint8Array = new Uint8Array();
    const files: StoreFiles = {
      ...real,
      link: async (from, to) => {
        if (!slept) {
          slept = true;
          draft = await readFile(join(folder, from));
          // Meanwhile its number is claimed and given up, and the next one claimed and kept.
          await (await diskStore(folder, woken)).close();
          living.push(await diskStore(folder));
        }
        // The others swept its draft away; they might have missed it.
        await writeFile(join(folder, from), draft);
        return real.link(from, to);
      },
    };
    const living: DiskStore[] = [];
    await expect(diskStore(folder, { ...woken, files })).rejects.toMatchObject({ kind: "closed" });
    expect(living).toHaveLength(1);
    await living[0]?.putIfAbsent("a", bytes("still mine"));
    await living[0]?.close();
  });

  test("one that was superseded while it lived acknowledges nothing more", async () => {
    const told: StoreError[] = [];
    const slept = await diskStore(folder, { owner: other, onBroken: (error) => told.push(error) });
    await slept.putIfAbsent("a", bytes("before"));
    const taker = await diskStore(folder);
    await expect(slept.putIfAbsent("b", bytes("too late"))).rejects.toMatchObject({
      kind: "closed",
    });
    await expect(slept.get("a")).rejects.toMatchObject({ kind: "closed" });
    expect(told).toHaveLength(1);
    expect([...(await taker.list("")).keys()]).toEqual(["a"]);
    await taker.close();
    await slept.close();
    const again = await diskStore(folder);
    expect([...(await again.list("")).keys()]).toEqual(["a"]);
    await again.close();
  });
});

describe("a disk that fails", () => {
  const failing = (change: (real: StoreFiles) => Partial<StoreFiles>): StoreFiles => {
    const real = folderFiles(folder);
    return { ...real, ...change(real) };
  };

  test("before the rename: nothing is changed, and the store goes on", async () => {
    let full = false;
    const files = failing((real) => ({
      create: async (name) => {
        const file = await real.create(name);
        return {
          ...file,
          write: (content) => (full ? Promise.reject(new Error("ENOSPC: no space left")) : file.write(content)),
        };
      },
    }));
    const store = await diskStore(folder, { files });
    await store.putIfAbsent("a", bytes("one"));
    full = true;
    await expect(store.putIfAbsent("b", bytes("two"))).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("ENOSPC"),
    });
    expect(await store.get("b")).toBeUndefined();
    full = false;
    expect((await store.putIfAbsent("b", bytes("three"))).kind).toBe("written");
    await store.close();
  });

  test("at the sync of the folder: nobody knows, so nothing is answered any more", async () => {
    let broken = false;
    const told: StoreError[] = [];
    const files = failing((real) => ({
      syncFolder: () => (broken ? Promise.reject(new Error("EIO: i/o error")) : real.syncFolder()),
    }));
    const store = await diskStore(folder, { files, onBroken: (error) => told.push(error) });
    await store.putIfAbsent("a", bytes("one"));
    broken = true;
    await expect(store.putIfAbsent("b", bytes("two"))).rejects.toMatchObject({
      kind: "unreachable",
    });
    broken = false;
    await expect(store.get("a")).rejects.toThrow("must be opened again: EIO");
    expect(told).toHaveLength(1);
    await store.close();
  });
});

describe("a loss of power, or of the process, at any operation", () => {
  test.each([1, 2, 3])(
    "loses nothing that was acknowledged or read, tears nothing, repeats no version (seed %i)",
    async (seed) => {
      let operations = 0;
      for (let at = 1; ; at++) {
        const disk = new VolatileDisk(seededRandom(seed * 10_000 + at));
        const versions = new Map<string, string>();
        let before: Model = new Map();
        let survived = false;
        for (const [index, lost] of (["power", "process", "power"] as const).entries()) {
          const said: Said[] = [];
          const died = disk.failAt(at);
          const work = async (): Promise<"finished"> => {
            const store = await diskStore("", {
              files: disk.files(),
              random: systemRandom,
              owner: { ...thisProcess(), host: `boot ${at}.${index}` },
            });
            await workload(store, index, (one) => said.push(one));
            return "finished";
          };
          survived = (await Promise.race([work(), died])) === "finished";
          disk.recover(lost);
          const reopen = async (boot: string): Promise<Model> =>
            contentOf(await diskStore("", { files: disk.files(), owner: { ...thisProcess(), host: boot } }));
          const after = await reopen(`reader ${at}.${index}`);
          expect(faultsOf(before, said, after, versions), `${lost} at operation ${at}`).toEqual([]);
          // What was read stays, whatever happens next.
          disk.recover("power");
          expect(await reopen(`second reader ${at}.${index}`)).toEqual(after);
          before = after;
        }
        operations = at;
        if (survived) break;
      }
      // Fewer would mean that the power never went inside the writes.
      expect(operations).toBeGreaterThan(40);
    },
  );
});
