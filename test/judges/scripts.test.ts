import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { textsOf } from "../scenarios/scenarios.ts";
import { cloudInitCommands, commandsOf, treeUnitIn } from "./commands.ts";
import { ask, ownFolder, pathOf, titled } from "./judge.ts";

const folder = ownFolder();

type Script = { readonly name: string; readonly shell: "bash" | "sh"; readonly text: string };

/** `bash -c TEXT`, however the program is called; undefined for another command. */
function scriptOf(name: string, [program = "", flag, text]: readonly string[]): readonly Script[] {
  const [, shell] = /^(?:\/usr)?\/bin\/(bash|sh)$/.exec(program) ?? [];
  if (shell === undefined || flag !== "-c" || text === undefined) return [];
  return [{ name, shell: shell === "sh" ? "sh" : "bash", text: `${text}\n` }];
}

const all = textsOf("ignition", "coreos-cloud-config", "cloud-init").flatMap(({ name: of, format, text, machine }) => {
  const files = machine.files.flatMap(({ path, contents }): readonly Script[] => {
    if (contents.kind !== "text" || !contents.text.startsWith("#!")) return [];
    return [{ name: `${of}: ${path}`, shell: /^#!\S*bash/.test(contents.text) ? "bash" : "sh", text: contents.text }];
  });
  const tree = format === "coreos-cloud-config" ? treeUnitIn(text) : undefined;
  const commands = [
    ...[...machine.units, ...(tree === undefined ? [] : [tree])].flatMap((unit) =>
      commandsOf(unit).map((words) => ({ name: `${of}: ${unit.name}`, words })),
    ),
    ...(format === "cloud-init" ? cloudInitCommands(text) : []).map((words) => ({ name: `${of}: runcmd`, words })),
  ];
  return [...files, ...commands.flatMap(({ name, words }) => scriptOf(name, words))];
});
const scripts = all
  .filter(({ text }, index) => all.findIndex((other) => other.text === text) === index)
  .map((script) => ({
    ...script,
    file: folder.write(createHash("sha256").update(script.text).digest("hex").slice(0, 12), script.text),
  }));

describe("every script", () => {
  test("is seen: files and commands, of each kind", () => {
    const names = all.map((script) => script.name).join("\n");
    for (const part of [
      "/etc/slipway/fetch",
      "prepare-disk",
      "install-etcd",
      "install-packages",
      "runcmd",
      "slipway-tree",
    ])
      expect(names).toContain(part);
    for (const unit of ["etcd.service", "docker-api.service"]) expect(names).toContain(unit);
  });

  test.for(titled(scripts))("%s: the shell itself can read it", async ([, { shell, file }]) => {
    expect(await ask(shell, ["-n", file])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("has nothing that shellcheck warns of", async (context) => {
    const shellcheck = await pathOf("shellcheck", context);
    for (const shell of ["bash", "sh"] as const) {
      const some = scripts.filter((script) => script.shell === shell);
      // SC2016: what stands in single quotes is meant to stay as it is; that is how words are quoted.
      const words = ["--format=gcc", "--exclude=SC2016", `--shell=${shell}`, ...some.map(({ file }) => file)];
      const said = await ask(shellcheck, words);
      const named = some.reduce((text, { file, name }) => text.replaceAll(file, name), said.stdout);
      expect(named).toBe("");
      expect(said).toMatchObject({ code: 0, stderr: "" });
    }
  });
});
