import type { Random } from "../host/random.ts";
import { keptStore } from "./kept.ts";
import { type ClusterStore, type Key, StoreError } from "./store.ts";
import { versionSource } from "./versions.ts";

/** One call of a store, counted from 1 over all verbs. */
export type StoreCall = {
  readonly number: number;
  readonly verb: keyof ClusterStore;
  readonly key: Key;
};

/** `unreachable`: the call is refused and changes nothing; `lost-response`: it is done, and only its answer is lost. */
export type StoreFault = "unreachable" | "lost-response";

/** The failure switch: asked before every call. */
export type StoreFaults = (call: StoreCall) => StoreFault | undefined;

/** A cluster store that lasts as long as the process; `faults` makes chosen calls fail with `unreachable`. */
export function memoryStore(random: Random, faults: StoreFaults = () => undefined): ClusterStore {
  const store = keptStore({
    entries: new Map(),
    nextVersion: versionSource(random),
    persist: async () => {},
    ready: () => {},
  });
  let calls = 0;

  async function call<Result>(verb: StoreCall["verb"], key: Key, work: () => Promise<Result>): Promise<Result> {
    const number = ++calls;
    const fault = faults({ number, verb, key });
    if (fault === "unreachable") throw new StoreError("unreachable", `call ${number} (${verb} ${key}) was refused`);
    const result = await work();
    if (fault === "lost-response")
      throw new StoreError("unreachable", `the answer of call ${number} (${verb} ${key}) was lost`);
    return result;
  }

  return {
    get: (key) => call("get", key, () => store.get(key)),
    list: (prefix) => call("list", prefix, () => store.list(prefix)),
    putIfAbsent: (key, value) => call("putIfAbsent", key, () => store.putIfAbsent(key, value)),
    putIfUnchanged: (key, value, version) =>
      call("putIfUnchanged", key, () => store.putIfUnchanged(key, value, version)),
    delete: (key, version) => call("delete", key, () => store.delete(key, version)),
  };
}
