import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Emit } from "../../src/events/event.ts";
import type { Clock } from "../../src/host/clock.ts";
import type { ProcessOwner } from "../../src/host/owner.ts";
import { seededRandom, virtualClock, type VirtualClock } from "../../src/host/virtual.ts";
import {
  acquireLock,
  lease,
  type Lock,
  LockHeld,
  LockLost,
  type LockOptions,
} from "../../src/operations/lock.ts";
import { encodeRecord, readRecord, updateRecord } from "../../src/records/access.ts";
import { memoryStore, type StoreFault } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";

const ann: ProcessOwner = { host: "laptop", process: 11, started: "100", user: "ann" };
const bob: ProcessOwner = { host: "server", process: 22, started: "200", user: "bob" };

type World = {
  readonly clock: VirtualClock;
  readonly store: ClusterStore;
  readonly events: { name: string; fields: unknown }[];
  /** Processes that are gone, by number. */
  readonly gone: Set<number>;
  fault: StoreFault | undefined;
  readonly acquire: (owner: ProcessOwner, change?: Partial<LockOptions>) => Promise<Lock>;
};

let seed = 0;
function world(): World {
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
function freezable(clock: Clock): { readonly clock: Clock; freeze(): void; thaw(): void } {
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

const settled = async (promise: Promise<unknown>): Promise<"pending" | "done"> => {
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

describe("taking the lock", () => {
  test("the first gets epoch 1, and each after a release one more", async () => {
    const { acquire, store, events } = world();
    for (const epoch of [1, 2, 3]) {
      const lock = await acquire(ann);
      expect(lock.epoch).toBe(epoch);
      await lock.check();
      await lock.release();
      expect((await readRecord(store, "lock"))?.value).toMatchObject({ holder: null, epoch });
    }
    expect(events.map((event) => event.name)).toEqual(["lock.taken", "lock.taken", "lock.taken"]);
  });

  test("of many contenders on one host exactly one has it, the others know who at once", async () => {
    const { acquire, clock } = world();
    const before = clock.now();
    const tries = await Promise.allSettled(
      Array.from({ length: 5 }, (_, number) => acquire({ ...ann, process: 30 + number })),
    );
    const locks = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(locks).toHaveLength(1);
    for (const one of tries)
      if (one.status === "rejected") expect(one.reason).toBeInstanceOf(LockHeld);
    expect(clock.now()).toBe(before);
    await locks[0]?.release();
  });

  test("a holder that lives on this host is an answer at once: who, where, since when, doing what", async () => {
    const { acquire, clock } = world();
    const lock = await acquire(ann);
    await clock.advance(3_000);
    const held = await acquire({ ...ann, process: 12 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(held).toBeInstanceOf(LockHeld);
    expect(held).toMatchObject({
      epoch: 1,
      holder: { user: "ann", host: "laptop", process: 11, doing: "launch by ann" },
    });
    expect(String(held)).toContain(
      "ann on laptop (process 11) has been working on this cluster since 2023-11-14T22:13:20.000Z: launch by ann",
    );
    await lock.release();
  });

  test("a process of this host that is gone is replaced at once", async () => {
    const { acquire, clock, gone, events } = world();
    await acquire(ann);
    gone.add(ann.process);
    const before = clock.now();
    const lock = await acquire({ ...ann, process: 12 });
    expect(lock.epoch).toBe(2);
    expect(clock.now()).toBe(before);
    expect(events.at(-1)).toEqual({
      name: "lock.takenOver",
      fields: { from: "ann on laptop (process 11): launch by ann", epoch: 2 },
    });
  });

  test("a number of a process of another host says nothing about that process", async () => {
    const { acquire, clock, gone } = world();
    await acquire(bob);
    gone.add(bob.process);
    const trying = acquire(ann);
    await clock.advance(1_000);
    expect(await settled(trying)).toBe("pending");
    await clock.advance(lease);
    await expect(trying).rejects.toBeInstanceOf(LockHeld);
  });

  test("a holder elsewhere that renews is LockHeld after one renewal, well before a lease is over", async () => {
    const { acquire, clock, events } = world();
    const lock = await acquire(bob);
    const trying = acquire(ann);
    const refused = expect(trying).rejects.toBeInstanceOf(LockHeld);
    await clock.advance(7_000);
    expect(await settled(trying)).toBe("done");
    await refused;
    expect(events.filter((event) => event.name === "lock.waiting")).toEqual([
      {
        name: "lock.waiting",
        fields: {
          holder: "bob on server (process 22)",
          doing: "launch by bob",
          since: expect.any(Number),
        },
      },
    ]);
    await lock.release();
  });

  test("a holder elsewhere that says nothing for a whole lease is taken over, not earlier", async () => {
    const { acquire, clock } = world();
    const machine = freezable(clock);
    await acquire(bob, { clock: machine.clock });
    machine.freeze();
    const trying = acquire(ann);
    await clock.advance(lease - 1_000);
    expect(await settled(trying)).toBe("pending");
    await clock.advance(1_000);
    expect((await trying).epoch).toBe(2);
  });

  test("of two that wait out the same lease one takes over, the other is told of it", async () => {
    const { acquire, clock } = world();
    const machine = freezable(clock);
    await acquire(bob, { clock: machine.clock });
    machine.freeze();
    const waiting = [acquire(ann), acquire({ ...ann, host: "cloud", user: "cat" })];
    const tries = Promise.allSettled(waiting);
    await clock.advance(lease);
    const ends = await tries;
    expect(ends.map((end) => end.status).toSorted()).toEqual(["fulfilled", "rejected"]);
    for (const end of ends) {
      if (end.status === "fulfilled") expect(end.value.epoch).toBe(2);
      else expect(end.reason).toMatchObject({ name: "LockHeld", epoch: 2 });
    }
  });

  test("with wait off a holder elsewhere is an answer at once", async () => {
    const { acquire } = world();
    const lock = await acquire(bob);
    await expect(acquire(ann, { wait: false })).rejects.toBeInstanceOf(LockHeld);
    await lock.release();
  });

  test("an interrupted wait ends", async () => {
    const { acquire, clock } = world();
    const lock = await acquire(bob);
    const stop = new AbortController();
    const trying = acquire(ann, { signal: stop.signal });
    const refused = expect(trying).rejects.toThrow("interrupted");
    await clock.advance(1_000);
    stop.abort(new Error("interrupted"));
    await refused;
    await lock.release();
  });

  test.each([-3_600_000, 3_600_000])("clocks that differ by %i ms change nothing", async (skew) => {
    const { acquire, clock } = world();
    const machine = freezable(clock.skewed(skew));
    await acquire(bob, { clock: machine.clock });
    const early = acquire(ann);
    const refused = expect(early).rejects.toBeInstanceOf(LockHeld);
    await clock.advance(7_000);
    await refused;
    machine.freeze();
    const late = acquire(ann);
    await clock.advance(lease - 1_000);
    expect(await settled(late)).toBe("pending");
    await clock.advance(1_000);
    expect((await late).epoch).toBe(2);
  });

  test("a lock that was given back while we waited is taken", async () => {
    const { acquire, clock } = world();
    const lock = await acquire(bob);
    const trying = acquire(ann);
    await clock.advance(2_000);
    await lock.release();
    await clock.advance(1_000);
    expect((await trying).epoch).toBe(2);
  });

  test("a lost answer of the acquisition is looked up", async () => {
    const made = world();
    const lossy: ClusterStore = { ...made.store };
    let lose = true;
    lossy.putIfAbsent = async (key, value) => {
      if (!lose) return made.store.putIfAbsent(key, value);
      lose = false;
      made.fault = "lost-response";
      try {
        return await made.store.putIfAbsent(key, value);
      } finally {
        made.fault = undefined;
      }
    };
    const lock = await made.acquire(ann, { store: lossy });
    expect(lose).toBe(false);
    expect(lock.epoch).toBe(1);
    await lock.check();
    await lock.release();
  });
});

describe("holding the lock", () => {
  test("it is renewed every 5 s, with a new nonce and a later expiry, at the same epoch", async () => {
    const { acquire, clock, store } = world();
    const lock = await acquire(ann);
    const first = await readRecord(store, "lock");
    await clock.advance(5_000);
    const second = await readRecord(store, "lock");
    expect(second?.value.nonce).not.toBe(first?.value.nonce);
    expect(second?.value.epoch).toBe(1);
    expect((second?.value.holder?.expires ?? 0) - (first?.value.holder?.expires ?? 0)).toBe(5_000);
    expect(second?.value.holder?.since).toBe(first?.value.holder?.since);
    await lock.release();
  });

  test("who slept through a takeover is fenced at the next check, and cannot give back what is not its own", async () => {
    const { acquire, clock, store } = world();
    const machine = freezable(clock);
    const slept = await acquire(bob, { clock: machine.clock });
    machine.freeze();
    const trying = acquire(ann);
    await clock.advance(lease);
    const taken = await trying;
    machine.thaw();
    await expect(slept.check()).rejects.toBeInstanceOf(LockLost);
    await expect(slept.check()).rejects.toThrow("ann on laptop (process 11): launch by ann");
    await slept.release();
    await taken.check();
    expect((await readRecord(store, "lock"))?.value).toMatchObject({
      epoch: 2,
      holder: { user: "ann" },
    });
    await taken.release();
  });

  test("who slept and was not taken over renews at its check, so that a waiting observer starts anew", async () => {
    const { acquire, clock } = world();
    const machine = freezable(clock);
    const slept = await acquire(bob, { clock: machine.clock });
    machine.freeze();
    const trying = acquire(ann);
    const refused = expect(trying).rejects.toBeInstanceOf(LockHeld);
    await clock.advance(lease - 2_000);
    await slept.check();
    await clock.advance(2_000);
    await refused;
    await slept.check();
  });

  test("check fails while the store is out of reach, and works again when nobody took over", async () => {
    const made = world();
    const lock = await made.acquire(ann);
    made.fault = "unreachable";
    await made.clock.advance(12_000);
    await expect(lock.check()).rejects.toMatchObject({ name: "StoreError", kind: "unreachable" });
    made.fault = undefined;
    await lock.check();
    await made.clock.advance(5_000);
    await lock.check();
    await lock.release();
  });

  test("lost answers of renewals do not cost the lock", async () => {
    const made = world();
    const lock = await made.acquire(ann);
    for (let round = 0; round < 5; round++) {
      made.fault = "lost-response";
      await made.clock.advance(5_000);
      made.fault = undefined;
      await lock.check();
    }
    await lock.release();
    expect((await readRecord(made.store, "lock"))?.value).toMatchObject({ holder: null, epoch: 1 });
  });

  test("a record that was removed, or given to another epoch, is a lost lock", async () => {
    const { acquire, store } = world();
    const lock = await acquire(ann);
    await updateRecord(store, "lock", {}, (now) =>
      now === undefined ? undefined : { ...now, epoch: 9 },
    );
    await expect(lock.check()).rejects.toBeInstanceOf(LockLost);
    const entry = await store.get("lock");
    await store.delete("lock", entry?.version ?? "");
    await expect(lock.check()).rejects.toBeInstanceOf(LockLost);
  });

  test("a record that cannot be read is an error, not a free lock", async () => {
    const { acquire, store } = world();
    await store.putIfAbsent("lock", encodeRecord({ holder: "me" }));
    await expect(acquire(ann)).rejects.toMatchObject({ kind: "invalid" });
  });
});

describe("giving the lock back", () => {
  test("stops the renewals, keeps the epoch, leaves no sleeper behind", async () => {
    const { acquire, clock, store } = world();
    const lock = await acquire(ann);
    await clock.advance(12_000);
    await lock.release();
    const after = await store.get("lock");
    await clock.advance(60_000);
    expect(await store.get("lock")).toEqual(after);
    expect(clock.sleeping()).toBe(0);
    await expect(lock.check()).rejects.toBeInstanceOf(LockLost);
  });

  test("to a store out of reach is a warning", async () => {
    const made = world();
    const lock = await made.acquire(ann);
    made.fault = "unreachable";
    await lock.release();
    expect(made.events.at(-1)).toMatchObject({
      name: "warning",
      fields: { message: expect.stringContaining("could not be given back") },
    });
  });
});

describe("any interleaving", () => {
  test("epochs only rise, each has one holder, and a check passes only for the newest", async () => {
    let takeovers = 0;
    let acquisitions = 0;
    const actor = fc.record({
      starts: fc.nat(30_000),
      works: fc.nat(60_000),
      sleepsAfter: fc.option(fc.nat(30_000)),
      sleepsFor: fc.nat(90_000),
      skew: fc.integer({ min: -100_000, max: 100_000 }),
      host: fc.constantFrom("laptop", "server", "cloud"),
      dies: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(actor, { minLength: 2, maxLength: 5 }),
        fc.integer(),
        async (actors, chance) => {
          const clock = virtualClock();
          const random = seededRandom(chance);
          const memory = memoryStore(random);
          const delay = (): Promise<void> =>
            clock.sleep(Math.floor(random.fraction() ** 3 * 4_000));
          // Every call takes a while on its way there and on its way back.
          const slow = async <Result>(work: () => Promise<Result>): Promise<Result> => {
            await delay();
            const result = await work();
            await delay();
            return result;
          };
          const store: ClusterStore = {
            get: (key) => slow(() => memory.get(key)),
            list: (prefix) => slow(() => memory.list(prefix)),
            putIfAbsent: (key, value) => slow(() => memory.putIfAbsent(key, value)),
            putIfUnchanged: (key, value, version) =>
              slow(() => memory.putIfUnchanged(key, value, version)),
            delete: (key, version) => slow(() => memory.delete(key, version)),
          };
          const gone = new Set<number>();
          const epochs: number[] = [];
          const faults: string[] = [];

          const live = async (one: (typeof actors)[number], number: number): Promise<void> => {
            await clock.sleep(one.starts);
            const machine = freezable(clock.skewed(one.skew));
            const owner = { host: one.host, process: number, started: "1", user: `u${number}` };
            let lock: Lock;
            try {
              lock = await acquireLock({
                store,
                clock: machine.clock,
                random,
                owner,
                doing: "work",
                processAlive: (other) => !gone.has(other.process),
                emit: (name) => {
                  if (name === "lock.takenOver") takeovers++;
                },
              });
            } catch (error) {
              if (error instanceof LockHeld) return;
              throw error;
            }
            acquisitions++;
            if (epochs.includes(lock.epoch)) faults.push(`epoch ${lock.epoch} twice`);
            epochs.push(lock.epoch);
            if (one.sleepsAfter !== null) {
              await clock.sleep(one.sleepsAfter);
              machine.freeze();
              await clock.sleep(one.sleepsFor);
              if (one.dies) {
                gone.add(number);
                return;
              }
              machine.thaw();
            }
            const end = clock.now() + one.works;
            while (clock.now() < end) {
              // What had been taken over before the check began must not pass.
              const newest = epochs.reduce((most, epoch) => Math.max(most, epoch), 0);
              try {
                await lock.check();
              } catch (error) {
                if (error instanceof LockLost) break;
                throw error;
              }
              if (newest > lock.epoch)
                faults.push(`epoch ${lock.epoch} passed a check after epoch ${newest} was taken`);
              await clock.sleep(3_000);
            }
            await lock.release();
          };

          const lives = Promise.all(actors.map(live));
          lives.catch((error: unknown) => faults.push(String(error)));
          await clock.advance(600_000);
          expect(await settled(lives)).toBe("done");
          expect(faults).toEqual([]);
          const last = await readRecord(memory, "lock");
          expect(last?.value.epoch).toBe(Math.max(...epochs));
          expect(epochs.toSorted((a, b) => a - b)).toEqual(epochs.map((_, index) => index + 1));
        },
      ),
      { numRuns: 60 },
    );
    expect(takeovers).toBeGreaterThan(0);
    expect(acquisitions).toBeGreaterThan(60);
  });
});
