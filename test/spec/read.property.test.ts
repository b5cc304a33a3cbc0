/* oxlint-disable no-control-regex -- it is these characters that this file is about */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { problemsJson, showProblems } from "../../src/problems/show.ts";
import { readSpec } from "../../src/spec/read.ts";
import { yamlText } from "../../src/spec/write.ts";
import { validFile } from "./specs.ts";

/** Reads a file whatever it is, and checks that each problem stands inside it and can be shown. */
function readsSafely(input: string | Uint8Array): void {
  const { source, ...read } = readCluster(input, "cluster.yml");
  const problems = read.kind === "bad" ? read.problems : read.warnings;
  if (read.kind === "bad") expect(problems.length).toBeGreaterThan(0);
  const placed = problemsJson(problems, source);
  expect(placed.length > 0).toBe(problems.length > 0);
  for (const { line, column, length } of placed) {
    const text = source.lines[line - 1];
    expect(text).toBeDefined();
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column - 1 + length).toBeLessThanOrEqual(text?.length ?? 0);
  }
  expect(showProblems(problems, source)).not.toMatch(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
  );
}

test("no bytes make reading throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), readsSafely));
});

test("no text makes reading throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), readsSafely));
  const yamlish = fc.array(
    fc.constantFrom(
      "name",
      "groups",
      ": ",
      "\n",
      "  ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ",",
      "&a ",
      "*a",
      "!x ",
      '"',
      "'",
      "|\n",
      "? ",
      "#",
      "\t",
      "--- ",
      "漢",
      "0",
      "control",
    ),
  );
  fc.assert(
    fc.property(yamlish, (parts) => readsSafely(parts.join(""))),
    { numRuns: 300 },
  );
});

test("no slip in a good file makes reading throw", () => {
  const slip = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(4),
    insert: fc.string({ maxLength: 4 }),
  });
  fc.assert(
    fc.property(validFile, fc.array(slip, { minLength: 1, maxLength: 3 }), (value, slips) => {
      let text = yamlText(value);
      for (const { at, remove, insert } of slips) {
        const offset = Math.floor(at * text.length);
        text = text.slice(0, offset) + insert + text.slice(offset + remove);
      }
      readsSafely(text);
    }),
    { numRuns: 200 },
  );
});

test("any value of any type in any place is told where it is wrong", () => {
  const value = fc.jsonValue();
  const keys = fc.constantFrom(
    "name",
    "orchestrator",
    "target",
    "groups",
    "services",
    "registries",
    "etcd",
    "docker",
    "aws",
    "files",
  );
  fc.assert(fc.property(fc.dictionary(keys, value), (file) => readsSafely(yamlText(file))));
  fc.assert(
    fc.property(value, value, value, (group, service, more) =>
      readsSafely(
        yamlText({
          name: "demo",
          groups: { control: group },
          services: { web: service, api: { image: more, ports: more } },
        }),
      ),
    ),
  );
});

test("a text survives as it is, or is refused where it stands", () => {
  const places: readonly ((text: string) => {
    readonly file: object;
    readonly path: readonly (string | number)[];
  })[] = [
    (text) => ({
      file: { groups: { control: { labels: { key: text } } } },
      path: ["groups", "control", "labels", "key"],
    }),
    (text) => ({
      file: { groups: { control: { files: [{ path: "/srv/a", content: text }] } } },
      path: ["groups", "control", "files", 0, "content"],
    }),
    (text) => ({
      file: { groups: { control: { units: [{ name: "a.service", content: text }] } } },
      path: ["groups", "control", "units", 0, "content"],
    }),
    (text) => ({
      file: {
        groups: { control: {} },
        services: { web: { image: "a", environment: { KEY: text } } },
      },
      path: ["services", "web", "environment", "KEY"],
    }),
    (text) => ({
      file: { groups: { control: {} }, services: { web: { image: "a", command: [text] } } },
      path: ["services", "web", "command", 0],
    }),
    (text) => ({
      file: { groups: { control: {} }, services: { web: { image: text } } },
      path: ["services", "web", "image"],
    }),
    (text) => ({
      file: {
        groups: { control: {} },
        registries: { a: { username: text, password: { file: "b" } } },
      },
      path: ["registries", "a", "username"],
    }),
  ];
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
  fc.assert(
    fc.property(fc.constantFrom(...places), text, (place, written) => {
      const { file, path } = place(written);
      const read = readSpec(JSON.stringify({ name: "demo", ...file }), "cluster.yml");
      if (read.kind === "good") expect(path.reduce<unknown>(step, read.value)).toBe(written);
      // A character that YAML itself does not allow is refused before there are paths.
      else expect([path, []]).toContainEqual(read.problems[0]?.path);
    }),
    { numRuns: 500 },
  );
});

test("a number in a text field is what was written", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9][0-9a-fxo_.e+:]{0,14}$/), (written) => {
      fc.pre(!written.endsWith(":"));
      const read = readSpec(`name: demo\ngroups: { control: { labels: { key: ${written} } } }\n`, "cluster.yml");
      expect(read.kind === "good" && read.value.groups["control"]?.labels).toEqual({
        key: written,
      });
    }),
  );
});

function step(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
