import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cp, remotePath, type Copied } from "../../src/operations/cp.ts";
import { demo, world, type World } from "./fake-target.ts";

let here: string;
let there: string;
let made: World;
const binary = Buffer.from([0, 255, 10, 128, 7]);

beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), "slipway-cp-here-"));
  there = mkdtempSync(join(tmpdir(), "slipway-cp-there-"));
  made = world();
  // The node's programs are this machine's: a node's path is a path below `there`.
  made.target.exec = (_, command, options) => {
    const [program = "", ...words] = command;
    const { status, stdout, stderr } = spawnSync(program, words, { input: options.input });
    if (options.output === undefined)
      return { code: status ?? -1, stdout: stdout.toString(), stderr: stderr.toString() };
    options.output("stdout", stdout);
    return { code: status ?? -1, stdout: "", stderr: stderr.toString() };
  };
});
afterEach(() => {
  for (const folder of [here, there]) rmSync(folder, { recursive: true, force: true });
});

const copy = (from: string, to: string): Promise<Copied> => cp(made.context, { cluster: demo, from, to });
const node = (path: string): string => `demo-worker-1:${join(there, path)}`;
const local = (path: string): string => join(here, path);

describe("cp to a node", () => {
  it("carries a file byte for byte, under a new name or into a folder", async () => {
    writeFileSync(local("a.bin"), binary);
    expect(await copy(local("a.bin"), node("b.bin"))).toMatchObject({
      node: "demo-worker-1",
      direction: "to",
      path: join(there, "b.bin"),
    });
    expect(readFileSync(join(there, "b.bin"))).toEqual(binary);
    await copy(local("a.bin"), node(""));
    expect(readFileSync(join(there, "a.bin"))).toEqual(binary);
    expect(readdirSync(there).toSorted()).toEqual(["a.bin", "b.bin"]);
    expect(readdirSync(here)).toEqual(["a.bin"]);
  });

  it("carries a folder, and merges it into one that is there", async () => {
    mkdirSync(local("app/inner"), { recursive: true });
    writeFileSync(local("app/inner/x"), "1");
    symlinkSync("inner/x", local("app/link"));
    await copy(local("app"), node("copy"));
    expect(readFileSync(join(there, "copy/link"), "utf8")).toBe("1");
    mkdirSync(join(there, "app"));
    writeFileSync(join(there, "app/kept"), "k");
    await copy(local("app"), node(""));
    expect(readdirSync(join(there, "app")).toSorted()).toEqual(["inner", "kept", "link"]);
  });

  it("names a link by its own name and carries what it leads to", async () => {
    writeFileSync(local("real"), "text");
    symlinkSync("real", local("link"));
    await copy(local("link"), node(""));
    expect(readFileSync(join(there, "link"), "utf8")).toBe("text");
  });

  it("refuses what is not there, and leaves nothing behind", async () => {
    await expect(copy(local("no"), node("x"))).rejects.toThrow(/there is no .*no on this machine/);
    writeFileSync(local("a"), "a");
    await expect(copy(local("a"), node("no/such/x"))).rejects.toThrow(/there is no folder .*no\/such on demo-worker-1/);
    mkdirSync(join(there, "a"));
    mkdirSync(join(there, "a/a"));
    await expect(copy(local("a"), node("a"))).rejects.toThrow("is a folder");
    expect(readdirSync(there)).toEqual(["a"]);
  });
});

describe("cp from a node", () => {
  it("carries a file byte for byte, under a new name or into a folder", async () => {
    writeFileSync(join(there, "a.bin"), binary);
    expect(await copy(node("a.bin"), local("b.bin"))).toMatchObject({
      direction: "from",
      path: local("b.bin"),
    });
    expect(readFileSync(local("b.bin"))).toEqual(binary);
    await copy(node("a.bin"), here);
    expect(readFileSync(local("a.bin"))).toEqual(binary);
    expect(readdirSync(here).toSorted()).toEqual(["a.bin", "b.bin"]);
  });

  it("carries a folder, and merges it into one that is there", async () => {
    mkdirSync(join(there, "app"));
    writeFileSync(join(there, "app/x"), "1");
    mkdirSync(local("app"));
    writeFileSync(local("app/kept"), "k");
    await copy(node("app"), here);
    expect(readdirSync(local("app")).toSorted()).toEqual(["kept", "x"]);
    await copy(node("app/"), local("fresh"));
    expect(readdirSync(local("fresh"))).toEqual(["x"]);
  });

  it("refuses what is not there", async () => {
    await expect(copy(node("no"), local("x"))).rejects.toThrow(/there is no .*no on demo-worker-1/);
    writeFileSync(join(there, "a"), "a");
    await expect(copy(node("a"), local("no/x"))).rejects.toThrow(/there is no folder .*no on this machine/);
    expect(readdirSync(here)).toEqual([]);
  });
});

describe("the paths of cp", () => {
  it("tell a node from this machine", () => {
    expect(remotePath("demo-worker-1:/etc")).toEqual({ node: "demo-worker-1", path: "/etc" });
    for (const text of ["/etc", "./a:b", "C/x:y"]) expect(remotePath(text)).toBeUndefined();
  });

  it("must be one on a node, absolute, and one here", async () => {
    await expect(copy("a", "b")).rejects.toThrow("one of the two paths must be on a node");
    await expect(copy("n:/a", "m:/b")).rejects.toThrow("one of the two paths must be on a node");
    await expect(copy("demo-worker-1:etc", "b")).rejects.toThrow("a path on a node is absolute");
  });
});
