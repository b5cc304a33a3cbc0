import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesOf, type MachineUnit } from "../../src/machine/machine.ts";
import { textsOf } from "../scenarios/scenarios.ts";
import { ask, ownFolder, pathOf, titled } from "./judge.ts";
import { commandsOf, treeUnitIn } from "./commands.ts";

const folder = ownFolder();
const unitFolder = "etc/systemd/system";

/** What nodes have when these units run, though no image brings it: the agent's runtime and etcd, fetched by their sums. */
const fetched = ["/opt/slipway/bin/node", "/usr/local/bin/etcd", "/opt/bin/etcd"];
/** Programs of every image that the formats are for; all others must be in the machine config. */
const ofTheSystem = [
  "/bin/bash",
  "/bin/cat",
  "/bin/echo",
  "/bin/kill",
  "/bin/sh",
  "/bin/sleep",
  "/usr/bin/find",
  "/usr/bin/install",
  "/usr/bin/ln",
  "/usr/bin/mkdir",
];

/** The units that an image brings, as far as they are named: what they run is not ours to judge. */
const ofTheImage: Readonly<Record<string, string>> = {
  service: "[Service]\nExecStart=/bin/cat\n",
  socket: "[Socket]\nListenStream=/run/x\n",
  timer: "[Timer]\nOnCalendar=daily\n",
};

function write(root: string, path: string, text: string | Uint8Array, mode = 0o644): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  chmodSync(full, mode);
}

/** The folder with the units and programs of one image and one machine config. */
function rootOf(name: string, units: readonly MachineUnit[], programs: readonly string[]): string {
  const root = join(folder.path, name.replaceAll(" ", "-"));
  cpSync("/lib/systemd/system", join(root, "usr/lib/systemd/system"), { recursive: true, verbatimSymlinks: true });
  for (const program of programs) write(root, program, "", 0o755);
  for (const { name: unit, content, dropIns, state } of units) {
    if (state === "masked") continue;
    const kind = unit.slice(unit.lastIndexOf(".") + 1);
    const ofTemplate = units.some((other) => other.name === unit.replace(/@.*\./, "@.") && other.name !== unit);
    const text = content ?? (ofTemplate ? undefined : ofTheImage[kind]);
    if (text !== undefined) write(root, `${unitFolder}/${unit}`, text);
    for (const dropIn of dropIns) write(root, `${unitFolder}/${unit}.d/${dropIn.name}`, dropIn.content);
  }
  return root;
}

async function verify(judge: string, root: string, units: readonly string[]): Promise<string> {
  const words = ["verify", "--man=no", "--recursive-errors=yes", `--root=${root}`, "--", ...units];
  const { code, stdout, stderr } = await ask(judge, words, { SYSTEMD_LOG_LEVEL: "info" });
  const said = `${stdout}${stderr}`.replaceAll(root, "");
  return code === 0 || said !== "" ? said : `exit code ${code}`;
}

/** Machine configs are the same in all formats but for the unit that CoreOS cloud-config needs for its tree. */
const machines = textsOf("ignition", "coreos-cloud-config", "cloud-init")
  .map(({ name, format, text, machine }) => {
    const tree = format === "coreos-cloud-config" ? treeUnitIn(text) : undefined;
    const files = machine.files.flatMap(({ path, mode, contents }) =>
      contents.kind === "remote" ? [] : [{ path, mode, bytes: bytesOf(contents) }],
    );
    return { name, units: [...machine.units, ...(tree === undefined ? [] : [tree])], files };
  })
  .filter(
    ({ units }, index, all) => all.findIndex((one) => JSON.stringify(one.units) === JSON.stringify(units)) === index,
  );

describe("systemd-analyze verify", () => {
  test.for(titled(machines))("finds nothing in the units of %s", async ([name, { units, files }], context) => {
    const judge = await pathOf("systemd-analyze", context);
    const root = rootOf(name, units, [...fetched, ...ofTheSystem]);
    for (const { path, mode, bytes } of files) write(root, path, bytes, Number.parseInt(mode, 8));
    const named = units.filter(({ state }) => state !== "masked").map((unit) => unit.name);
    expect(await verify(judge, root, named)).toBe("");
  });

  test("finds what is wrong: a key, a program, a name, a line of a drop-in", async (context) => {
    const judge = await pathOf("systemd-analyze", context);
    const origin = { kind: "component", component: "x" } as const;
    const unit = (name: string, content: string, dropIn = ""): MachineUnit => ({
      name,
      content,
      dropIns: dropIn === "" ? [] : [{ name: "10.conf", content: dropIn, origin }],
      state: "on",
      origin,
    });
    const bad = [
      unit("key.service", "[Service]\nTpye=simple\nExecStart=/bin/cat\n"),
      unit("program.service", "[Service]\nExecStart=/usr/local/bin/nothing\n"),
      unit("srv-x.mount", "[Mount]\nWhat=tmpfs\nWhere=/srv/y\n"),
      unit("drop.service", "[Service]\nExecStart=/bin/cat\n", "[Service]\nMemoryMax=lots\n"),
    ];
    const root = rootOf("bad", bad, ofTheSystem);
    const said = await verify(
      judge,
      root,
      bad.map(({ name }) => name),
    );
    for (const word of ["Tpye", "/usr/local/bin/nothing", "srv-x.mount", "10.conf:2"]) expect(said).toContain(word);
  });

  test("is asked for every program that our units run", () => {
    const known = new Set([...fetched, ...ofTheSystem]);
    const called = machines.flatMap(({ units }) =>
      units.flatMap((unit) => commandsOf(unit).map(([program]) => program)),
    );
    expect(called.length).toBeGreaterThan(100);
    expect([...new Set(called)].filter((program) => !known.has(program ?? ""))).toEqual([]);
    expect(ofTheSystem.filter((program) => !existsSync(program))).toEqual([]);
  });
});
