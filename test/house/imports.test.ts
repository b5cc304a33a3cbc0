import { describe, expect, it } from "vitest";
import { broken, rings, roomOf, rooms } from "./rooms.ts";
import { importsOf, modules, type Module } from "./sources.ts";

const all = modules();

describe("the program's modules", () => {
  it("are all seen", () => {
    expect(all.length).toBeGreaterThan(200);
    expect(all.reduce((sum, { imports }) => sum + imports.length, 0)).toBeGreaterThan(800);
    const inhabited = new Set<string | undefined>(all.map(({ path }) => roomOf(path)));
    expect(Object.keys(rooms).filter((name) => !inhabited.has(name))).toEqual([]);
  });

  it("import only what their room may", () => {
    expect(broken(all)).toEqual([]);
  });

  it("import nothing in a ring", () => {
    expect(rings(all)).toEqual([]);
  });
});

/** The program with one more import in one module. */
function planted(path: string, text: string): readonly Module[] {
  return all.map((module) =>
    module.path === path ? { path, imports: [...module.imports, ...importsOf(path, text)] } : module,
  );
}

describe("a planted violation is found", () => {
  const cases: readonly (readonly [path: string, text: string])[] = [
    ["src/spec/read.ts", 'import { resolve } from "../cluster/resolve.ts";'],
    ["src/machine/machine.ts", 'import type { Plan } from "../plan/plan.ts";'],
    ["src/store/server.ts", 'export { records } from "../records/table.ts";'],
    ["src/agent/agent.ts", 'const late = await import("../cluster/resolve.ts");'],
    ["src/components/etcd/describe.ts", 'type Late = import("../../records/table.ts").RecordName;'],
    ["src/components/etcd/member.ts", 'export * from "../../cluster/cluster.ts";'],
    ["src/operations/launch.ts", 'import { dockerTarget } from "../targets/docker/target.ts";'],
    ["src/cli/verbs/launch.ts", 'import { readRecord } from "../../records/access.ts";'],
    ["src/operations/launch.ts", 'import { readFile } from "node:fs/promises";'],
    ["src/cluster/resolve.ts", 'import { parse } from "yaml";'],
  ];
  it.each(cases)("%s: %s", (path, text) => {
    const before = new Set(broken(all));
    expect(broken(planted(path, text)).filter((line) => !before.has(line))).toHaveLength(1);
  });

  it("a module in no room", () => {
    expect(broken([...all, { path: "src/misplaced.ts", imports: [] }])).toContain("src/misplaced.ts is in no room");
  });

  it("a ring", () => {
    const found = rings(planted("src/problems/problem.ts", 'import type { Shown } from "./show.ts";'));
    expect(found).not.toEqual([]);
    expect(found.join("\n")).toContain("src/problems/problem.ts");
  });

  it("a name that is computed", () => {
    expect(() => importsOf("src/planted.ts", "const late = await import(name);")).toThrow("plain string");
  });
});
