import { parse } from "yaml";
import type { MachineConfig, MachineFile } from "../machine.ts";
import { systemdWords } from "../unquote.ts";
import { treeUnit } from "./coreos-cloud-config.ts";
import { cloudUser, contentsOfBytes, Data, fromText, ordered, unitOf } from "./reading.ts";
import { treeOf } from "./tree.ts";

function fileOf(file: Data): MachineFile {
  const [user = "root", group = "root"] = file.at("owner").text("root:root").split(":");
  const content = file.at("content").text();
  return {
    path: file.at("path").text(),
    contents: contentsOfBytes(Buffer.from(content, file.at("encoding").there ? "base64" : "utf8")),
    mode: file.at("permissions").text("0644").padStart(4, "0"),
    user,
    group,
    origin: fromText,
  };
}

/** Reads a CoreOS cloud-config as Slipway writes it. Throws on what is not YAML. */
export function readCoreosCloudConfig(text: string): MachineConfig {
  const config = new Data(parse(text));
  const units = config.at("coreos", "units").list();
  const tree = units.find((unit) => unit.at("name").text() === treeUnit);
  const commands = (tree?.at("content").text() ?? "")
    .split("\n")
    .filter((line) => line.startsWith("ExecStart="))
    .map((line) => systemdWords(line.slice("ExecStart=".length)) ?? []);
  const made = treeOf(commands, fromText);
  if (made === undefined) throw new Error(`${treeUnit} has commands that are not Slipway's`);
  return ordered({
    files: [...config.at("write_files").list().map(fileOf), ...made.files],
    directories: made.directories,
    links: made.links,
    users: config.at("users").list().map(cloudUser),
    units: units
      .filter((unit) => unit !== tree)
      .map((unit) =>
        unitOf(
          unit.at("name").text(),
          unit.at("mask").yes()
            ? "masked"
            : unit.at("enable").yes()
              ? "on"
              : unit.at("command").text() === "stop"
                ? "off"
                : "installed",
          unit.at("content"),
          unit
            .at("drop_ins")
            .list()
            .map((dropIn) => [dropIn.at("name").text(), dropIn.at("content").text()] as const),
        ),
      ),
  });
}
