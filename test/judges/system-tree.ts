import { chownSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf, type MachineConfig, type MachineUnit } from "../../src/machine/machine.ts";

const unitFolder = "/etc/systemd/system";
const preset = "/etc/systemd/system-preset/20-ignition.preset";
/** What useradd and groupadd write, and what Ignition writes down of its own. */
const unseen = /^\/etc\/(?:(?:passwd|group|shadow|gshadow|subuid|subgid)-?|\.pwd\.lock|\.ignition-result\.json)$/;

/** A system's folder as an image brings it, as far as Ignition's files stage looks: accounts, and nothing else. */
export function emptySystem(root: string): string {
  for (const folder of ["etc/default", "tmp", "usr/lib/systemd/system", "home/core", "var/lib"])
    mkdirSync(join(root, folder), { recursive: true });
  chownSync(join(root, "home/core"), 500, 500);
  const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
  write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\ncore:x:500:500:CoreOS Admin:/home/core:/bin/bash\n");
  write("etc/group", "root:x:0:\ncore:x:500:\ndocker:x:233:core\n");
  write("etc/shadow", "root:*:15887:0:::::\ncore:*:15887:0:::::\n");
  write("etc/gshadow", "root:*::\ncore:*::\ndocker:*::core\n");
  // As most distributions have it.
  write(
    "etc/login.defs",
    "UID_MIN 1000\nGID_MIN 1000\nSYS_UID_MIN 201\nSYS_GID_MIN 201\nUSERGROUPS_ENAB yes\nCREATE_HOME yes\n",
  );
  write("etc/default/useradd", "SHELL=/bin/bash\n");
  return root;
}

/** Everything below a folder but directories of nobody's making: `path` → what it is, in words that compare. */
export type Seen = Readonly<Record<string, string>>;

function shown(mode: string, owner: string, what: string): string {
  return `${mode} ${owner} ${what}`;
}

function contentOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** The bytes; of presets the units that are enabled, since what is disabled depends on the image's own units. */
function textOf(path: string, bytes: Uint8Array): string {
  const text = contentOf(bytes);
  if (path !== preset) return text;
  return text
    .split("\n")
    .filter((line) => line.startsWith("enable "))
    .toSorted()
    .join("\n");
}

export function seenIn(root: string): Seen {
  const entries = readdirSync(root, { recursive: true }).map((entry) => `/${entry.toString()}`);
  const found: [string, string][] = [];
  for (const path of entries.filter((entry) => !unseen.test(entry))) {
    const full = join(root, path);
    const status = lstatSync(full);
    const mode = (status.mode & 0o7777).toString(8).padStart(4, "0");
    const owner = `${status.uid}:${status.gid}`;
    if (status.isSymbolicLink()) found.push([path, `link ${readlinkSync(full)}`]);
    else if (status.isFile()) found.push([path, shown(mode, owner, `file ${textOf(path, readFileSync(full))}`)]);
    else if (mode !== "0755" || owner !== "0:0") found.push([path, shown(mode, owner, "directory")]);
  }
  for (const account of accountsIn(root)) found.push(account);
  return Object.fromEntries(found);
}

/** Users with what is said of them, and who is in which group. */
function accountsIn(root: string): readonly [string, string][] {
  const lines = (path: string): readonly (readonly string[])[] =>
    readFileSync(join(root, path), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(":"));
  const groups = lines("etc/group");
  return lines("etc/passwd").map(([name = "", , , gid = "", comment = "", home = "", shell = ""]) => {
    const primary = groups.find(([, , number]) => number === gid)?.[0] ?? gid;
    const others = groups.filter(([, , , members = ""]) => members.split(",").includes(name)).map(([group]) => group);
    return [`user ${name}`, [primary, comment, home, shell, ...others.toSorted()].join(" | ")];
  });
}

function numberOf(root: string, file: "passwd" | "group", name: string): string {
  if (/^\d+$/.test(name)) return name;
  const line = readFileSync(join(root, "etc", file), "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no ${name} in ${file}`);
  return line.split(":")[2] ?? "";
}

/** What there must be when `machine` was written over `before`; fetched files by their hash. */
export function wantedIn(
  root: string,
  before: Seen,
  machine: MachineConfig,
  fetched: ReadonlyMap<string, Uint8Array>,
): Seen {
  const wanted = new Map(Object.entries(before));
  const owner = (user: string, group: string): string =>
    `${numberOf(root, "passwd", user)}:${numberOf(root, "group", group)}`;
  for (const { path, mode, user, group } of machine.directories)
    if (mode !== "0755" || owner(user, group) !== "0:0") wanted.set(path, shown(mode, owner(user, group), "directory"));
  for (const { path, mode, user, group, contents } of machine.files) {
    const bytes = contents.kind === "remote" ? fetched.get(contents.hash) : bytesOf(contents);
    if (bytes === undefined) throw new Error(`nobody has fetched ${path}`);
    wanted.set(path, shown(mode, owner(user, group), `file ${contentOf(bytes)}`));
  }
  for (const { path, target } of machine.links) wanted.set(path, `link ${target}`);
  for (const unit of machine.units) for (const [path, what] of unitEntries(unit)) wanted.set(path, what);
  const presets = machine.units.flatMap(({ name, state }) => (state === "on" ? [`enable ${presetName(name)}`] : []));
  if (presets.length > 0) wanted.set(preset, shown("0644", "0:0", `file ${presets.toSorted().join("\n")}`));
  for (const user of machine.users) {
    const own = owner(user.name, user.primaryGroup ?? user.name);
    const there = (before[`user ${user.name}`] ?? "").split(" | ");
    const [, comment = "", , shell = "", ...groups] = there;
    wanted.set(
      `user ${user.name}`,
      [
        user.primaryGroup ?? user.name,
        user.comment === "" ? comment : user.comment,
        user.home,
        user.shell ?? (shell === "" ? "/bin/bash" : shell),
        ...new Set([...groups, ...user.groups].toSorted()),
      ].join(" | "),
    );
    if (!user.system) wanted.set(user.home, shown("0755", own, "directory"));
    if (user.keys.length > 0) {
      wanted.set(`${user.home}/.ssh`, shown("0700", own, "directory"));
      wanted.set(`${user.home}/.ssh/authorized_keys.d`, shown("0700", own, "directory"));
      const keys = user.keys.map((key) => `${key}\n`).join("");
      wanted.set(
        `${user.home}/.ssh/authorized_keys.d/ignition`,
        shown("0600", own, `file ${contentOf(Buffer.from(keys))}`),
      );
    }
  }
  return Object.fromEntries(wanted);
}

/** An instance of a template is written as its template and what stands behind the at sign. */
function presetName(name: string): string {
  const [, template, instance, kind] = /^(.*@)([^@]+)(\.\w+)$/.exec(name) ?? [];
  return template === undefined ? name : `${template}${kind ?? ""} ${instance ?? ""}`;
}

function unitEntries({ name, content, state, dropIns }: MachineUnit): readonly [string, string][] {
  const file = (text: string): string => shown("0644", "0:0", `file ${contentOf(Buffer.from(text))}`);
  return [
    ...(state === "masked" ? [[`${unitFolder}/${name}`, "link /dev/null"] as [string, string]] : []),
    ...(content === undefined ? [] : [[`${unitFolder}/${name}`, file(content)] as [string, string]]),
    ...dropIns.map((dropIn): [string, string] => [`${unitFolder}/${name}.d/${dropIn.name}`, file(dropIn.content)]),
  ];
}
