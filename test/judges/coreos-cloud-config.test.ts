import { describe, expect, test } from "vitest";
import { bytesOf, type MachineConfig } from "../../src/machine/machine.ts";
import { substituted } from "../machine/trips.ts";
import { textsOf } from "../scenarios/scenarios.ts";
import { ask, ownFolder, pathOf, titled } from "./judge.ts";

const folder = ownFolder();

/** What `test/judges/coreos-cloudinit` prints: the text as CoreOS's own types hold it. */
type Verdict = {
  readonly findings: readonly string[];
  readonly files: readonly { path: string; owner: string; permissions: string; content: string }[];
  readonly units: readonly {
    Name: string;
    Mask: boolean;
    Enable: boolean;
    Content: string;
    Command: string;
    DropIns: readonly { Name: string; Content: string }[] | null;
  }[];
  readonly users: readonly { Name: string; SSHAuthorizedKeys: readonly string[] | null }[] | null;
};

/** The files that the format has words for, with their bytes as base64. */
function filesOf(machine: MachineConfig): Verdict["files"] {
  return machine.files.flatMap(({ path, user, group, mode, contents }) =>
    contents.kind === "remote"
      ? []
      : [
          {
            path,
            owner: `${user}:${group}`,
            permissions: mode,
            content: Buffer.from(bytesOf(contents)).toString("base64"),
          },
        ],
  );
}

describe("coreos-cloudinit", () => {
  test.for(titled(textsOf("coreos-cloud-config")))(
    "accepts and understands %s",
    async ([name, { text, machine }], context) => {
      const judge = await pathOf("coreos-cloudinit-judge", context);
      const { stdout } = await ask(judge, [folder.write(`${name}.yml`, substituted(text))]);
      const verdict: Verdict = JSON.parse(stdout);
      expect(verdict.findings).toEqual([]);
      expect(verdict.files).toEqual(filesOf(machine));
      const units = verdict.units.filter(({ Name }) => Name !== "slipway-tree.service");
      expect(
        units.map((unit) => ({
          name: unit.Name,
          content: unit.Content,
          dropIns: (unit.DropIns ?? []).map((dropIn) => [dropIn.Name, dropIn.Content]),
          state: unit.Mask ? "masked" : unit.Enable ? "on" : unit.Command === "stop" ? "off" : "installed",
        })),
      ).toEqual(
        machine.units.map((unit) => ({
          name: unit.name,
          content: unit.content ?? "",
          dropIns: unit.dropIns.map((dropIn) => [dropIn.name, dropIn.content]),
          state: unit.state,
        })),
      );
      expect((verdict.users ?? []).map((user) => [user.Name, user.SSHAuthorizedKeys ?? []])).toEqual(
        machine.users.map((user) => [user.name, user.keys]),
      );
    },
  );

  test.for([
    [
      "a key with a hyphen, which Flatcar leaves out",
      "coreos: { units: [{ name: a.service, drop-ins: [] }] }",
      "yaml.v3",
    ],
    ["a key that is none", "coreos: { unit: [] }", "validate"],
    ["a command that is none", 'coreos: { units: [{ name: "a.service", command: "go" }] }', "validate"],
  ] as const)("refuses %s", async ([, text, by], context) => {
    const judge = await pathOf("coreos-cloudinit-judge", context);
    const { stdout } = await ask(judge, [folder.write("bad.yml", `#cloud-config\n${text}\n`)]);
    const verdict: Verdict = JSON.parse(stdout);
    expect(verdict.findings.join("\n")).toContain(by);
  });
});
