import type { Problem } from "../../problems/problem.ts";
import { bytesOf, type MachineConfig, type MachineFile, type MachineUnit, type MachineUser } from "../machine.ts";
import { systemdCommand } from "../quote.ts";
import { unsaid, type Format, type Setting } from "./format.ts";
import { directoryCommand, fetchCommand, linkCommands, type Command } from "./tree.ts";
import { quotedYaml } from "./yaml.ts";

const format = "CoreOS cloud-config";
/** Makes directories and links and fetches files: the format has words for none of them. */
export const treeUnit = "slipway-tree.service";

/**
 * coreos-cloudinit replaces these in the whole text before it reads it (initialize/env.go). Written with YAML's own escape
 * they are no longer there; the documented backslash would not be YAML for whoever reads the text as it is.
 */
const substituted = /\$(?=(?:public|private)_ipv[46])/g;

function withoutSubstitution(text: string): string {
  return text.replaceAll(substituted, "\\x24");
}

function userOf(user: MachineUser): object {
  return {
    name: user.name,
    ...(user.keys.length === 0 ? {} : { ssh_authorized_keys: user.keys }),
    ...(user.comment === "" ? {} : { gecos: user.comment }),
    homedir: user.home,
    ...(user.primaryGroup === undefined ? {} : { primary_group: user.primaryGroup }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.shell === undefined ? {} : { shell: user.shell }),
    ...(user.system ? { system: true, no_create_home: true } : {}),
  };
}

function fileOf({ path, mode, user, group, contents }: MachineFile): readonly object[] {
  if (contents.kind === "remote") return [];
  const bytes =
    contents.kind === "bytes"
      ? { encoding: "base64", content: Buffer.from(bytesOf(contents)).toString("base64") }
      : { content: contents.text };
  return [{ path, permissions: mode, owner: `${user}:${group}`, ...bytes }];
}

function unitOf(unit: MachineUnit): object {
  return {
    name: unit.name,
    ...(unit.content === undefined ? {} : { content: unit.content }),
    ...(unit.dropIns.length === 0 ? {} : { drop_ins: unit.dropIns.map(({ name, content }) => ({ name, content })) }),
    ...(unit.state === "on" ? { enable: true, command: "start" } : {}),
    ...(unit.state === "off" ? { command: "stop" } : {}),
    ...(unit.state === "masked" ? { mask: true } : {}),
  };
}

/** A oneshot that runs before all that may need its work. */
function treeOf(commands: readonly Command[]): MachineUnit | undefined {
  if (commands.length === 0) return undefined;
  const content = [
    "[Unit]",
    "Description=Directories, links and fetched files of this node",
    "Wants=network-online.target",
    "After=network-online.target",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    ...commands.map((command) => `ExecStart=${systemdCommand(command)}`),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
  return {
    name: treeUnit,
    content,
    dropIns: [],
    state: "on",
    origin: { kind: "component", component: "formats" },
  };
}

function problemsOf(machine: MachineConfig): readonly Problem[] {
  return [
    ...machine.groups.map(({ name, origin }) =>
      unsaid(origin, format, `the group ${name}`, "leave it out, or use Ignition"),
    ),
    ...machine.users
      .filter((user) => user.uid !== undefined)
      .map(({ name, origin }) => unsaid(origin, format, `the number of the user ${name}`, "leave out uid")),
    ...machine.kernelArguments.map(({ argument, origin }) =>
      unsaid(origin, format, `the kernel argument ${argument}`, "leave it out, or use Ignition"),
    ),
    ...machine.files
      .filter(({ path }) => path === "/usr" || path.startsWith("/usr/"))
      .map(({ path, origin }) => unsaid(origin, format, `the file ${path}: /usr is read-only`, "such as /opt/bin")),
  ];
}

export const coreosCloudConfig: Format = {
  name: "coreos-cloud-config",
  systems: ["flatcar"],
  render(machine, { hostName }: Setting) {
    const tree = treeOf([
      ...machine.directories.map(directoryCommand),
      ...machine.links.flatMap(linkCommands),
      ...machine.files.map(fetchCommand).filter((command) => command !== undefined),
    ]);
    const units = [...(tree === undefined ? [] : [tree]), ...machine.units];
    const files = machine.files.flatMap(fileOf);
    const document = {
      ...(hostName === undefined ? {} : { hostname: hostName }),
      ...(machine.users.length === 0 ? {} : { users: machine.users.map(userOf) }),
      ...(files.length === 0 ? {} : { write_files: files }),
      ...(units.length === 0 ? {} : { coreos: { units: units.map(unitOf) } }),
    };
    return { text: withoutSubstitution(quotedYaml("#cloud-config", document)), problems: problemsOf(machine) };
  },
};
