import type { Emit } from "../../src/events/event.ts";
import type { Clock } from "../../src/host/clock.ts";
import type { ProcessOwner } from "../../src/host/owner.ts";
import { seededRandom, virtualClock, type VirtualClock } from "../../src/host/virtual.ts";
import { acquireLock, type Lock, type LockOptions } from "../../src/operations/lock.ts";
import { memoryStore, type StoreFault } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";

export const ann: ProcessOwner = { host: "laptop", process: 11, started: "100", user: "ann" };
export const bob: ProcessOwner = { host: "server", process: 22, started: "200", user: "bob" };

export type World = {
  readonly clock: VirtualClock;
  readonly store: ClusterStore;
  readonly events: { name: string; fields: unknown }[];
  /** Processes that are gone, by number. */
  readonly gone: Set<number>;
  fault: StoreFault | undefined;
  readonly acquire: (owner: ProcessOwner, change?: Partial<LockOptions>) => Promise<Lock>;
};

let seed = 0;
/** A lock's surroundings: a virtual clock, a store in memory, and processes that can be gone. */
export function world(): World {
  const clock = virtualClock();
  const random = seededRandom(++seed);
  const events: World["events"] = [];
  const gone = new Set<number>();
  const emit: Emit = (name, fields) => events.push({ name, fields });
  const made: World = {
    clock,
    store: memoryStore(random, () => made.fault),
    events,
    gone,
    fault: undefined,
    acquire: (owner, change = {}) =>
      acquireLock({
        store: made.store,
        clock,
        random,
        owner,
        doing: `launch by ${owner.user}`,
        processAlive: (other) => !gone.has(other.process),
        emit,
        ...change,
      }),
  };
  return made;
}

/** A clock that can be frozen: its machine sleeps, while the world goes on. */
export function freezable(clock: Clock): { readonly clock: Clock; freeze(): void; thaw(): void } {
  let frozen: Promise<void> | undefined;
  let thaw = (): void => {};
  return {
    clock: {
      now: () => clock.now(),
      sleep: async (milliseconds, signal) => {
        await clock.sleep(milliseconds, signal);
        await frozen;
      },
    },
    freeze: () => {
      frozen = new Promise((resolve) => {
        thaw = resolve;
      });
    },
    thaw: () => thaw(),
  };
}

/** Whether a promise has ended, without waiting for it. */
export const settled = async (promise: Promise<unknown>): Promise<"pending" | "done"> => {
  const pending = Symbol("pending");
  const first = await Promise.race([
    promise.then(
      () => "done",
      () => "done",
    ),
    new Promise((resolve) => setImmediate(resolve, pending)),
  ]);
  return first === pending ? "pending" : "done";
};
