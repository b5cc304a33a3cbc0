import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, root, textOf } from "./sources.ts";

const sources = filesBelow("src", /\.ts$/);
const tests = filesBelow("test", /\.ts$/);
const scripts = [...filesBelow("scripts", /\.mjs$/), "bin/slipway"];

/** Lines of files that a pattern finds, as `path:line: text`. */
function found(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) && !/^\s*(?:\/\*)?\*/.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

describe("the sources", () => {
  it("are there", () => {
    expect(sources.length).toBeGreaterThan(200);
    expect(tests.length).toBeGreaterThan(50);
  });

  it("leave nothing undone", () => {
    expect(found([...sources, ...scripts], /\b(?:TODO|FIXME|XXX)\b|not implemented|placeholder text/)).toEqual([]);
  });

  it("have no hole in the types", () => {
    expect(
      found(sources, /: any\b|\bas any\b|<any>|\bas unknown as\b|@ts-ignore|@ts-expect-error|@ts-nocheck/),
    ).toEqual([]);
  });

  it("swallow no error", () => {
    const empty = /catch\s*(?:\(\w*\))?\s*\{\s*\}/;
    const dropped = /\.catch\(\s*\(\w*\)\s*=>\s*(?:\{\s*\}|undefined|null|void 0)\s*\)/;
    expect(found(sources, empty)).toEqual([]);
    expect(found(sources, dropped)).toEqual([]);
  });

  it("have no random sleep and no shell", () => {
    expect(found(sources, /shell:\s*true|\bexecSync\(|\bspawnSync\(/)).toEqual([]);
  });
});

describe("files", () => {
  it("have at most 400 lines", () => {
    const long = [...sources, ...tests, ...scripts].flatMap((path) => {
      const lines = textOf(path).split("\n").length - 1;
      return lines > 400 ? [`${path}: ${lines} lines`] : [];
    });
    expect(long).toEqual([]);
  });

  it("have names that say something", () => {
    const empty = /(?:^|\/)(?:utils?|common|core|helpers?|lib|types|misc|shared)(?:\/|\.\w+$)/;
    expect([...sources, ...tests, ...scripts].filter((path) => empty.test(path))).toEqual([]);
  });
});

describe("the tests", () => {
  it("all run", () => {
    expect(
      found(tests, /\b(?:it|test|describe)\.(?:skip|only|todo)\b/).filter((line) => !line.startsWith("test/house/")),
    ).toEqual([]);
  });
});

describe("the project stands alone", () => {
  const pages = [
    ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "package.json", ".ci/run", "examples/swarm.yml"].filter(
      (path) => existsSync(join(root, path)),
    ),
    ...filesBelow("docs", /\.md$/),
    ...filesBelow("image", /./).filter((path) => !path.endsWith("go.sum") && path.includes(".")),
    ...filesBelow("bench", /\.(?:ts|sh)$/),
  ];

  it("names no folder of the machine that it was written on", () => {
    const machine = new RegExp(["/work", "/(?:main|shared)\\b|/tmp", "/brief"].join(""));
    expect(found([...sources, ...tests, ...scripts, ...pages], machine)).toEqual([]);
  });
});
