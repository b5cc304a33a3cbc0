import { describe, expect, test } from "vitest";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { launch, type Launched } from "../../src/operations/launch.ts";
import { LockHeld, LockLost } from "../../src/operations/lock.ts";
import { complete, settling, type Command } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import {
  clusterOf,
  demoCluster,
  memoryWorld,
  operator,
  pass,
  until,
  untilAll,
  type MemoryWorld,
  type Operator,
} from "./memory-target.ts";
import { picture } from "./picture.ts";

/** What a launch does before it has the lock: what lies below the nodes, and the lock itself. */
const beforeTheLock =
  /^(POST \/networks\/create|POST \/volumes\/create|POST \/containers\/create|PUT \/containers\/[^/]*\/archive|POST \/containers\/[^/]*\/start|put\S+ lock)$/;

describe("launched twice", () => {
  test("the second time nothing is changed but lock and journal", async () => {
    const world = await launched(demoCluster(3, 2))();
    const before = await picture(world);
    const works: unknown[] = [];
    const second = operator(world);
    const { apply } = second.context.target;
    const context = {
      ...second.context,
      target: {
        ...second.context.target,
        apply: (...given: Parameters<typeof apply>) => (works.push(given[0]), apply(...given)),
      },
    };
    const end = await until(world, second, launch(context, { cluster: demoCluster(3, 2) }));
    expect(end).toMatchObject({ kind: "done", value: { changes: 0, status: { state: "ready" } } });
    expect(works).toEqual([]);
    expect(
      second.process.calls.filter((call) => !/^(put\S+ lock|putIfAbsent journal\/\S+|nudge \S+)$/.test(call)),
    ).toEqual([]);
    await pass(world, settling);
    expect(await picture(world)).toEqual(before);
  });
});

describe("two launches at once", () => {
  test("one proceeds and the other is told who holds the lock, whenever it comes", async () => {
    const alone = memoryWorld();
    await complete(alone, launching(demoCluster(3, 2)));
    await pass(alone, settling);
    const wanted = await picture(alone);
    let heldOff = 0;
    // Each call of what comes before the lock, and some of what comes after.
    for (const lead of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 18, 30, 45, 50]) {
      const world = memoryWorld();
      const first = operator(world, { alive: true });
      const second = operator(world, { alive: true });
      const calls = [-1, -1];
      const told =
        (n: number, one: Operator) =>
        (error: unknown): never => {
          calls[n] = one.process.calls.length;
          throw error;
        };
      const now = launching(demoCluster(3, 2))(first).catch(told(0, first));
      const later = (async (): Promise<Launched> => {
        while (first.process.calls.length < lead && calls[0] === -1) await second.context.clock.sleep(10);
        return launching(demoCluster(3, 2))(second);
      })().catch(told(1, second));
      const ends = await untilAll(world, [
        { one: first, work: now },
        { one: second, work: later },
      ]);
      const failed = ends.flatMap((end, n) =>
        end.kind === "failed" ? [{ error: end.error, loser: n === 0 ? first : second, calls: calls[n] }] : [],
      );
      expect(
        failed.map(({ error }) => (error instanceof Error ? error.name : String(error))),
        `second comes at call ${lead}`,
      ).toEqual(["LockHeld"]);
      heldOff++;
      for (const { error, loser, calls: then } of failed) {
        expect(error).toBeInstanceOf(LockHeld);
        expect(loser.process.calls.length).toBe(then);
        expect(loser.process.calls.filter((call) => !beforeTheLock.test(call))).toEqual([]);
      }
      await pass(world, settling);
      expect(await picture(world)).toEqual(wanted);
    }
    expect(heldOff).toBe(15);
  }, 300_000);

  test("the lock of a process of this host that is gone is taken over at once", async () => {
    const world = await launched(demoCluster(1, 1))();
    const killed = operator(world);
    killed.process.at = (number) => {
      if (number === 3) killed.process.die();
    };
    expect(await until(world, killed, launching(demoCluster(1, 2))(killed))).toEqual({ kind: "killed" });
    const begun = world.clock.now();
    const second = await complete(world, launching(demoCluster(1, 2)));
    const taken = second.events.find((event) => event.name === "lock.takenOver");
    expect(taken?.time).toBeLessThan(begun + 200);
  });
});

describe("a holder that slept while its lock was taken over", () => {
  const cases: readonly [string, () => Promise<MemoryWorld>, Cluster][] = [
    ["first launch", async () => memoryWorld(), demoCluster(1, 1)],
    ["more workers", launched(demoCluster(1, 1)), demoCluster(1, 3)],
    ["fewer workers", launched(demoCluster(1, 3)), demoCluster(1, 1)],
    ["fewer managers", launched(demoCluster(3, 1)), demoCluster(1, 1)],
    ["another port", launched(demoCluster(1, 1)), demoCluster(1, 1, { port: 9090 })],
  ];
  test.each(cases)(
    "begins no other step, whichever call it slept at: %s",
    async (_, base, cluster) => {
      const command: Command = launching(cluster);
      const whole = await base();
      await complete(whole, command);
      await pass(whole, settling);
      const wanted = await picture(whole);
      const wrong: string[] = [];
      for (let call = 1; ; call++) {
        const world = await base();
        const sleeper = operator(world, { alive: true });
        let wake: (() => void) | undefined;
        sleeper.process.at = (number, when) => {
          if (number === call && when === "before") wake ??= sleeper.process.hold();
        };
        const slept = command(sleeper);
        const other = operator(world, { elsewhere: true });
        let begun = false;
        // The other one comes when the first has fallen asleep, and waits for a whole lease.
        const taking = (async (): Promise<unknown> => {
          while (wake === undefined && sleeper.events.every((event) => event.name !== "operation.finished"))
            await world.clock.sleep(100);
          begun = true;
          const value = await command(other);
          return value;
        })();
        let woken = 0;
        const ended = taking.finally(() => {
          woken = sleeper.events.length;
          wake?.();
        });
        const watching: Pick<Operator, "process"> = {
          process: { ...other.process, isHeld: () => !begun || other.process.isHeld() },
        };
        const [end, took] = await untilAll(world, [
          { one: sleeper, work: slept },
          { one: watching, work: ended },
        ]);
        if (wake === undefined) break;
        const where = `slept at call ${call}: ${sleeper.process.calls[call - 1]}`;
        if (took?.kind !== "done")
          wrong.push(`${where}: the other one: ${took?.kind === "failed" ? String(took.error) : ""}`);
        // Held in its last calls it has nothing more to lose.
        if (
          end?.kind === "failed" &&
          !(end.error instanceof LockLost) &&
          !String(end.error).includes("somebody else is making demo")
        )
          wrong.push(`${where}: ${String(end.error)}`);
        const steps = sleeper.events.slice(woken).filter((event) => event.name === "step.started");
        if (steps.length > 0) wrong.push(`${where}: then it began ${JSON.stringify(steps)}`);
        // What it repeated may leave an instance in the roster that never was; the next launch strikes it off.
        await complete(world, command);
        await pass(world, settling);
        try {
          expect(await picture(world)).toEqual(wanted);
          expect(clusterOf(world, "demo").members.lost).toEqual([]);
        } catch (error) {
          wrong.push(
            `${where}: ${error instanceof Error ? JSON.stringify([Reflect.get(error, "actual"), error.message]).slice(0, 3_000) : ""}`,
          );
        }
      }
      expect(wrong).toEqual([]);
    },
    300_000,
  );
});
