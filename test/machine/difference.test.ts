import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { difference } from "../../src/machine/difference.ts";
import {
  emptyMachine,
  type MachineConfig,
  type MachineFile,
  type MachineUnit,
  type Origin,
} from "../../src/machine/machine.ts";

const origin: Origin = { kind: "component", component: "a" };
const file = (path: string, fields: Partial<MachineFile> = {}): MachineFile => ({
  path,
  contents: { kind: "text", text: "x" },
  mode: "0644",
  user: "root",
  group: "root",
  origin,
  ...fields,
});
const unit = (name: string, fields: Partial<MachineUnit> = {}): MachineUnit => ({
  name,
  dropIns: [],
  state: "on",
  origin,
  ...fields,
});
const machine = (fields: Partial<MachineConfig>): MachineConfig => ({ ...emptyMachine, ...fields });
const nothing = {
  groups: [],
  users: [],
  directories: [],
  files: [],
  links: [],
  units: [],
  removedPaths: [],
  removedUnits: [],
};

const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
const machines = fc
  .tuple(names, names, fc.constantFrom("1", "2"), fc.constantFrom("on" as const, "off" as const))
  .map(([files, units, content, state]) =>
    machine({
      files: files.map((name) => file(`/etc/${name}`, { contents: { kind: "text", text: content } })),
      links: files.map((name) => ({ path: `/lib/${name}`, target: content, origin })),
      units: units.map((name) => unit(`${name}.service`, { content, state })),
    }),
  );

describe("the difference of two machine configs", () => {
  test("of the same is nothing", () => {
    fc.assert(
      fc.property(machines, (one) => {
        expect(difference(one, structuredClone(one))).toEqual(nothing);
      }),
    );
  });

  test("is nothing when only the origin moved", () => {
    const moved: Origin = { kind: "field", path: ["groups", "x"] };
    expect(
      difference(
        machine({ files: [file("/a")], units: [unit("a.service")] }),
        machine({ files: [file("/a", { origin: moved })], units: [unit("a.service", { origin: moved })] }),
      ),
    ).toEqual(nothing);
  });

  test("applied to the first gives the second", () => {
    fc.assert(
      fc.property(machines, machines, (before, after) => {
        const change = difference(before, after);
        const files = new Map(before.files.map((entry) => [entry.path, entry.contents]));
        const links = new Map(before.links.map((entry) => [entry.path, entry.target]));
        for (const path of change.removedPaths) {
          files.delete(path);
          links.delete(path);
        }
        for (const entry of change.files) files.set(entry.path, entry.contents);
        for (const entry of change.links) links.set(entry.path, entry.target);
        const units = new Map(before.units.map((entry) => [entry.name, `${entry.content} ${entry.state}`]));
        for (const entry of change.removedUnits) units.delete(entry.name);
        for (const entry of change.units) units.set(entry.name, `${entry.content} ${entry.state}`);
        expect(files).toEqual(new Map(after.files.map((entry) => [entry.path, entry.contents])));
        expect(links).toEqual(new Map(after.links.map((entry) => [entry.path, entry.target])));
        expect(units).toEqual(new Map(after.units.map((entry) => [entry.name, `${entry.content} ${entry.state}`])));
      }),
    );
  });

  test.each<[string, Partial<MachineFile>]>([
    ["content", { contents: { kind: "text", text: "y" } }],
    ["sum", { contents: { kind: "remote", url: "https://a/x", hash: "sha256-00", compression: "none" } }],
    ["mode", { mode: "0600" }],
    ["user", { user: "etcd" }],
    ["group", { group: "etcd" }],
  ])("sees another %s", (_, fields) => {
    const after = file("/a", fields);
    expect(difference(machine({ files: [file("/a"), file("/b")] }), machine({ files: [after, file("/b")] }))).toEqual({
      ...nothing,
      files: [after],
    });
  });

  test("sees another drop-in, and another state", () => {
    const dropIn = { name: "10.conf", content: "1", origin };
    for (const after of [unit("a.service", { dropIns: [dropIn] }), unit("a.service", { state: "masked" })]) {
      expect(difference(machine({ units: [unit("a.service")] }), machine({ units: [after] }))).toEqual({
        ...nothing,
        units: [after],
      });
    }
  });

  test("a file that became a link is one and the other", () => {
    const change = difference(
      machine({ files: [file("/a")] }),
      machine({ links: [{ path: "/a", target: "/b", origin }] }),
    );
    expect(change.links).toHaveLength(1);
    // Were it removed after the link is made, the link would be gone.
    expect(change.removedPaths).not.toContain("/a");
  });
});
