import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { etcdRelease, isCurrentEtcd } from "../../src/components/etcd/release.ts";
import { diskWithCache, recipeDirectory } from "../../src/targets/docker/image/disk.ts";
import {
  type Recipe,
  baseImageTag,
  listLines,
  nodeImageTag,
  readRecipe,
  recipeText,
} from "../../src/targets/docker/image/recipe.ts";

const directory = recipeDirectory();
const shipped = await readRecipe(diskWithCache("/nonexistent"), directory, "amd64");

/** The recipe with one file's bytes changed. */
function changed(recipe: Recipe, path: string, change: (content: Uint8Array) => Uint8Array): Recipe {
  return {
    ...recipe,
    files: recipe.files.map((file) => (file.path === path ? { path, content: change(file.content) } : file)),
  };
}

describe("the tag", () => {
  test("is a function of the recipe", async () => {
    const again = await readRecipe(diskWithCache("/elsewhere"), directory, "amd64");
    expect(nodeImageTag(again)).toBe(nodeImageTag(shipped));
    expect(nodeImageTag(shipped)).toMatch(/^slipway\/node:[0-9a-f]{12}$/);
    expect(baseImageTag(shipped)).toMatch(/^slipway\/node-base:[0-9a-f]{12}$/);
  });

  test("changes with any byte of any file", () => {
    const places = fc
      .constantFrom(...shipped.files)
      .chain((file) =>
        fc.tuple(fc.constant(file.path), fc.nat(file.content.length - 1), fc.integer({ min: 1, max: 255 })),
      );
    fc.assert(
      fc.property(places, ([path, place, flip]) => {
        const other = changed(shipped, path, (content) =>
          content.map((byte, index) => (index === place ? byte ^ flip : byte)),
        );
        expect(nodeImageTag(other)).not.toBe(nodeImageTag(shipped));
      }),
    );
  });

  test("tells apart files whose bytes move from one to the other", () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const of = (first: string, second: string): Recipe => ({
      ...shipped,
      files: [
        { path: "a", content: bytes(first) },
        { path: "b", content: bytes(second) },
      ],
    });
    expect(nodeImageTag(of("12", "3"))).not.toBe(nodeImageTag(of("1", "23")));
    expect(nodeImageTag(of("1 6 file b 1 2", ""))).not.toBe(nodeImageTag(of("1", "2")));
  });

  test("changes with architecture, etcd and Debian", () => {
    const { amd64, arm64 } = etcdRelease.archives;
    const others: readonly Recipe[] = [
      { ...shipped, architecture: "arm64" },
      { ...shipped, etcd: { ...etcdRelease, version: "3.6.15" } },
      {
        ...shipped,
        etcd: { ...etcdRelease, archives: { amd64: { ...amd64, sha256: arm64.sha256 }, arm64 } },
      },
      { ...shipped, debian: { ...shipped.debian, image: "debian@sha256:0" } },
      { ...shipped, packages: [...shipped.packages, "vim"] },
    ];
    expect(new Set([shipped, ...others].map(nodeImageTag)).size).toBe(others.length + 1);
  });

  test("of the base stays when only what lies above changes", () => {
    const other = changed(shipped, "container-init", (content) => content.subarray(1));
    expect(baseImageTag(other)).toBe(baseImageTag(shipped));
    expect(baseImageTag({ ...shipped, etcd: { ...etcdRelease, version: "3.6.15" } })).toBe(baseImageTag(shipped));
    expect(baseImageTag(changed(shipped, "packages.txt", (content) => content.subarray(1)))).not.toBe(
      baseImageTag(shipped),
    );
  });
});

describe("the shipped recipe", () => {
  test("names each package and each masked unit once", () => {
    const masked = listLines(recipeText(shipped, "masked-units.txt"));
    expect(new Set(masked).size).toBe(masked.length);
    expect(new Set(shipped.packages).size).toBe(shipped.packages.length);
    for (const unit of masked)
      expect(unit).toMatch(/^[a-z0-9_-]+@?\.(?:service|socket|timer|mount|automount|target|path)$/);
    for (const name of shipped.packages) expect(name).toMatch(/^[a-z0-9][a-z0-9.+-]+$/);
  });

  test("masks nothing that a cluster starts", () => {
    const masked = listLines(recipeText(shipped, "masked-units.txt"));
    for (const unit of [
      "docker.service",
      "docker.socket",
      "containerd.service",
      "etcd.service",
      "dbus.service",
      "systemd-journald.service",
    ])
      expect(masked).not.toContain(unit);
  });

  test("has the Node runtime's library and what systemd and Docker need", () => {
    expect(shipped.packages).toEqual(
      expect.arrayContaining([
        "systemd-sysv",
        "dbus",
        "docker.io",
        "iptables",
        "libstdc++6",
        "ca-certificates",
        "busybox-static",
      ]),
    );
  });

  test("builds the same etcd from source as it fetches", () => {
    const wanted = readFileSync(join(directory, "etcd/go.mod"), "utf8").matchAll(
      /^\tgo\.etcd\.io\/etcd\/(server|etcdctl|etcdutl)\/v3 v(\S+)$/gm,
    );
    expect([...wanted].map((match) => [match[1], match[2]])).toEqual(
      ["etcdctl", "etcdutl", "server"].map((name) => [name, etcdRelease.version]),
    );
  });

  test("pins every archive and the stock Debian by hash", () => {
    for (const { url, sha256 } of Object.values(etcdRelease.archives)) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(url).toContain(`/v${etcdRelease.version}/`);
    }
    expect(shipped.debian.image).toMatch(/^debian@sha256:[0-9a-f]{64}$/);
  });
});

test.each([
  ["3.6.14", true],
  ["3.6.0", true],
  ["3.10.1", true],
  ["4.0.0", true],
  ["3.5.30", false],
  ["3.4.23", false],
  ["unknown", false],
])("etcd %s is current: %s", (version, expected) => {
  expect(isCurrentEtcd(version)).toBe(expected);
});
