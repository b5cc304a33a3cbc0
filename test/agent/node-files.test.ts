import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemNodeFiles as files } from "../../src/host/nodeFiles.ts";

const owner = { mode: 0o600, user: String(process.getuid?.()), group: String(process.getgid?.()) };
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-node-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("of many who create a file one does, and it is that one's, whole", async () => {
  const path = join(folder, "claim");
  const made = await Promise.all(Array.from({ length: 20 }, (_, n) => files.create(path, `of ${n}`, owner)));
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(readFileSync(path, "utf8")).toBe(`of ${made.indexOf(true)}`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await files.create(path, "later", owner)).toBe(false);
  expect(readdirSync(folder)).toEqual(["claim"]);
});

test("nobody ever sees a file that is created before all of it is there", async () => {
  const text = "x".repeat(100_000);
  const seen = new Set<number>();
  for (let n = 0; n < 20; n++) {
    const path = join(folder, String(n));
    let going = true;
    const looking = (async () => {
      while (going) {
        const there = await files.read(path);
        if (there !== undefined) seen.add(there.length);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await files.create(path, text, owner);
    going = false;
    await looking;
    seen.add((await files.read(path))?.length ?? 0);
  }
  expect([...seen]).toEqual([text.length]);
});
