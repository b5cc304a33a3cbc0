import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "./sources.ts";

const exec = promisify(execFile);
let folder = "";
let installed = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-package-"));
  // What the tests are run with has just been built.
  await exec("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: root });
  const [tarball = ""] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  const place = join(folder, "place");
  await mkdir(place);
  await writeFile(join(place, "package.json"), "{}");
  await exec("npm", ["install", "--ignore-scripts", "--offline", "--no-audit", "--no-fund", join(folder, tarball)], {
    cwd: place,
  });
  installed = join(place, "node_modules");
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the installed command. */
async function slipway(...words: string[]): Promise<string> {
  const { stdout, stderr } = await exec(join(installed, ".bin/slipway"), words, { cwd: folder });
  return `${stdout}${stderr}`;
}

describe("the package", () => {
  it("installs without anything else", async () => {
    const names = (await readdir(installed)).filter((name) => !name.startsWith("."));
    expect(names).toEqual(["slipway"]);
  });

  it("has a command that tells its version and checks a file", async () => {
    const { version }: { readonly version: string } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(await slipway("--version")).toBe(`slipway ${version}\n`);
    expect(await slipway("check", join(installed, "slipway/examples/swarm.yml"))).toContain("good: demo");
  });

  it("carries what a launch needs", async () => {
    const files = new Set(await readdir(join(installed, "slipway"), { recursive: true }));
    for (const needed of [
      "dist/cli.js",
      "dist/agent.js",
      "dist/gateway.js",
      "dist/THIRD-PARTY.txt",
      "image/Dockerfile",
      "image/etcd/go.mod",
      "LICENSE",
      "README.md",
    ]) {
      expect(files).toContain(needed);
    }
    expect([...files].filter((name) => /^(?:src|test|scripts|dist\/meta)(?:\/|$)/.test(name))).toEqual([]);
  });
});
