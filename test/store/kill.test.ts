import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { diskStore } from "../../src/store/disk.ts";
import { temporaryFolder } from "./places.ts";
import { contentOf, faultsOf, type Model, type Said } from "./workload.ts";

type Ended = {
  readonly signal: string | null;
  readonly code: number | null;
  readonly said: readonly Said[];
  readonly error: string;
};

function run(script: string, words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...words], (_, output, error) => {
      // Only whole lines were said; each is what `workload` put in.
      const said = output
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Said);
      resolve({ signal: child.signalCode, code: child.exitCode, said, error });
    });
  });
}

test(
  "a process killed at any call of the disk leaves every acknowledged write, and no other than those it tried",
  { timeout: 120_000 },
  async () => {
    const { folder, remove } = await temporaryFolder();
    const script = join(folder, "crashing.mjs");
    await build({
      entryPoints: [join(import.meta.dirname, "crashing.ts")],
      outfile: script,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
    });
    const place = join(folder, "store");
    const versions = new Map<string, string>();
    let before: Model = new Map();
    let kills = 0;
    for (let at = 1; ; at++) {
      const ended = await run(script, [place, String(at), String(at)]);
      const store = await diskStore(place);
      const after = await contentOf(store);
      expect(faultsOf(before, ended.said, after, versions), `killed at call ${at}`).toEqual([]);
      before = after;
      await store.close();
      expect((await readdir(place)).filter((name) => name.endsWith(".temp"))).toEqual([]);
      if (ended.signal === null) {
        expect(ended.error).toBe("");
        expect(ended.code).toBe(0);
        break;
      }
      expect(ended.signal).toBe("SIGKILL");
      kills++;
    }
    expect(kills).toBeGreaterThan(40);
    expect(before.size).toBe(3);
    await remove();
  },
);
