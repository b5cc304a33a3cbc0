import { type ClusterStore, type Entry, isKey, type Key, StoreError, type Version } from "./store.ts";

/** What `putIfUnchanged` answers as the present version of a key that is not there. */
export const absentVersion: Version = "";

/** The largest value of a record, in bytes. */
export const mostBytes = 8 * 1024 * 1024;

const prefixPattern = /^[A-Za-z0-9._/-]{0,512}$/;

export type KeptOptions = {
  /** What stands in the store; filled by the caller, owned by the store from then on. */
  readonly entries: Map<Key, Entry>;
  readonly nextVersion: () => Version;
  /** Makes one change last (`undefined`: removed); nobody sees the change before this resolves, or if it rejects. */
  readonly persist: (key: Key, entry: Entry | undefined) => Promise<void>;
  /** Called before every verb; throws when the store cannot answer. */
  readonly ready: () => void;
};

/**
 * The five verbs over entries in memory, with every change made lasting before anyone can read it.
 * Writes of one key run one after the other; writes of different keys run at the same time.
 */
export function keptStore({ entries, nextVersion, persist, ready }: KeptOptions): ClusterStore {
  const queues = new Map<Key, Promise<unknown>>();

  function inTurn<Result>(key: Key, work: () => Promise<Result>): Promise<Result> {
    const before = queues.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    queues.set(key, mine);
    const leave = (): void => {
      if (queues.get(key) === mine) queues.delete(key);
    };
    mine.then(leave, leave);
    return mine;
  }

  async function write(key: Key, value: Uint8Array): Promise<Version> {
    // A copy, and of a Buffer too (whose slice is none): the caller may go on with its own.
    const entry = { value: new Uint8Array(value), version: nextVersion() };
    await persist(key, entry);
    entries.set(key, entry);
    return entry.version;
  }

  return {
    async get(key) {
      check(key);
      ready();
      const entry = entries.get(key);
      return entry === undefined ? undefined : { value: new Uint8Array(entry.value), version: entry.version };
    },
    async list(prefix) {
      checkPrefix(prefix);
      ready();
      const keys = [...entries.keys()].filter((key) => key.startsWith(prefix)).toSorted();
      return new Map(keys.map((key) => [key, entries.get(key)?.version ?? absentVersion]));
    },
    async putIfAbsent(key, value) {
      checkWrite(key, value);
      return inTurn(key, async () => {
        ready();
        const there = entries.get(key);
        if (there !== undefined) return { kind: "exists", version: there.version };
        return { kind: "written", version: await write(key, value) };
      });
    },
    async putIfUnchanged(key, value, version) {
      checkWrite(key, value);
      return inTurn(key, async () => {
        ready();
        const there = entries.get(key);
        if (there?.version !== version) return { kind: "changed", version: there?.version ?? absentVersion };
        return { kind: "written", version: await write(key, value) };
      });
    },
    async delete(key, version) {
      check(key);
      return inTurn(key, async () => {
        ready();
        const there = entries.get(key);
        // Deleting what is not there succeeds, so that a delete whose response was lost can be repeated.
        if (there === undefined) return "deleted";
        if (there.version !== version) return "changed";
        await persist(key, undefined);
        entries.delete(key);
        return "deleted";
      });
    },
  };
}

/** Throws `invalid` for what is no key. */
export function check(key: Key): void {
  if (!isKey(key)) throw new StoreError("invalid", `not a record key: ${key}`);
}

/** Throws `invalid` for what no key can begin with. */
export function checkPrefix(prefix: string): void {
  if (!prefixPattern.test(prefix)) throw new StoreError("invalid", `not a key prefix: ${prefix}`);
}

/** Throws `invalid` for what is no key, and for a value that is too large. */
export function checkWrite(key: Key, value: Uint8Array): void {
  check(key);
  if (value.length > mostBytes)
    throw new StoreError("invalid", `record ${key} would have ${value.length} bytes, and ${mostBytes} are the most`);
}
