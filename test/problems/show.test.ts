/* oxlint-disable no-control-regex -- it is these characters that this file is about */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { editDistance, nearest } from "../../src/problems/nearest.ts";
import { problemsJson, showProblems } from "../../src/problems/show.ts";
import { columns, quoted, visible } from "../../src/problems/visible.ts";

const file = "name: demo\ngroups:\n  control: { role: control, cuont: 3 }\n";

function shown(text: string, color = false): string {
  const read = readCluster(text, "cluster.yml");
  return showProblems(read.kind === "bad" ? read.problems : read.warnings, read.source, { color });
}

describe("a problem is shown like a compiler's", () => {
  test("place, line, caret, fix", () => {
    expect(shown(file)).toBe(
      [
        'cluster.yml:3:29: error: unknown key "cuont"',
        "      control: { role: control, cuont: 3 }",
        "                                ^~~~~",
        "  fix: count",
        "",
      ].join("\n"),
    );
  });

  test("colours add nothing but colours", () => {
    const inColor = shown(file, true);
    expect(inColor).toContain("\u001b[1;31merror:\u001b[0m");
    expect(inColor.replace(/\u001b\[[0-9;]*m/g, "")).toBe(shown(file));
  });

  test("the caret stands under wide characters and behind tabs", () => {
    const [, line = "", caret = ""] = shown(
      "groups: { control: {} }\nname: demo\netcd: {\tx漢字e\u0301👩‍💻: 1 }\n",
    ).split("\n");
    expect(line.slice(4)).toBe("etcd: {\tx漢字e\u0301👩‍💻: 1 }");
    expect(caret).toBe(`${" ".repeat(11)}\t^${"~".repeat(1 + 4 + 1 + 2 - 1)}`);
  });

  test("problems come in the order of the file", () => {
    const lines = [
      ...shown("etcd: { b: 1 }\ndocker: { a: 1 }\nname: X\ngroups: { c: 1 }\n").matchAll(/^cluster\.yml:(\d+):/gm),
    ];
    expect(lines.map(([, line]) => Number(line))).toEqual([1, 2, 3, 4]);
  });

  test("what an alias repeats is told once", () => {
    expect(shown("name: a\ngroups: { control: &one { cuont: 1 }, a: *one, b: *one }\n").match(/error:/g)).toHaveLength(
      1,
    );
  });

  test("of many problems the first are shown, and the others counted", () => {
    const keys = Array.from({ length: 70 }, (_, index) => `key${index}: x`);
    const text = shown(`name: a\ngroups: { control: {} }\n${keys.join("\n")}\n`);
    expect(text.match(/error:/g)).toHaveLength(50);
    expect(text.split("\n").at(-2)).toBe("and 20 more");
  });

  test("as data, with the related places", () => {
    const read = readCluster(
      "name: a\ngroups: { control: {} }\nservices:\n  a: { image: a, ports: [80] }\n  b: { image: b, ports: [80] }\n",
      "cluster.yml",
    );
    const problems = read.kind === "bad" ? read.problems : [];
    expect(problemsJson(problems, read.source)).toEqual([
      {
        code: "duplicate-port",
        severity: "error",
        file: "cluster.yml",
        line: 5,
        column: 26,
        length: 2,
        path: ["services", "b", "ports", 0],
        message: "the port 80/tcp is published twice",
        fix: 'publish another, such as "8080:80"',
        related: [{ line: 4, column: 26, message: "by a, here" }],
      },
    ]);
  });
});

describe("what is shown cannot act on the terminal", () => {
  test("hidden characters become visible ones of the same length", () => {
    expect(visible("a\u001b[2J\u202eb\u007f\tc")).toBe("a␛[2J\ufffdb␡\tc");
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => visible(text).length === text.length));
  });

  test("values are named on one line, and shortened", () => {
    expect(quoted("a\nb")).toBe('"a␊b"');
    expect(quoted("x".repeat(1000))).toBe(`"${"x".repeat(60)}…"`);
  });

  test("a file's name is shown so too", () => {
    const read = readCluster("", "a\u001b[2J.yml");
    expect(showProblems(read.kind === "bad" ? read.problems : [], read.source)).toMatch(/^a␛\[2J\.yml:1:1: error/);
  });
});

test("columns of a terminal", () => {
  expect(["abc", "漢字", "e\u0301", "👩‍💻", "한글", "ａ"].map(columns)).toEqual([3, 4, 1, 2, 4, 2]);
});

describe("the nearest word", () => {
  test.each([
    ["cuont", "count"],
    ["servces", "services"],
    ["Image", "image"],
    ["xyz", undefined],
    ["a".repeat(1_000_000), undefined],
  ])("%s", (word, expected) => {
    expect(nearest(word, ["count", "services", "image"])).toBe(expected);
  });

  test("the distance is a distance", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});
