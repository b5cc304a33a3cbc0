import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom, virtualClock } from "../../src/host/virtual.ts";
import { acquireLock, lease, type Lock, LockHeld, LockLost } from "../../src/operations/lock.ts";
import { encodeRecord, readRecord, updateRecord } from "../../src/records/access.ts";
import { memoryStore } from "../../src/store/memory.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { ann, bob, freezable, settled, world } from "./lock-world.ts";

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
    await updateRecord(store, "lock", {}, (now) => (now === undefined ? undefined : { ...now, epoch: 9 }));
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
      fc.asyncProperty(fc.array(actor, { minLength: 2, maxLength: 5 }), fc.integer(), async (actors, chance) => {
        const clock = virtualClock();
        const random = seededRandom(chance);
        const memory = memoryStore(random);
        const delay = (): Promise<void> => clock.sleep(Math.floor(random.fraction() ** 3 * 4_000));
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
          putIfUnchanged: (key, value, version) => slow(() => memory.putIfUnchanged(key, value, version)),
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
            if (newest > lock.epoch) faults.push(`epoch ${lock.epoch} passed a check after epoch ${newest} was taken`);
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
      }),
      { numRuns: 60 },
    );
    expect(takeovers).toBeGreaterThan(0);
    expect(acquisitions).toBeGreaterThan(60);
  });
});
