import { describe, expect, test } from "vitest";
import { lease, LockHeld } from "../../src/operations/lock.ts";
import { readRecord } from "../../src/records/access.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { ann, bob, freezable, settled, world } from "./lock-world.ts";

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
    for (const one of tries) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(LockHeld);
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
