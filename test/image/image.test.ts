import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/events/event.ts";
import { emitter } from "../../src/events/event.ts";
import { virtualClock } from "../../src/host/virtual.ts";
import { ensureNodeImage, type NodeImageOptions } from "../../src/targets/docker/image.ts";
import { type Engine, EngineError } from "../../src/targets/docker/engine.ts";
import { ImageError } from "../../src/targets/docker/image/workshop.ts";
import { type Command, failure, pretended, temporaryDisk } from "./workshop.ts";

/** What a pretended machine has; each may be switched off. */
type Machine = {
  readonly hub: boolean;
  readonly mirror: boolean;
  readonly go: boolean;
  readonly engine: boolean;
  readonly mmdebstrap: boolean;
  readonly root: boolean;
  readonly builds: boolean;
};
const everything: Machine = {
  hub: true,
  mirror: true,
  go: true,
  engine: true,
  mmdebstrap: true,
  root: true,
  builds: true,
};

function machine(lacks: Partial<Machine> = {}) {
  const has = { ...everything, ...lacks };
  let installed = has.mmdebstrap;
  const disk = temporaryDisk();
  /** Labels by image: all that the pretended engine remembers. */
  const images = new Map<string, Record<string, string>>();
  const after = (command: Command, flag: string): string => command[command.indexOf(flag) + 1] ?? "";
  const contexts: string[][] = [];

  const asked: string[] = [];
  const unused = (): never => expect.fail("the image needs no such call");
  const engine: Engine = {
    bytes: unused,
    stream: unused,
    hijack: unused,
    async call(doing, _, path) {
      if (!has.engine)
        throw new EngineError(`Docker could not ${doing}: connect ENOENT /var/run/docker.sock`, undefined);
      asked.push(path);
      if (path === "/version") return { Arch: "amd64" };
      const labels = images.get(/^\/images\/(.+)\/json$/.exec(path)?.[1] ?? "");
      if (labels === undefined) throw new EngineError(`Docker could not ${doing}: No such image`, 404);
      return { Config: { Labels: labels } };
    },
  };

  const docker = (command: Command): string => {
    const [, verb] = command;
    if (verb === "context") return "default\n";
    const last = command.at(-1) ?? "";
    if (verb === "pull") {
      if (!has.hub)
        throw failure(
          command,
          1,
          'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: no such host',
        );
      images.set(last, {});
      return "Pulling from library/debian\n";
    }
    if (verb === "build") {
      // Only packages on a stock Debian need the network.
      if (!has.builds && after(command, "--tag").startsWith("slipway/node-base:"))
        throw failure(command, 100, "E: Unable to fetch some archives");
      contexts.push(readdirSync(last, { recursive: true }).map(String).toSorted());
      const labels = command.flatMap((word, index) => (command[index - 1] === "--label" ? [word.split(/=(.*)/s)] : []));
      images.set(after(command, "--tag"), Object.fromEntries(labels));
      return "Step 1/2 : FROM base\n";
    }
    if (verb === "import") return `sha256:${"a".repeat(64)}\n`;
    if (verb === "tag") images.set(last, { "slipway.debian": "mmdebstrap" });
    return "";
  };

  const { programs, ran } = pretended(async (command) => {
    switch (command[0]) {
      case "docker":
        return docker(command);
      case "mmdebstrap":
        if (!installed) return undefined;
        if (!has.mirror) throw failure(command, 1, "E: apt-get update failed: Could not resolve 'deb.debian.org'");
        return "I: running apt-get update...\nI: creating tarball...\n";
      case "id":
        return has.root ? "0\n" : "1000\n";
      case "apt-get":
        if (command[1] === "install") installed = true;
        return command[1] === "indextargets" ? "Debian|bookworm|http://mirror.example/debian/|bookworm|main\n" : "";
      case "apt-config":
        return 'Acquire::http::Proxy "http://proxy.example:3128"\n';
      case "dpkg":
        return "amd64\n";
      case "curl":
        throw failure(command, 6, "curl: (6) Could not resolve host: github.com");
      case "go":
        if (!has.go) return undefined;
        for (const name of ["server", "etcdctl", "etcdutl"])
          await disk.write(`${after(command, "-o")}${name}`, name, 0o755);
        return "";
      default:
        return undefined;
    }
  });
  const events: Event[] = [];
  const clock = virtualClock();
  const options = {
    engine,
    processes: programs,
    streams: programs,
    disk,
    clock,
    emit: emitter(
      () => clock.now(),
      (event) => events.push(event),
    ),
  };
  return {
    ensure: (more: Pick<NodeImageOptions, "image" | "nodejs" | "signal"> = {}) =>
      ensureNodeImage({ ...options, ...more }),
    ran,
    asked,
    events,
    images,
    contexts,
    disk,
  };
}

