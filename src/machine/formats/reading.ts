import { gunzipSync } from "node:zlib";
import { isUtf8 } from "node:buffer";
import {
  emptyMachine,
  type Contents,
  type MachineConfig,
  type MachineUnit,
  type MachineUser,
  type Origin,
} from "../machine.ts";

/** Where values of a text that was read come from. */
export const fromText: Origin = { kind: "component", component: "text" };

/** Data that came from outside: each question answers with the kind that is asked for, or with nothing. */
export class Data {
  readonly #value: unknown;
  constructor(value: unknown) {
    this.#value = value;
  }
  at(...path: readonly string[]): Data {
    let value = this.#value;
    for (const name of path) value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
    return new Data(value);
  }
  get there(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }
  text(otherwise = ""): string {
    return typeof this.#value === "string" ? this.#value : otherwise;
  }
  number(): number | undefined {
    return typeof this.#value === "number" ? this.#value : undefined;
  }
  yes(): boolean {
    return this.#value === true;
  }
  no(): boolean {
    return this.#value === false;
  }
  list(): readonly Data[] {
    return Array.isArray(this.#value) ? this.#value.map((item) => new Data(item)) : [];
  }
  texts(): readonly string[] {
    return this.list().map((item) => item.text());
  }
}

/** Text where bytes are that, else the bytes. */
export function contentsOfBytes(bytes: Uint8Array): Contents {
  const buffer = Buffer.from(bytes);
  return isUtf8(buffer)
    ? { kind: "text", text: buffer.toString("utf8") }
    : { kind: "bytes", base64: buffer.toString("base64") };
}

/** The bytes of a `data:` address; `undefined` for another kind of address. */
export function bytesOfAddress(address: string, packed: boolean): Uint8Array | undefined {
  const parts = /^data:[^,]*?(;base64)?,(.*)$/s.exec(address);
  if (parts === null) return undefined;
  const [, base64, data = ""] = parts;
  const bytes = base64 === undefined ? percentDecoded(data) : Buffer.from(data, "base64");
  return packed ? gunzipSync(bytes) : bytes;
}

function percentDecoded(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "%") {
      bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    } else bytes.push(text.charCodeAt(at));
  }
  return Uint8Array.from(bytes);
}

/** A user in the keys that cloud-init has from its beginnings, and CoreOS cloud-config from it; the latter has no number. */
export function cloudUser(user: Data): MachineUser {
  const uid = user.at("uid").number();
  return {
    name: user.at("name").text(),
    keys: user.at("ssh_authorized_keys").texts(),
    ...(uid === undefined ? {} : { uid }),
    comment: user.at("gecos").text(),
    home: user.at("homedir").text(),
    ...(user.at("shell").there ? { shell: user.at("shell").text() } : {}),
    ...(user.at("primary_group").there ? { primaryGroup: user.at("primary_group").text() } : {}),
    groups: user.at("groups").texts(),
    system: user.at("system").yes(),
    origin: fromText,
  };
}

/** A machine of parts, in the order in which all machines are. */
export function ordered(parts: Partial<MachineConfig>): MachineConfig {
  const machine = { ...emptyMachine, ...parts };
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
  return {
    ...machine,
    files: machine.files.toSorted(byPath),
    directories: machine.directories.toSorted(byPath),
    links: machine.links.toSorted(byPath),
    users: machine.users.toSorted(byName),
    groups: machine.groups.toSorted(byName),
    units: machine.units.toSorted(byName),
  };
}

/** A unit with its drop-ins in the order in which they were written. */
export function unitOf(
  name: string,
  state: MachineUnit["state"],
  content: Data,
  dropIns: readonly (readonly [string, string])[],
): MachineUnit {
  return {
    name,
    ...(content.there ? { content: content.text() } : {}),
    dropIns: dropIns.map(([its, text]) => ({ name: its, content: text, origin: fromText })),
    state,
    origin: fromText,
  };
}
