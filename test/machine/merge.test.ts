import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emptyMachine,
  type MachineConfig,
  type MachineFile,
  type MachineUnit,
  type Origin,
} from "../../src/machine/machine.ts";
import { mergeMachines } from "../../src/machine/merge.ts";

const component: Origin = { kind: "component", component: "etcd" };
const field: Origin = { kind: "field", path: ["groups", "worker", "files", 0, "path"] };
const file = (path: string, fields: Partial<MachineFile> = {}): MachineFile => ({
  path,
  contents: { kind: "text", text: "" },
  mode: "0644",
  user: "root",
  group: "root",
  origin: component,
  ...fields,
});
const unit = (name: string, fields: Partial<MachineUnit> = {}): MachineUnit => ({
  name,
  dropIns: [],
  state: "on",
  origin: component,
  ...fields,
});
const machine = (fields: Partial<MachineConfig>): MachineConfig => ({ ...emptyMachine, ...fields });

describe("merging machine configs", () => {
  test("the same path twice is one problem, at the field, that names both origins", () => {
    const { problems } = mergeMachines([
      machine({ files: [file("/etc/a")] }),
      machine({ links: [{ path: "/etc/a", target: "/b", origin: field }] }),
    ]);
    expect(problems).toMatchObject([
      {
        code: "conflicting-path",
        path: field.path,
        message: "/etc/a is written by the component etcd and by groups.worker.files.0.path",
      },
    ]);
  });

  test("the field is named whichever comes first", () => {
    const { problems } = mergeMachines([
      machine({ files: [file("/etc/a", { origin: field })] }),
      machine({ files: [file("/etc/a")] }),
    ]);
    expect(problems.map(({ path }) => path)).toEqual([field.path]);
  });

  test("a component's unit takes drop-ins and another state from the file, and keeps its text", () => {
    const dropIn = { name: "10-more.conf", content: "[Service]\nNice=1\n", origin: field };
    const { machine: merged, problems } = mergeMachines([
      machine({ units: [unit("etcd.service", { content: "[Service]\n" })] }),
      machine({ units: [unit("etcd.service", { dropIns: [dropIn], state: "off", origin: field })] }),
    ]);
    expect(problems).toEqual([]);
    expect(merged.units).toEqual([unit("etcd.service", { content: "[Service]\n", dropIns: [dropIn], state: "off" })]);
  });

  test("two texts of one unit are a problem", () => {
    const { problems } = mergeMachines([
      machine({ units: [unit("a.service", { content: "1" })] }),
      machine({ units: [unit("a.service", { content: "2", origin: field })] }),
    ]);
    expect(problems.map(({ code }) => code)).toEqual(["conflicting-path"]);
  });

  test("the order of what does not conflict does not matter, and lists come out sorted", () => {
    const parts = fc
      .uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 2, maxLength: 8 })
      .map((names) =>
        names.map((name) => machine({ files: [file(`/etc/${name}`)], units: [unit(`${name}.service`)] })),
      );
    fc.assert(
      fc.property(parts, (all) => {
        const { machine: one, problems } = mergeMachines(all);
        expect(problems).toEqual([]);
        expect(mergeMachines(all.toReversed()).machine).toEqual(one);
        expect(one.files.map(({ path }) => path)).toEqual(one.files.map(({ path }) => path).toSorted());
        expect(one.files).toHaveLength(all.length);
      }),
    );
  });
});
