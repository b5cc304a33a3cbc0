import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { virtualClock } from "../../src/host/virtual.ts";
import { recipeDirectory } from "../../src/targets/docker/image/disk.ts";
import { obtainEtcd } from "../../src/targets/docker/image/etcd.ts";
import { type Recipe, readRecipe } from "../../src/targets/docker/image/recipe.ts";
import type { Workshop } from "../../src/targets/docker/image/workshop.ts";
import { type Command, failure, pretended, temporaryDisk } from "./workshop.ts";

const archive = Buffer.from("the bytes of a release");

/** A machine with curl, tar and, unless `go` says otherwise, a Go toolchain; the network gives `served`. */
async function machine(served: Buffer | "unreachable", go: "there" | "absent" | "fails" = "there", curl = true) {
  const fetched: string[] = [];
  const disk = {
    ...temporaryDisk(),
    async fetch(url: string, to: string) {
      fetched.push(url);
      if (served === "unreachable") throw new Error("fetch failed");
      writeFileSync(to, served);
    },
  };
  const shipped = await readRecipe(disk, recipeDirectory(), "arm64");
  const { arm64, amd64 } = shipped.etcd.archives;
  const sha256 = createHash("sha256").update(archive).digest("hex");
  const recipe: Recipe = {
    ...shipped,
    etcd: { ...shipped.etcd, archives: { amd64, arm64: { ...arm64, sha256 } } },
  };
  const after = (command: Command, flag: string): string => command[command.indexOf(flag) + 1] ?? "";
  const { programs, ran } = pretended(async (command, options) => {
    if (command[0] === "curl") {
      if (!curl) return undefined;
      if (served === "unreachable") throw failure(command, 6, "curl: (6) Could not resolve host: github.com");
      writeFileSync(after(command, "--output"), served);
      return "";
    }
    if (command[0] === "tar") {
      for (const name of ["etcd", "etcdctl", "etcdutl"])
        writeFileSync(join(after(command, "-C"), name), `released ${name}`);
      return "";
    }
    if (command[0] === "go") {
      if (go === "absent") return undefined;
      if (go === "fails") throw failure(command, 1, "go: errors parsing go.mod: requires go >= 1.25");
      expect(options.environment).toMatchObject({
        CGO_ENABLED: "0",
        GOOS: "linux",
        GOARCH: "arm64",
      });
      expect(readFileSync(join(options.directory ?? "", "go.sum"), "utf8")).toContain("go.etcd.io/etcd/server/v3");
      for (const name of ["server", "etcdctl", "etcdutl"])
        await disk.write(`${after(command, "-o")}${name}`, `built ${name}`, 0o755);
      return "go: downloading go.etcd.io/etcd/server/v3 v3.6.14\n";
    }
    return undefined;
  });
  const warnings: string[] = [];
  const workshop: Workshop = {
    processes: programs,
    disk,
    clock: virtualClock(),
    say: () => undefined,
    warn: (message) => warnings.push(message),
    signal: undefined,
  };
  return { disk, recipe, workshop, ran, warnings, fetched };
}

const programsOf = (ran: readonly string[]): readonly (string | undefined)[] => ran.map((line) => line.split(" ")[0]);

describe("etcd", () => {
  test("comes from the official release when its hash is the pinned one", async () => {
    const { workshop, recipe, ran, disk } = await machine(archive);
    const source = await obtainEtcd(workshop, recipe);
    if (source.kind !== "programs") throw new Error("no programs");
    expect(source).toMatchObject({ origin: "release", version: recipe.etcd.version });
    expect(readFileSync(join(source.directory, "etcdutl"), "utf8")).toBe("released etcdutl");
    expect(programsOf(ran)).toEqual(["curl", "tar"]);
    expect(ran[0]).toContain(`--proto =https `);
    expect(statSync(join(disk.root, "etcd")).mode & 0o777).toBe(0o700);
    expect(readdirSync(disk.root)).toEqual(["etcd"]);
  });

  test("is fetched without curl where there is none, and checked all the same", async () => {
    const good = await machine(archive, "there", false);
    expect(await obtainEtcd(good.workshop, good.recipe)).toMatchObject({ origin: "release" });
    expect(good.fetched).toEqual([good.recipe.etcd.archives.arm64.url]);
    const bad = await machine(Buffer.concat([archive, Buffer.from("x")]), "there", false);
    expect(await obtainEtcd(bad.workshop, bad.recipe)).toMatchObject({ origin: "go" });
    expect(programsOf(bad.ran)).not.toContain("tar");
    // Where there is a curl that cannot reach it, there is no second try around a proxy.
    const closed = await machine("unreachable");
    await obtainEtcd(closed.workshop, closed.recipe);
    expect(closed.fetched).toEqual([]);
  });

  test("is taken from the cache the second time", async () => {
    const { workshop, recipe, ran } = await machine(archive);
    const first = await obtainEtcd(workshop, recipe);
    const before = ran.length;
    expect(await obtainEtcd(workshop, recipe)).toEqual(first);
    expect(ran.length).toBe(before);
  });

  test("is fetched again when the cache was damaged", async () => {
    const { workshop, recipe, ran } = await machine(archive);
    const source = await obtainEtcd(workshop, recipe);
    if (source.kind !== "programs") throw new Error("no programs");
    for (const damage of [
      () => writeFileSync(join(source.directory, "etcd"), "half"),
      () => writeFileSync(join(source.directory, "sha256.json"), "{"),
    ]) {
      damage();
      const before = ran.length;
      await obtainEtcd(workshop, recipe);
      expect(programsOf(ran.slice(before))).toEqual(["curl", "tar"]);
      expect(readFileSync(join(source.directory, "etcd"), "utf8")).toBe("released etcd");
    }
  });

  test("with one bit flipped on the way is refused: nothing is unpacked, the sources are built, and it is said", async () => {
    const flipped = Buffer.from(archive);
    flipped[3] = (flipped[3] ?? 0) ^ 1;
    const { workshop, recipe, ran, warnings } = await machine(flipped);
    const source = await obtainEtcd(workshop, recipe);
    if (source.kind !== "programs") throw new Error("no programs");
    expect(source.origin).toBe("go");
    expect(programsOf(ran)).toEqual(["curl", "go"]);
    expect(readFileSync(join(source.directory, "etcd"), "utf8")).toBe("built server");
    expect(warnings).toEqual([expect.stringContaining(`not the pinned ${recipe.etcd.archives.arm64.sha256}: refused`)]);
  });

  test.each([
    ["absent", "could not run (ENOENT)"],
    ["fails", "requires go >= 1.25"],
  ] as const)("is Debian's when GitHub is out of reach and Go %s, with both causes", async (go, cause) => {
    const { workshop, recipe, disk } = await machine("unreachable", go);
    const source = await obtainEtcd(workshop, recipe);
    if (source.kind !== "packages") throw new Error("not Debian's");
    expect(source.packages).toEqual(["etcd-server", "etcd-client"]);
    expect(source.attempts.map((attempt) => attempt.why)).toEqual([
      expect.stringContaining("Could not resolve host"),
      expect.stringContaining(cause),
    ]);
    expect(readdirSync(disk.root)).toEqual([]);
  });

  test("stops when asked to", async () => {
    const { workshop, recipe, ran } = await machine(archive);
    const reason = new Error("enough");
    await expect(obtainEtcd({ ...workshop, signal: AbortSignal.abort(reason) }, recipe)).rejects.toBe(reason);
    expect(programsOf(ran)).toEqual(["curl"]);
  });
});