describe("the node image", () => {
  test("is built on a stock Debian, once", async () => {
    const { ensure, ran, asked, events, images, contexts, disk } = machine();
    const made = await ensure();
    expect(made).toMatchObject({ built: true, etcd: "3.6.14", warnings: [] });
    expect(images.get(made.image)).toEqual({ "slipway.image": "node", "slipway.etcd": "3.6.14" });
    expect(ran.filter((line) => line.startsWith("mmdebstrap"))).toEqual([]);
    expect(contexts).toEqual([
      ["Dockerfile", "packages.txt"],
      [
        "Dockerfile",
        "container-init",
        "etcd-bin",
        "etcd-bin/.empty",
        "etcd-bin/etcd",
        "etcd-bin/etcdctl",
        "etcd-bin/etcdutl",
        "journald.conf",
        "masked-units.txt",
        "nodejs",
        "nodejs/.empty",
      ],
    ]);
    expect(events.at(-1)).toMatchObject({ name: "image.ready", image: made.image, built: true });
    expect(readdirSync(disk.root)).toEqual(["etcd"]);

    const before = { ran: ran.length, asked: asked.length };
    expect(await ensure()).toEqual({ ...made, built: false });
    expect(ran.slice(before.ran)).toEqual([]);
    expect(asked.slice(before.asked)).toEqual(["/version", `/images/${made.image}/json`]);
  });

  test("has the operator's Node.js where that is one for its architecture, and says which by its sum", async () => {
    const { ensure, images, contexts, disk } = machine();
    const path = join(disk.root, "node");
    writeFileSync(path, "Node.js");
    const sha256 = createHash("sha256").update("Node.js").digest("hex");
    const made = await ensure({ nodejs: { path, architecture: "amd64" } });
    expect(made.nodejs).toEqual({ sha256 });
    expect(images.get(made.image)).toMatchObject({ "slipway.nodejs": sha256 });
    expect(contexts.at(-1)).toContain("nodejs/node");
    expect((await ensure()).nodejs).toEqual({ sha256 });

    const other = machine();
    const without = await other.ensure({ nodejs: { path, architecture: "arm64" } });
    expect(without.nodejs).toEqual({ sha256: undefined });
    expect(other.contexts.at(-1)).not.toContain("nodejs/node");
  });

  test.each([
    ["no registry can be reached", { hub: false }, 3],
    ["the build on a stock Debian fails", { builds: false }, 1],
  ])("is made from a package mirror when %s", async (_, lacks, pulls) => {
    const { ensure, ran, images } = machine(lacks);
    const made = await ensure();
    expect(ran.filter((line) => line.startsWith("docker pull")).length).toBe(pulls);
    const command = ran.find((line) => line.startsWith("mmdebstrap --verbose")) ?? "";
    expect(command).toContain("bookworm - deb http://mirror.example/debian/ bookworm main");
    expect(command).toContain('--aptopt=Acquire::http::Proxy "http://proxy.example:3128"');
    expect(images.get(made.image)).toMatchObject({ "slipway.etcd": "3.6.14" });
  });

  test("has mmdebstrap installed for it where this is root, and says so", async () => {
    const { ensure, events } = machine({ hub: false, mmdebstrap: false });
    await ensure();
    expect(events).toContainEqual(
      expect.objectContaining({
        name: "image.building",
        line: expect.stringContaining("apt-get install mmdebstrap"),
      }),
    );
  });

  test.each([
    ["registry nor mirror", { hub: false, mirror: false }, "Could not resolve 'deb.debian.org'"],
    [
      "registry, mmdebstrap nor root",
      { hub: false, mmdebstrap: false, root: false },
      "run: sudo apt-get install --yes --no-install-recommends mmdebstrap",
    ],
  ])("cannot be had with neither %s: each way is named with its cause, and nothing stays", async (_, lacks, cause) => {
    const { ensure, events, images, disk } = machine(lacks);
    const error: unknown = await ensure().catch((thrown: unknown) => thrown);
    if (!(error instanceof ImageError)) throw error;
    expect(error.attempts.map((attempt) => attempt.what.replace(/@.*/, ""))).toEqual([
      "docker pull docker.io/library/debian",
      "docker pull public.ecr.aws/docker/library/debian",
      "docker pull mirror.gcr.io/library/debian",
      "mmdebstrap from a Debian package mirror",
    ]);
    expect(error.message).toContain("no such host");
    expect(error.message).toContain(cause);
    expect(error.next).toContain("SLIPWAY_NODE_IMAGE");
    expect(images.size).toBe(0);
    expect(events.some((event) => event.name === "image.ready")).toBe(false);
    expect(readdirSync(disk.root).filter((name) => name.startsWith("work-"))).toEqual([]);
  });

  test("has Debian's etcd as the last resort, with a warning now and every time after", async () => {
    const { ensure, ran, events } = machine({ go: false });
    const made = await ensure();
    expect(made.etcd).toBe("3.4.23");
    expect(made.warnings).toEqual([expect.stringContaining(`docker image rm ${made.image}`)]);
    expect(ran.some((line) => line.includes("--build-arg ETCD_PACKAGES=etcd-server etcd-client"))).toBe(true);
    const again = await ensure();
    expect(again).toMatchObject({ built: false, etcd: "3.4.23" });
    expect(again.warnings.length).toBe(1);
    expect(events.filter((event) => event.name === "image.warning").length).toBe(2);
  });

  test("needs an engine, and says what failed", async () => {
    const { ensure } = machine({ engine: false });
    await expect(ensure()).rejects.toThrow(
      /^No Docker engine answers:\n {2}- GET \/version: .*connect ENOENT \/var\/run\/docker.sock/,
    );
  });

  test("may be one that the user names: used as it is, or pulled", async () => {
    const { ensure, ran, images } = machine();
    images.set("registry.example/node:1", { "slipway.etcd": "3.6.9", "slipway.nodejs": "5e" });
    expect(await ensure({ image: "registry.example/node:1" })).toEqual({
      image: "registry.example/node:1",
      built: false,
      etcd: "3.6.9",
      nodejs: { sha256: "5e" },
      warnings: [],
    });
    expect(await ensure({ image: "registry.example/node:2" })).toMatchObject({
      built: false,
      etcd: undefined,
    });
    expect(ran).toEqual(["docker pull registry.example/node:2"]);
  });

  test("that the user names and nobody has is an error with that name", async () => {
    const { ensure } = machine({ hub: false });
    await expect(ensure({ image: "registry.example/node:3" })).rejects.toThrow(
      /registry\.example\/node:3 \(SLIPWAY_NODE_IMAGE\)/,
    );
  });

  test("stops when asked to", async () => {
    const { ensure, images } = machine();
    const stop = new Error("enough");
    await expect(ensure({ signal: AbortSignal.abort(stop) })).rejects.toBe(stop);
    expect(images.size).toBe(0);
  });
});

describe("the disk", () => {
  test("puts a finished directory in the place of an old one and keeps modes", async () => {
    const disk = temporaryDisk();
    const to = disk.cached("entry");
    for (const content of ["old", "new"]) {
      const place = await disk.workplace();
      await disk.write(`${place.path}/deep/file`, content, 0o755);
      await disk.place(place.path, to);
    }
    expect(readFileSync(join(to, "deep/file"), "utf8")).toBe("new");
    expect(statSync(join(to, "deep/file")).mode & 0o777).toBe(0o755);
    expect(readdirSync(disk.root)).toEqual(["entry"]);
    expect(await disk.list(to)).toEqual(["deep/file"]);
  });

  test("tells a missing file from one that cannot be read", async () => {
    const disk = temporaryDisk();
    writeFileSync(disk.cached("file"), "x");
    expect(await disk.read(disk.cached("nothing"))).toBeUndefined();
    expect(await disk.sha256(disk.cached("nothing"))).toBeUndefined();
    await expect(disk.read(disk.cached("file", "below"))).rejects.toThrow("ENOTDIR");
    expect(await disk.sha256(disk.cached("file"))).toBe(
      "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    );
  });
});
