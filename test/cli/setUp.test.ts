import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const exec = promisify(execFile);
const root = join(import.meta.dirname, "../..");
let clone = "";

/** A clone as git makes it: sources, no dist/; its build is a stand-in that notes each run and takes a moment. */
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "slipway-clone-"));
  for (const folder of ["bin", "scripts", "src", "node_modules"]) await mkdir(join(clone, folder));
  await cp(join(root, "bin/slipway"), join(clone, "bin/slipway"));
  await cp(join(root, "scripts/set-up.mjs"), join(clone, "scripts/set-up.mjs"));
  await writeFile(join(clone, "package.json"), '{"type":"module"}');
  await writeFile(join(clone, "package-lock.json"), "{}");
  await writeFile(join(clone, "node_modules/.package-lock.json"), "{}");
  await writeFile(join(clone, "src/main.ts"), "");
  await writeFile(
    join(clone, "scripts/build.mjs"),
    `import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
     appendFileSync("runs", "built\\n");
     await new Promise((resolve) => setTimeout(resolve, 200));
     mkdirSync("dist", { recursive: true });
     writeFileSync("dist/cli.js", "process.stdout.write('ran ' + process.argv.slice(2).join(' ') + '\\\\n');");
     writeFileSync("dist/stamp", "");`,
  );
});
afterEach(() => rm(clone, { recursive: true }));

const slipway = (...words: string[]) => exec(process.execPath, [join(clone, "bin/slipway"), ...words]);
const runs = async () => (await readFile(join(clone, "runs"), "utf8")).split("\n").length - 1;
const changed = (file: string) =>
  utimes(join(clone, file), new Date(Date.now() + 60_000), new Date(Date.now() + 60_000));

describe("bin/slipway", () => {
  it("sets itself up once, says so on standard error, and runs", async () => {
    const first = await slipway("status", "demo");
    expect(first.stdout).toBe("ran status demo\n");
    expect(first.stderr).toMatch(/^slipway: .*building.*\n$/);
    const second = await slipway("list");
    expect([second.stdout, second.stderr, await runs()]).toEqual(["ran list\n", "", 1]);
  });

  it("builds again when a source is newer", async () => {
    await slipway("list");
    await changed("src/main.ts");
    await slipway("list");
    expect(await runs()).toBe(2);
  });

  it("sets itself up once where several are started together", async () => {
    const all = await Promise.all(["a", "b", "c"].map((word) => slipway(word)));
    expect(all.map(({ stdout }) => stdout)).toEqual(["ran a\n", "ran b\n", "ran c\n"]);
    expect(all.filter(({ stderr }) => stderr !== "")).toHaveLength(1);
    expect(await runs()).toBe(1);
  });

  it("takes over the lock of a set-up that was killed", async () => {
    const dead = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => dead.on("exit", resolve));
    await mkdir(join(clone, ".cache"));
    await writeFile(join(clone, ".cache/set-up.lock"), String(dead.pid));
    expect((await slipway("list")).stdout).toBe("ran list\n");
  });

  it("says what failed and what to run", async () => {
    await writeFile(join(clone, "scripts/build.mjs"), "process.stderr.write('no luck\\n'); process.exit(3);");
    await expect(slipway("list")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/error: setting up failed: .*build\.mjs\nno luck\nnext: cd /),
    });
  });

  it("asks for nothing in an installed package, which has no sources", async () => {
    await slipway("list");
    for (const path of ["src", "scripts", "node_modules", "runs"]) await rm(join(clone, path), { recursive: true });
    await symlink(join(clone, "bin/slipway"), join(clone, "linked"));
    const { stdout, stderr } = await exec(process.execPath, [join(clone, "linked"), "list"]);
    expect([stdout, stderr]).toEqual(["ran list\n", ""]);
  });
});
