import type { Contents, MachineConfig, MachineDirectory } from "../machine.ts";
import { bytesOfAddress, contentsOfBytes, Data, fromText, ordered, unitOf } from "./reading.ts";

function account(value: Data): string {
  const id = value.at("id").number();
  return id === undefined ? value.at("name").text("root") : String(id);
}

function owned(entry: Data, usual: string): MachineDirectory {
  const mode = entry.at("mode").number();
  return {
    path: entry.at("path").text(),
    mode: mode === undefined ? usual : mode.toString(8).padStart(4, "0"),
    user: account(entry.at("user")),
    group: account(entry.at("group")),
    origin: fromText,
  };
}

function contentsOf(entry: Data): Contents {
  const packed = entry.at("compression").text() === "gzip";
  const source = entry.at("source").text();
  const bytes = bytesOfAddress(source, packed);
  if (bytes !== undefined) return contentsOfBytes(bytes);
  return {
    kind: "remote",
    url: source,
    hash: entry.at("verification", "hash").text(),
    compression: packed ? "gzip" : "none",
  };
}

/** Reads an Ignition 3 config, also one that replaces itself; what Slipway never writes is left out. Throws on what is not JSON. */
export function readIgnition(text: string): MachineConfig {
  const config = new Data(JSON.parse(text));
  const replace = config.at("ignition", "config", "replace");
  const replaced = bytesOfAddress(replace.at("source").text(), replace.at("compression").text() === "gzip");
  if (replaced !== undefined) return readIgnition(Buffer.from(replaced).toString("utf8"));
  return ordered({
    files: config
      .at("storage", "files")
      .list()
      .map((file) => ({ ...owned(file, "0644"), contents: contentsOf(file.at("contents")) })),
    directories: config
      .at("storage", "directories")
      .list()
      .map((directory) => owned(directory, "0755")),
    links: config
      .at("storage", "links")
      .list()
      .map((link) => ({ path: link.at("path").text(), target: link.at("target").text(), origin: fromText })),
    users: config
      .at("passwd", "users")
      .list()
      .map((user) => {
        const uid = user.at("uid").number();
        const name = user.at("name").text();
        return {
          name,
          keys: user.at("sshAuthorizedKeys").texts(),
          ...(uid === undefined ? {} : { uid }),
          comment: user.at("gecos").text(),
          home: user.at("homeDir").text(`/home/${name}`),
          ...(user.at("shell").there ? { shell: user.at("shell").text() } : {}),
          ...(user.at("primaryGroup").there ? { primaryGroup: user.at("primaryGroup").text() } : {}),
          groups: user.at("groups").texts(),
          system: user.at("system").yes(),
          origin: fromText,
        };
      }),
    groups: config
      .at("passwd", "groups")
      .list()
      .map((group) => {
        const gid = group.at("gid").number();
        return {
          name: group.at("name").text(),
          ...(gid === undefined ? {} : { gid }),
          system: group.at("system").yes(),
          origin: fromText,
        };
      }),
    units: config
      .at("systemd", "units")
      .list()
      .map((unit) =>
        unitOf(
          unit.at("name").text(),
          unit.at("mask").yes()
            ? "masked"
            : unit.at("enabled").yes()
              ? "on"
              : unit.at("enabled").no()
                ? "off"
                : "installed",
          unit.at("contents"),
          unit
            .at("dropins")
            .list()
            .map((dropIn) => [dropIn.at("name").text(), dropIn.at("contents").text()] as const),
        ),
      ),
    kernelArguments: config
      .at("kernelArguments", "shouldExist")
      .texts()
      .map((argument) => ({ argument, origin: fromText })),
  });
}
