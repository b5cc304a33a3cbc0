import type { Problem } from "../../problems/problem.ts";
import { bytesOf, type MachineConfig, type MachineFile, type MachineUnit, type MachineUser } from "../machine.ts";
import { unsaid, type Format, type Setting } from "./format.ts";
import { directoryCommand, fetchCommand, linkCommands, type Command } from "./tree.ts";
import { quotedYaml } from "./yaml.ts";

const format = "cloud-init";
const unitFolder = "/etc/systemd/system";

function userOf(user: MachineUser): object {
  return {
    name: user.name,
    lock_passwd: true,
    ...(user.keys.length === 0 ? {} : { ssh_authorized_keys: user.keys }),
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.comment === "" ? {} : { gecos: user.comment }),
    homedir: user.home,
    ...(user.primaryGroup === undefined ? {} : { primary_group: user.primaryGroup, no_user_group: true }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.shell === undefined ? {} : { shell: user.shell }),
    ...(user.system ? { system: true, no_create_home: true } : {}),
  };
}

/**
 * Groups with a number or a system's are made by commands: cloud-init's own list knows names only. The number is a
 * command of its own, because `groupadd --force` takes another one where it is not free; `groupmod` says so.
 */
function groupCommands({ name, gid, system }: MachineConfig["groups"][number]): readonly Command[] {
  const add: Command = ["/usr/sbin/groupadd", "--force", ...(system ? ["--system"] : []), "--", name];
  return gid === undefined ? [add] : [add, ["/usr/sbin/groupmod", "--gid", String(gid), "--", name]];
}

/** Files are written before users are made: one that is not root's waits for the last stage (`defer`). */
function fileOf({ path, mode, user, group, contents }: MachineFile): readonly object[] {
  if (contents.kind === "remote") return [];
  const rooted = [user, group].every((name) => name === "root" || name === "0");
  return [
    {
      path,
      permissions: mode,
      owner: `${user}:${group}`,
      ...(contents.kind === "bytes"
        ? { encoding: "b64", content: Buffer.from(bytesOf(contents)).toString("base64") }
        : { content: contents.text }),
      ...(rooted ? {} : { defer: true }),
    },
  ];
}

function unitFiles(unit: MachineUnit): readonly object[] {
  const rooted = { permissions: "0644", owner: "root:root" };
  return [
    ...(unit.content === undefined ? [] : [{ path: `${unitFolder}/${unit.name}`, ...rooted, content: unit.content }]),
    ...unit.dropIns.map((dropIn) => ({
      path: `${unitFolder}/${unit.name}.d/${dropIn.name}`,
      ...rooted,
      content: dropIn.content,
    })),
  ];
}

/** What brings the units to their state; nothing masked can be enabled, and nothing new is known before the reload. */
function unitCommands(units: readonly MachineUnit[]): readonly Command[] {
  const named = (state: MachineUnit["state"]): string[] =>
    units.filter((unit) => unit.state === state).map(({ name }) => name);
  const control = (verb: readonly string[], names: readonly string[]): readonly Command[] =>
    names.length === 0 ? [] : [["systemctl", ...verb, "--", ...names]];
  return [
    ...control(["mask", "--now"], named("masked")),
    ...(units.length === 0 ? [] : [["systemctl", "daemon-reload"] as const]),
    ...control(["disable", "--now"], named("off")),
    ...control(["enable"], named("on")),
    ...control(["start", "--no-block"], named("on")),
  ];
}

function problemsOf(machine: MachineConfig): readonly Problem[] {
  return machine.kernelArguments.map(({ argument, origin }) =>
    unsaid(origin, format, `the kernel argument ${argument}`, "leave it out, or use Ignition"),
  );
}

export const cloudInit: Format = {
  name: "cloud-init",
  systems: ["debian", "ubuntu"],
  render(machine, { hostName }: Setting) {
    const files = [...machine.files.flatMap(fileOf), ...machine.units.flatMap(unitFiles)];
    // bootcmd comes before users are made, runcmd after files: a user's groups must be there, and a directory's owner.
    const first = machine.groups.flatMap(groupCommands);
    const last = [
      ...machine.directories.map(directoryCommand),
      ...machine.links.flatMap(linkCommands),
      ...machine.files.map(fetchCommand).filter((command) => command !== undefined),
      ...unitCommands(machine.units),
    ];
    const document = {
      ...(hostName === undefined ? {} : { preserve_hostname: false, hostname: hostName }),
      ...(first.length === 0 ? {} : { bootcmd: first }),
      ...(machine.users.length === 0 ? {} : { users: ["default", ...machine.users.map(userOf)] }),
      ...(files.length === 0 ? {} : { write_files: files }),
      ...(last.length === 0 ? {} : { runcmd: last }),
    };
    return { text: quotedYaml("#cloud-config", document), problems: problemsOf(machine) };
  },
};
