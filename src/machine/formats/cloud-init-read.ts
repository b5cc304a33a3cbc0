import { parse } from "yaml";
import type { MachineConfig, MachineFile, MachineUnit } from "../machine.ts";
import { cloudUser, contentsOfBytes, Data, fromText, ordered } from "./reading.ts";
import { treeOf } from "./tree.ts";

const unitFolder = "/etc/systemd/system/";

function fileOf(file: Data): MachineFile {
  const [user = "root", group = "root"] = file.at("owner").text("root:root").split(":");
  return {
    path: file.at("path").text(),
    contents: contentsOfBytes(Buffer.from(file.at("content").text(), file.at("encoding").there ? "base64" : "utf8")),
    mode: file.at("permissions").text("0644"),
    user,
    group,
    origin: fromText,
  };
}

/** Groups that commands make, with the numbers that the commands after them give. */
function groupsOf(commands: readonly (readonly string[])[]): MachineConfig["groups"] {
  const numbers = new Map(
    commands.flatMap((words) => (words[0] === "/usr/sbin/groupmod" ? [[words.at(-1), Number(words[2])] as const] : [])),
  );
  return commands.flatMap((words) => {
    if (words[0] !== "/usr/sbin/groupadd") return [];
    const name = words.at(-1) ?? "";
    const gid = numbers.get(name);
    return [{ name, ...(gid === undefined ? {} : { gid }), system: words.includes("--system"), origin: fromText }];
  });
}

/** Which units a command brings to which state. */
function statesOf(commands: readonly (readonly string[])[]): ReadonlyMap<string, MachineUnit["state"]> {
  const states = new Map<string, MachineUnit["state"]>();
  for (const [program, verb, ...rest] of commands) {
    if (program !== "systemctl") continue;
    const state = verb === "mask" ? "masked" : verb === "disable" ? "off" : verb === "enable" ? "on" : undefined;
    if (state !== undefined) for (const name of rest.slice(rest.indexOf("--") + 1)) states.set(name, state);
  }
  return states;
}

/** Reads a cloud-init config as Slipway writes it: files below systemd's folder are units. Throws on what is not YAML. */
export function readCloudInit(text: string): MachineConfig {
  const config = new Data(parse(text));
  const commands = config
    .at("runcmd")
    .list()
    .map((command) => command.texts());
  const made = treeOf(
    commands.filter(([program]) => program !== "systemctl"),
    fromText,
  );
  if (made === undefined) throw new Error("runcmd has commands that are not Slipway's");
  const states = statesOf(commands);
  const files = config.at("write_files").list().map(fileOf);
  const units = new Map<string, MachineUnit>();
  const unit = (name: string): MachineUnit =>
    units.get(name) ?? { name, dropIns: [], state: states.get(name) ?? "installed", origin: fromText };
  for (const name of states.keys()) units.set(name, unit(name));
  for (const { path, contents } of files) {
    const [name = "", dropIn] = path.startsWith(unitFolder) ? path.slice(unitFolder.length).split(".d/") : [];
    if (name === "" || name.includes("/") || contents.kind === "remote") continue;
    const content = contents.kind === "text" ? contents.text : "";
    const there = unit(name);
    units.set(
      name,
      dropIn === undefined
        ? { ...there, content }
        : { ...there, dropIns: [...there.dropIns, { name: dropIn, content, origin: fromText }] },
    );
  }
  return ordered({
    files: [...files.filter(({ path }) => !path.startsWith(unitFolder)), ...made.files],
    directories: made.directories,
    links: made.links,
    users: config
      .at("users")
      .list()
      .filter((user) => user.text() !== "default")
      .map(cloudUser),
    groups: groupsOf(
      config
        .at("bootcmd")
        .list()
        .map((command) => command.texts()),
    ),
    units: [...units.values()],
  });
}
