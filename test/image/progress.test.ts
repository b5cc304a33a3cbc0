import { describe, expect, test } from "vitest";
import { virtualClock } from "../../src/host/virtual.ts";
import { debianSources, mmdebstrapCommand } from "../../src/targets/docker/image/mmdebstrap.ts";
import { buildCommand } from "../../src/targets/docker/image/build.ts";
import { cacheRoot, diskWithCache, recipeDirectory } from "../../src/targets/docker/image/disk.ts";
import { goBuild } from "../../src/targets/docker/image/etcd.ts";
import { condense, unsilent } from "../../src/targets/docker/image/progress.ts";
import { readRecipe } from "../../src/targets/docker/image/recipe.ts";
import { why } from "../../src/targets/docker/image/workshop.ts";
import { failure } from "./workshop.ts";

describe("progress", () => {
  test("is one line a stage and a count every two seconds", async () => {
    const clock = virtualClock();
    const said: string[] = [];
    const heard = condense("debian", { clock, say: (line) => said.push(line) });
    heard("I: automatically chosen format: tar");
    heard("I: installing remaining packages inside the chroot...");
    for (let n = 0; n < 50; n++) {
      heard(`Setting up package-${n} (1.0) ...`);
      heard(`Selecting previously unselected package package-${n}.`);
      await clock.advance(100);
    }
    expect(said).toEqual([
      "debian: installing remaining packages inside the chroot",
      "debian: 21 packages set up",
      "debian: 41 packages set up",
    ]);
  });

  test("reads through colours and BuildKit's numbers", () => {
    const said: string[] = [];
    const heard = condense("node", { clock: virtualClock(), say: (line) => said.push(line) });
    heard("#9 12.34 Setting up curl (7.88) ...");
    heard("\u001b[0m\u001b[91mSetting up less\u001b[0m");
    expect(said).toEqual(["node: 1 packages set up"]);
  });

  test("is never silent for more than a few seconds", async () => {
    const clock = virtualClock();
    const said: string[] = [];
    const finished = new AbortController();
    const progress = unsilent((line) => said.push(line), clock, finished.signal);
    progress.say("debian: extracting");
    await clock.advance(12_000);
    progress.say("debian: creating tarball");
    await clock.advance(3_000);
    finished.abort();
    await progress.ended;
    expect(said).toEqual([
      "debian: extracting",
      "debian: extracting … 5 s",
      "debian: extracting … 10 s",
      "debian: creating tarball",
    ]);
    expect(clock.sleeping()).toBe(0);
  });
});

describe("Debian's sources", () => {
  const lines = [
    "Debian|bookworm|http://deb.debian.org/debian/|bookworm|main",
    "Debian|bookworm-updates|http://deb.debian.org/debian/|bookworm-updates|main",
    "Debian|bookworm-security|http://security.debian.org/debian-security/|bookworm-security|main",
  ];

  test("are those of apt on this machine, without other archives, backports and repeats", () => {
    const more = [
      "Debian Backports|bookworm-backports|http://deb.debian.org/debian/|bookworm-backports|main",
      "Debian|bookworm|http://deb.debian.org/debian/|bookworm|contrib",
      "nodistro|nodistro|https://deb.nodesource.com/|nodistro|main",
    ];
    expect(debianSources([...lines, ...lines, ...more].join("\n"), "bookworm")).toEqual([
      "deb http://deb.debian.org/debian/ bookworm main",
      "deb http://deb.debian.org/debian/ bookworm-updates main",
      "deb http://security.debian.org/debian-security/ bookworm-security main",
    ]);
  });

  test("are mmdebstrap's own where this machine is another distribution or release", () => {
    expect(debianSources("Ubuntu|noble|http://archive.ubuntu.com/ubuntu/|noble|main", "bookworm")).toEqual([]);
    expect(debianSources("Debian|trixie|http://deb.debian.org/debian/|trixie|main", "bookworm")).toEqual([]);
    expect(debianSources("", "bookworm")).toEqual([]);
  });
});

describe("the words of", () => {
  test("mmdebstrap name every package, and end with suite, output and sources", async () => {
    const recipe = await readRecipe(diskWithCache("/nonexistent"), recipeDirectory(), "arm64");
    const command = mmdebstrapCommand(recipe, ["deb http://m/ bookworm main"], []);
    expect(command).toContain(`--include=${recipe.packages.join(",")}`);
    expect(command).toContain("--architectures=arm64");
    expect(command.slice(-3)).toEqual(["bookworm", "-", "deb http://m/ bookworm main"]);
  });

  test("docker build put the context last", () => {
    const command = buildCommand(
      {
        tag: "t",
        subject: "s",
        dockerfile: "",
        arguments: { A: "1 2" },
        labels: { l: "v" },
        files: [],
      },
      "/context",
    );
    expect(command).toEqual(["docker", "build", "--tag", "t", "--build-arg", "A=1 2", "--label", "l=v", "/context"]);
  });

  test("go build never change go.mod", () => {
    expect(goBuild("/out")).toEqual(expect.arrayContaining(["-mod=readonly", "-trimpath", "-ldflags=-s -w", "/out/"]));
  });
});

test("the cache is the user's, below XDG_CACHE_HOME only when that is absolute", () => {
  expect(cacheRoot({}, "/home/u")).toBe("/home/u/.cache/slipway");
  expect(cacheRoot({ XDG_CACHE_HOME: "/var/cache" }, "/home/u")).toBe("/var/cache/slipway");
  expect(cacheRoot({ XDG_CACHE_HOME: "relative" }, "/home/u")).toBe("/home/u/.cache/slipway");
});

test("a failed program's cause is what it said last that sounds like one", () => {
  expect(
    why(failure(["apt-get", "update"], 100, "Ign:1 http://x\nE: Failed to fetch http://x\nReading package lists...")),
  ).toBe("E: Failed to fetch http://x (ended with 100: apt-get update)");
  expect(why(failure(["true"], 1, ""))).toBe("ended with 1: true");
  expect(why(new Error("plain"))).toBe("plain");
});
