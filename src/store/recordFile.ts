import { createHash } from "node:crypto";
import { type Entry, isKey, type Key } from "./store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The name of a record's file: a hash, because keys are longer than file names may be and some disks fold case. */
export function recordFileName(key: Key): string {
  return `${createHash("sha256").update(key).digest("hex")}.record`;
}

/** One line of JSON (key, version, size, hash), then the value as it is. */
export function encodeRecordFile(key: Key, { value, version }: Entry): Uint8Array {
  const header = encoder.encode(
    `${JSON.stringify({ key, version, size: value.length, hash: hashOf(key, version, value) })}\n`,
  );
  const bytes = new Uint8Array(header.length + value.length);
  bytes.set(header);
  bytes.set(value, header.length);
  return bytes;
}

/** The record in a file; throws a plain-worded Error when a single bit of it is not as it was written. */
export function decodeRecordFile(name: string, bytes: Uint8Array): { readonly key: Key; readonly entry: Entry } {
  const end = bytes.indexOf(10);
  if (end === -1) throw new Error(bytes.length === 0 ? "it is empty" : "its first line is cut off");
  const header = headerOf(bytes.subarray(0, end));
  const value = bytes.subarray(end + 1);
  if (value.length !== header.size)
    throw new Error(`it holds ${value.length} bytes of ${header.size} (record ${header.key})`);
  if (hashOf(header.key, header.version, value) !== header.hash)
    throw new Error(`its content does not match its hash (record ${header.key})`);
  if (recordFileName(header.key) !== name)
    throw new Error(`it holds record ${header.key}, which belongs into another file`);
  return { key: header.key, entry: { value: new Uint8Array(value), version: header.version } };
}

type Header = {
  readonly key: Key;
  readonly version: string;
  readonly size: number;
  readonly hash: string;
};

function headerOf(line: Uint8Array): Header {
  let header: unknown;
  try {
    header = JSON.parse(decoder.decode(line));
  } catch (error) {
    throw new Error("its first line is not readable", { cause: error });
  }
  if (
    typeof header === "object" &&
    header !== null &&
    "key" in header &&
    typeof header.key === "string" &&
    isKey(header.key) &&
    "version" in header &&
    typeof header.version === "string" &&
    "size" in header &&
    typeof header.size === "number" &&
    "hash" in header &&
    typeof header.hash === "string"
  ) {
    return { key: header.key, version: header.version, size: header.size, hash: header.hash };
  }
  throw new Error("its first line is not that of a record");
}

function hashOf(key: Key, version: string, value: Uint8Array): string {
  return createHash("sha256").update(`${key}\n${version}\n`).update(value).digest("hex");
}
