import type { NodePorts } from "../components/node.ts";
import type { MachineConfig, MachineGroup, MachineUser } from "../machine/machine.ts";

type Ports = Pick<NodePorts, "files" | "processes">;

/** One line of the node's users or groups, whatever they come from; undefined when there is none. */
async function entry({ processes }: Ports, database: "passwd" | "group", name: string): Promise<string[] | undefined> {
  const { code, stdout } = await processes.run(["getent", database, name], { accept: [0, 2] });
  return code === 0 ? stdout.trim().split(":") : undefined;
}

async function makeGroup(node: Ports, group: MachineGroup): Promise<void> {
  const there = await entry(node, "group", group.name);
  const gid = group.gid === undefined ? [] : ["--gid", String(group.gid)];
  if (there === undefined)
    await node.processes.run(["groupadd", ...(group.system ? ["--system"] : []), ...gid, "--", group.name]);
  else if (group.gid !== undefined && there[2] !== String(group.gid))
    await node.processes.run(["groupmod", ...gid, "--", group.name]);
}

async function makeUser(node: Ports, user: MachineUser): Promise<void> {
  const there = await entry(node, "passwd", user.name);
  const wanted: readonly string[] = [
    ...(user.uid === undefined ? [] : ["--uid", String(user.uid)]),
    "--comment",
    user.comment,
    "--home-dir",
    user.home,
    ...(user.shell === undefined ? [] : ["--shell", user.shell]),
    ...(user.groups.length === 0 ? [] : ["--groups", user.groups.join(",")]),
  ];
  if (there === undefined) {
    const own =
      user.primaryGroup !== undefined
        ? ["--gid", user.primaryGroup]
        : // A group of that name that the file makes is the user's own.
          (await entry(node, "group", user.name)) === undefined
          ? ["--user-group"]
          : ["--gid", user.name];
    const kind = user.system ? ["--system", "--no-create-home"] : ["--create-home"];
    await node.processes.run(["useradd", ...kind, ...own, ...wanted, "--", user.name]);
    return;
  }
  // Whom the image brings keeps number and home: only what can be added without harm is.
  await node.processes.run([
    "usermod",
    ...(user.comment === "" ? [] : ["--comment", user.comment]),
    ...(user.shell === undefined ? [] : ["--shell", user.shell]),
    ...(user.groups.length === 0 ? [] : ["--append", "--groups", user.groups.join(",")]),
    "--",
    user.name,
  ]);
}

/** The keys that let a user in: those that the file names now, and those that others put there; not those it named before. */
async function writeKeys(node: Ports, user: MachineUser, before: readonly string[]): Promise<void> {
  const [, , uid = "", gid = "", , home = user.home] = (await entry(node, "passwd", user.name)) ?? [];
  const folder = `${home}/.ssh`;
  const path = `${folder}/authorized_keys`;
  const there = (await node.files.read(path))?.split("\n").filter((line) => line !== "") ?? [];
  const others = there.filter((line) => !before.includes(line) && !user.keys.includes(line));
  const lines = [...others, ...user.keys];
  if (lines.length === there.length && lines.every((line) => there.includes(line))) return;
  await node.files.makeFolder(folder, { mode: 0o700, user: uid, group: gid });
  await node.files.write(path, lines.map((line) => `${line}\n`).join(""), { mode: 0o600, user: uid, group: gid });
}

/**
 * Makes groups, then users, then their keys. Nobody is deleted: an account may own files; who is no longer in the file
 * loses the keys that the file had given.
 */
export async function applyAccounts(
  node: Ports,
  before: MachineConfig,
  after: MachineConfig,
  changed: { readonly groups: readonly MachineGroup[]; readonly users: readonly MachineUser[] },
): Promise<void> {
  for (const group of changed.groups) await makeGroup(node, group);
  for (const user of changed.users) {
    await makeUser(node, user);
    await writeKeys(node, user, before.users.find(({ name }) => name === user.name)?.keys ?? []);
  }
  for (const user of before.users)
    if (!after.users.some(({ name }) => name === user.name)) await writeKeys(node, { ...user, keys: [] }, user.keys);
}

/** Accounts that are gone, and keys that are no longer there. */
export async function accountDrift(node: Ports, machine: MachineConfig): Promise<readonly string[]> {
  const found: string[] = [];
  for (const group of machine.groups)
    if ((await entry(node, "group", group.name)) === undefined) found.push(`group ${group.name}: is gone`);
  for (const user of machine.users) {
    const [, , , , , home] = (await entry(node, "passwd", user.name)) ?? [];
    if (home === undefined) {
      found.push(`user ${user.name}: is gone`);
      continue;
    }
    const keys = (await node.files.read(`${home}/.ssh/authorized_keys`))?.split("\n") ?? [];
    if (!user.keys.every((key) => keys.includes(key))) found.push(`user ${user.name}: has lost a key`);
  }
  return found;
}
