import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { textsOf } from "../scenarios/scenarios.ts";
import { cloudInitCommands, commandsOf, treeUnitIn } from "./commands.ts";
import { ask, ownFolder, pathOf } from "./judge.ts";

const folder = ownFolder();

type Script = { readonly where: string; readonly shell: "bash" | "sh"; readonly text: string };

/** `bash -c TEXT`, however the program is called; undefined for another command. */
function scriptOf(where: string, [program = "", flag, text]: readonly string[]): readonly Script[] {
  const [, shell] = /^(?:\/usr)?\/bin\/(bash|sh)$/.exec(program) ?? [];
  if (shell === undefined || flag !== "-c" || text === undefined) return [];
  return [{ where, shell: shell === "sh" ? "sh" : "bash", text: `${text}\n` }];
}

const all = textsOf("ignition", "coreos-cloud-config", "cloud-init").flatMap(({ name, format, text, machine }) => {
  const files = machine.files.flatMap(({ path, contents }): readonly Script[] => {
    if (contents.kind !== "text" || !contents.text.startsWith("#!")) return [];
    return [
      { where: `${name}: ${path}`, shell: /^#!\S*bash/.test(contents.text) ? "bash" : "sh", text: contents.text },
    ];
  });
  const tree = format === "coreos-cloud-config" ? treeUnitIn(text) : undefined;
  const commands = [
    ...[...machine.units, ...(tree === undefined ? [] : [tree])].flatMap((unit) =>
      commandsOf(unit).map((words) => ({ where: `${name}: ${unit.name}`, words })),
    ),
    ...(format === "cloud-init" ? cloudInitCommands(text) : []).map((words) => ({ where: `${name}: runcmd`, words })),
  ];
  return [...files, ...commands.flatMap(({ where, words }) => scriptOf(where, words))];
});
const scripts = all
  .filter(({ text }, index) => all.findIndex((other) => other.text === text) === index)
  .map((script) => ({
    ...script,
    file: folder.write(createHash("sha256").update(script.text).digest("hex").slice(0, 12), script.text),
  }));

describe("every script", () => {
  test("is seen: files and commands, of each kind", () => {
    const where = all.map((script) => script.where).join("\n");
    for (const part of [
      "/etc/slipway/fetch",
      "prepare-disk",
      "install-etcd",
      "install-packages",
      "runcmd",
      "slipway-tree",
    ])
      expect(where).toContain(part);
    for (const unit of ["etcd.service", "docker-api.service"]) expect(where).toContain(unit);
  });

  test.for(scripts)("$where: the shell itself can read it", async ({ shell, file }) => {
    expect(await ask(shell, ["-n", file])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("has nothing that shellcheck warns of", async (context) => {
    const shellcheck = await pathOf("shellcheck", context);
    for (const shell of ["bash", "sh"] as const) {
      const some = scripts.filter((script) => script.shell === shell);
      // SC2016: what stands in single quotes is meant to stay as it is; that is how words are quoted.
      const words = ["--format=gcc", "--exclude=SC2016", `--shell=${shell}`, ...some.map(({ file }) => file)];
      const said = await ask(shellcheck, words);
      const named = some.reduce((text, { file, where }) => text.replaceAll(file, where), said.stdout);
      expect(named).toBe("");
      expect(said).toMatchObject({ code: 0, stderr: "" });
    }
  });
});
