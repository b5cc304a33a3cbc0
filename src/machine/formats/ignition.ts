import { gzipSync } from "node:zlib";
import type { Problem } from "../../problems/problem.ts";
import { bytesOf, type Contents, type MachineConfig, type MachineDirectory, type MachineUser } from "../machine.ts";
import { dataAddress } from "../quote.ts";
import { unsaid, type Format, type Setting } from "./format.ts";

/**
 * Ignition 3 (specification: configuration-v3_3 to v3_6 of coreos/ignition). 3.3 is the oldest that says kernel arguments and
 * what every supported Flatcar and Fedora CoreOS reads; from 3.6 on, set-user-id and sticky bits count (Fedora CoreOS; Flatcar's
 * stable channel ends at 3.5).
 */
export const versions = { usual: "3.3.0", specialBits: "3.6.0" } as const;

/** Smaller than this, packing is not worth that nobody can read it. */
const worthPacking = 512;

/** Source, and compression where that makes it a fifth shorter. */
export function sourceOf(bytes: Uint8Array): { readonly source: string; readonly compression?: "gzip" } {
  const plain = dataAddress(bytes);
  if (plain.length < worthPacking) return { source: plain };
  const packed = `data:;base64,${gzipSync(bytes, { level: 9 }).toString("base64")}`;
  return packed.length < plain.length * 0.8 ? { source: packed, compression: "gzip" } : { source: plain };
}

function contentsOf(contents: Contents): object {
  if (contents.kind !== "remote") return sourceOf(bytesOf(contents));
  return {
    source: contents.url,
    ...(contents.compression === "gzip" ? { compression: "gzip" } : {}),
    verification: { hash: contents.hash },
  };
}

/** An account by number or by name: Ignition wants to know which. */
function account(name: string): object {
  return /^\d+$/.test(name) ? { id: Number(name) } : { name };
}

function owned({ path, mode, user, group }: MachineDirectory): object {
  return { path, mode: Number.parseInt(mode, 8), user: account(user), group: account(group) };
}

function userOf(user: MachineUser): object {
  return {
    name: user.name,
    ...(user.keys.length === 0 ? {} : { sshAuthorizedKeys: user.keys }),
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    ...(user.comment === "" ? {} : { gecos: user.comment }),
    homeDir: user.home,
    ...(user.primaryGroup === undefined ? {} : { primaryGroup: user.primaryGroup }),
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(user.shell === undefined ? {} : { shell: user.shell }),
    ...(user.system ? { system: true, noCreateHome: true } : {}),
  };
}

function hasSpecialBits(machine: MachineConfig): readonly MachineDirectory[] {
  return [...machine.files, ...machine.directories].filter(({ mode }) => Number.parseInt(mode, 8) > 0o777);
}

function section(name: string, values: Readonly<Record<string, readonly unknown[]>>): object {
  const filled = Object.entries(values).filter(([, list]) => list.length > 0);
  return filled.length === 0 ? {} : { [name]: Object.fromEntries(filled) };
}

/** The config as data, through the smallest version that says it. */
export function ignitionConfig(
  machine: MachineConfig,
  { system, hostName }: Setting,
): { readonly config: object; readonly problems: readonly Problem[] } {
  const special = hasSpecialBits(machine);
  const problems =
    system === "fedora-coreos"
      ? []
      : special.map(({ origin, mode }) =>
          unsaid(origin, "Ignition as Flatcar reads it", `the mode ${mode}`, "at most 0777; a unit can set more"),
        );
  const name = hostName === undefined ? [] : [{ path: "/etc/hostname", contents: `${hostName}\n` }];
  const config = {
    ignition: { version: special.length === 0 || problems.length > 0 ? versions.usual : versions.specialBits },
    ...section("passwd", {
      users: machine.users.map(userOf),
      groups: machine.groups.map(({ name: its, gid, system: isSystem }) => ({
        name: its,
        ...(gid === undefined ? {} : { gid }),
        ...(isSystem ? { system: true } : {}),
      })),
    }),
    ...section("storage", {
      directories: machine.directories.map((directory) => ({ ...owned(directory), overwrite: false })),
      files: [
        ...name.map(({ path, contents }) => ({
          path,
          mode: 0o644,
          overwrite: true,
          contents: { source: dataAddress(Buffer.from(contents)) },
        })),
        ...machine.files.map((file) => ({ ...owned(file), overwrite: true, contents: contentsOf(file.contents) })),
      ],
      links: machine.links.map(({ path, target }) => ({ path, target, overwrite: true })),
    }),
    ...section("systemd", {
      units: machine.units.map((unit) => ({
        name: unit.name,
        ...(unit.state === "on" ? { enabled: true } : unit.state === "off" ? { enabled: false } : {}),
        ...(unit.state === "masked" ? { mask: true } : {}),
        ...(unit.content === undefined ? {} : { contents: unit.content }),
        ...(unit.dropIns.length === 0
          ? {}
          : { dropins: unit.dropIns.map((dropIn) => ({ name: dropIn.name, contents: dropIn.content })) }),
      })),
    }),
    ...section("kernelArguments", { shouldExist: machine.kernelArguments.map(({ argument }) => argument) }),
  };
  return { config, problems };
}

/** What a provider's user data may hold, bytes; EC2's limit is the smallest of those in use. */
export const userDataLimit = 16_384;

/**
 * A config that is packed and replaces itself: providers do not unpack user data for Ignition, but Ignition unpacks what a
 * config points at.
 */
export function packedIgnition(text: string): string {
  const packed = gzipSync(text, { level: 9 }).toString("base64");
  const replace = { source: `data:;base64,${packed}`, compression: "gzip" };
  return `${JSON.stringify({ ignition: { version: versions.usual, config: { replace } } })}\n`;
}

export const ignition: Format = {
  name: "ignition",
  systems: ["flatcar", "fedora-coreos"],
  render(machine, setting) {
    const { config, problems } = ignitionConfig(machine, setting);
    return { text: `${JSON.stringify(config, undefined, 2)}\n`, problems };
  },
};
