import type { ClusterStore, Key, Version } from "../store/store.ts";
import { isKey, StoreError } from "../store/store.ts";
import { records, type RecordName, type RecordValue } from "./table.ts";

type Parts = Readonly<Record<string, string>>;

/** The key of one record: the table's pattern with its braces filled in. */
export function keyOf(name: RecordName, parts: Parts = {}): Key {
  const key = records[name].key.replaceAll(/\{(\w+)\}/g, (_, part: string) => {
    const value = parts[part];
    if (value === undefined) throw new Error(`record ${name} needs ${part}`);
    return value;
  });
  if (!isKey(key)) throw new StoreError("invalid", `not a record key: ${key}`);
  return key;
}

/** A registry's host as a part of a key, which has no colon. */
export function hostPart(host: string): string {
  return host.replace(":", "_");
}

export type Found<Name extends RecordName> = {
  readonly value: RecordValue<Name>;
  readonly version: Version;
};

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** A record, checked against its schema; `undefined` when it is not there. */
export async function readRecord<Name extends RecordName>(
  store: ClusterStore,
  name: Name,
  parts: Parts = {},
): Promise<Found<Name> | undefined> {
  return readKey(store, name, keyOf(name, parts));
}

async function readKey<Name extends RecordName>(
  store: ClusterStore,
  name: Name,
  key: Key,
): Promise<Found<Name> | undefined> {
  const entry = await store.get(key);
  if (entry === undefined) return undefined;
  const parsed = records[name].schema.safeParse(JSON.parse(decoder.decode(entry.value)));
  if (!parsed.success) throw new StoreError("invalid", `record ${key} is not readable: ${parsed.error.message}`);
  // The schema of this very record has checked the value.
  return { value: parsed.data as RecordValue<Name>, version: entry.version };
}

/** All records of a kind whose leading parts are given, such as every claim of one generation. */
export async function listRecords<Name extends RecordName>(
  store: ClusterStore,
  name: Name,
  parts: Parts = {},
): Promise<readonly Listed<Name>[]> {
  const pattern = records[name].key;
  let prefix = "";
  for (const part of pattern.split("/")) {
    const bound = /^\{(\w+)\}$/.exec(part)?.[1];
    if (bound !== undefined && parts[bound] === undefined) break;
    prefix += `${bound === undefined ? part : parts[bound]}/`;
  }
  const before = listed.get(store)?.get(prefix);
  const found = await Promise.all(
    [...(await store.list(prefix))].map(async ([key, version]) => {
      const known = before?.get(key);
      // The schema of this very record has checked the value.
      if (known?.version === version) return known as Listed<Name>;
      const record = await readKey(store, name, key);
      return record === undefined ? undefined : { ...record, key };
    }),
  );
  const there = found.filter((record) => record !== undefined);
  const known = listed.get(store) ?? new Map<string, ReadonlyMap<Key, Listed<RecordName>>>();
  listed.set(store, known.set(prefix, new Map(there.map((record) => [record.key, record]))));
  return there;
}

type Listed<Name extends RecordName> = Found<Name> & { readonly key: Key };

/** What each list gave last: a read is a round trip, on S3 also money, and the roster of thousands is listed several times a minute and seldom changes. */
const listed = new WeakMap<ClusterStore, Map<string, ReadonlyMap<Key, Listed<RecordName>>>>();

export function encodeRecord(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** Create-if-absent; gives back what stands there afterwards, whoever wrote it. */
export async function writeOnce<Name extends RecordName>(
  store: ClusterStore,
  name: Name,
  parts: Parts,
  value: RecordValue<Name>,
): Promise<{ readonly written: boolean; readonly value: RecordValue<Name> }> {
  const put = await store.putIfAbsent(keyOf(name, parts), encodeRecord(value));
  if (put.kind === "written") return { written: true, value };
  const there = await readRecord(store, name, parts);
  if (there === undefined) throw new StoreError("invalid", `record ${keyOf(name, parts)} was there and is gone`);
  return { written: false, value: there.value };
}

/**
 * Read, change, put-if-unchanged, again when someone else was faster (at most 20 times).
 * `change` gives `undefined` to leave the record as it is.
 */
export async function updateRecord<Name extends RecordName>(
  store: ClusterStore,
  name: Name,
  parts: Parts,
  change: (now: RecordValue<Name> | undefined) => RecordValue<Name> | undefined,
): Promise<RecordValue<Name> | undefined> {
  const key = keyOf(name, parts);
  for (let attempt = 0; attempt < 20; attempt++) {
    const now = await readKey(store, name, key);
    const next = change(now?.value);
    if (next === undefined) return now?.value;
    const put =
      now === undefined
        ? await store.putIfAbsent(key, encodeRecord(next))
        : await store.putIfUnchanged(key, encodeRecord(next), now.version);
    if (put.kind === "written") return next;
  }
  throw new StoreError("unreachable", `record ${key} changed 20 times while it was being written`);
}
