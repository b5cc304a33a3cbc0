import { describe, expect, test } from "vitest";
import type { Problem } from "../../src/problems/problem.ts";
import { readSpec } from "../../src/spec/read.ts";
import type { ClusterSpec } from "../../src/spec/cluster.ts";

const head = "name: demo\ngroups: { control: {} }\n";

function good(text: string | Uint8Array): ClusterSpec {
  const read = readSpec(text, "cluster.yml");
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

function problems(text: string | Uint8Array): readonly Problem[] {
  const read = readSpec(text, "cluster.yml");
  return read.kind === "bad" ? read.problems : [];
}

function service(keys: string) {
  return good(`${head}services: { web: { image: demo/hello, ${keys} } }\n`).services?.["web"];
}

describe("text fields keep what was written", () => {
  test.each([
    "012345678901",
    "0755",
    "22:22",
    "no",
    "yes",
    "on",
    "1e3",
    "null",
    "~",
    "true",
    "0x1F",
    "1_000",
    ".inf",
    "-0",
    "2026-01-01",
    "+5",
    "5.0",
  ])("%s", (written) => {
    const spec = good(
      `name: demo\ngroups: { control: { labels: { key: ${written} } } }\nservices: { web: { image: demo/hello, environment: { KEY: ${written} }, command: [${written}] } }\n`,
    );
    expect(spec.groups["control"]?.labels).toEqual({ key: written });
    expect(spec.services?.["web"]?.environment).toEqual({ KEY: written });
    expect(spec.services?.["web"]?.command).toEqual([written]);
  });

  test("a key that YAML takes for a number too", () => {
    expect(good("name: 007\ngroups: { control: {}, 012: {} }\n")).toEqual({
      name: "007",
      groups: { control: {}, "012": {} },
    });
  });

  test("nothing at all is an empty text", () => {
    expect(service("environment: { EMPTY: }")?.environment).toEqual({ EMPTY: "" });
  });

  test("what shells and formats care for is only text", () => {
    const hostile = `$(x) \`y\` "q" 'r' %n \\ {{ .Node }}`;
    expect(service(`environment: { A: ${JSON.stringify(hostile)} }`)?.environment).toEqual({
      A: hostile,
    });
  });
});

describe("short forms", () => {
  test.each([
    ["80", { published: 80, target: 80 }],
    ['"80"', { published: 80, target: 80 }],
    ['"8080:80"', { published: 8080, target: 80 }],
    ["22:22", { published: 22, target: 22 }],
    ['"53:5353/udp"', { published: 53, target: 5353, protocol: "udp" }],
    ["{ published: 8080, target: 80, protocol: tcp }", { published: 8080, target: 80, protocol: "tcp" }],
  ])("the port %s", (written, read) => {
    expect(service(`ports: [${written}]`)?.ports).toEqual([read]);
  });

  test.each([
    ["data:/var/lib/data", { type: "volume", source: "data", target: "/var/lib/data" }],
    ["data:/var/lib/data:rw", { type: "volume", source: "data", target: "/var/lib/data" }],
    ["/srv:/srv:ro", { type: "bind", source: "/srv", target: "/srv", read_only: true }],
  ])("the mount %s", (written, read) => {
    expect(service(`mounts: ["${written}"]`)?.mounts).toEqual([read]);
  });

  test.each([
    ["500ms", 500],
    ["10s", 10_000],
    ["1m30s", 90_000],
    ["2h", 7_200_000],
    ["0", 0],
  ])("the time %s", (written, length) => {
    expect(service(`update: { delay: ${written} }`)?.update).toEqual({ delay: length });
  });

  test("a command as text is split at its spaces", () => {
    expect(service("command: sleep  60")?.command).toEqual(["sleep", "60"]);
  });

  test("environment as a list", () => {
    expect(service('environment: ["A=1", "B=", "C=x=y"]')?.environment).toEqual({
      A: "1",
      B: "",
      C: "x=y",
    });
  });

  test("modes are four digits", () => {
    const spec = good('name: demo\ngroups: { control: { files: [{ path: /srv/a, content: "", mode: "600" }] } }\n');
    expect(spec.groups["control"]?.files?.[0]?.mode).toBe("0600");
  });
});

describe("the file's form", () => {
  const plain = good(head);

  test("Windows line ends and a byte order mark change nothing", () => {
    expect(good(new TextEncoder().encode(`\ufeff${head.replaceAll("\n", "\r\n")}`))).toEqual(plain);
    expect(good(`\ufeff${head}`)).toEqual(plain);
  });

  test("JSON is YAML", () => {
    expect(good(JSON.stringify({ name: "demo", groups: { control: {} } }))).toEqual(plain);
  });

  test("sections may be left empty", () => {
    expect(good("name: demo\ngroups:\n  control:\nservices:\ndocker:\netcd:\nregistries:\naws:\n")).toEqual({
      ...plain,
      services: {},
      docker: {},
      etcd: {},
      registries: {},
      aws: {},
    });
  });

  test("anchors and aliases repeat a value", () => {
    expect(good("name: demo\ngroups: { control: &one { count: 1 }, worker: *one }\n").groups["worker"]).toEqual({
      count: 1,
    });
  });

  test("files says where the store is, and nothing that ssh or a shell would read as more", () => {
    const all = "{ store: https://10.0.0.5:7443, data: /srv/store, ssh: ada@store.example, user: core }";
    expect(problems(`${head}files: ${all}\n`)).toEqual([]);
    expect(good(`${head}target: files\nfiles:\n`).target).toBe("files");
    for (const [key, value] of [
      ["store", "http://10.0.0.5:7443"],
      ["store", "https://store.example:7443"],
      ["store", "https://10.0.0.5"],
      ["store", "https://10.0.0.5:70000"],
      ["store", "https://10.0.0.5:7443/records"],
      ["ssh", "-oProxyCommand=x"],
      ["ssh", "ada@host ls"],
      ["user", "-l"],
      ["user", "Ada Lovelace"],
    ] as const)
      expect(problems(`${head}files: { ${key}: "${value}" }\n`), value).toMatchObject([
        { code: "invalid-value", path: ["files", key] },
      ]);
    expect(problems(`${head}files: { data: srv }\n`)).toMatchObject([{ path: ["files", "data"] }]);
  });

  test("names that objects have anyway are names like others", () => {
    expect(service("environment: { constructor: a, toString: b, hasOwnProperty: c }")?.environment).toEqual({
      constructor: "a",
      toString: "b",
      hasOwnProperty: "c",
    });
    expect(problems(`${head}services: { web: { image: demo/hello, environment: { __proto__: x } } }\n`)).toMatchObject([
      { code: "invalid-name", path: ["services", "web", "environment", "__proto__"] },
    ]);
    expect(problems(`${head}constructor: {}\n`)).toMatchObject([{ code: "unknown-key", path: ["constructor"] }]);
  });
});

describe("what could take long is refused before it is begun", () => {
  test("a file of 100 MB is not even decoded", () => {
    // Not one of these bytes is UTF-8: whoever looked at them would say so.
    const read = readSpec(new Uint8Array(100_000_000).fill(0xff), "cluster.yml");
    expect(read.kind === "bad" && read.problems.map(({ code }) => code)).toEqual(["yaml-too-large"]);
    expect(read.source.lines).toEqual([""]);
  });

  test("a text of few characters with many bytes is too large as well", () => {
    expect(problems(`${head}# ${"漢".repeat(400_000)}\n`)).toMatchObject([{ code: "yaml-too-large" }]);
  });

  test.each([
    ["lists", "[".repeat(20_000)],
    ["maps", "{a: ".repeat(20_000)],
    ["block lists", "- ".repeat(20_000)],
    ["complex keys", "? ".repeat(20_000)],
  ])("deep nesting of %s", (_, text) => {
    expect(problems(`name: demo\ngroups:\n  ${text}`)).toMatchObject([
      { code: "yaml-syntax", message: expect.stringContaining("64") },
    ]);
  });

  test("aliases multiply to a bounded number of values", () => {
    const levels = "abcdefghijklmnop".split("");
    const bomb = levels.map(
      (level, index) =>
        `  ${level}: &${level} [${Array(20)
          .fill(index === 0 ? "1" : `*${levels[index - 1] ?? ""}`)
          .join(", ")}]`,
    );
    expect(problems(`${head}aws:\n${bomb.join("\n")}\n`)).toMatchObject([{ code: "yaml-alias-bomb" }]);
  });

  test("values are counted before they are judged", () => {
    const ports = Array.from({ length: 100_000 }, () => "x").join(", ");
    expect(problems(`${head}services: { web: { image: a, ports: [${ports}] } }\n`)).toMatchObject([
      { code: "yaml-too-large" },
    ]);
    const empty = Array.from({ length: 19_000 }, () => "{}").join(", ");
    expect(problems(`${head}services: { web: { image: a, ports: [${empty}] } }\n`)).toHaveLength(38_000);
  });

  test("many keys are compared once each", () => {
    const keys = Array.from({ length: 15_000 }, (_, index) => `  key${index}: x`);
    expect(problems(`${head}aws:\n${keys.join("\n")}\n  key0: y\n`)).toMatchObject([
      { code: "yaml-duplicate-key", path: ["aws", "key0"] },
    ]);
  });
});
