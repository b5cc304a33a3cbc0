import { expect, test } from "vitest";
import { cleanup } from "../../src/operations/cleanup.ts";
import { readRecord } from "../../src/records/access.ts";
import { complete, settling, type Command } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import { demo, demoCluster, memoryWorld, operator, pass, until, type MemoryWorld } from "./memory-target.ts";
import { picture } from "./picture.ts";

const cleaning: Command = ({ context }) => cleanup(context, { cluster: demo });

/** Longer than any call takes that must not be broken off; far shorter than any patience. Milliseconds. */
const prompt = 1_500;

const cases: readonly [string, () => Promise<MemoryWorld>, Command][] = [
  ["a first launch", async () => memoryWorld(), launching(demoCluster(3, 1))],
  ["more workers", launched(demoCluster(1, 1)), launching(demoCluster(1, 3))],
  ["fewer managers", launched(demoCluster(3, 1)), launching(demoCluster(1, 1))],
  ["another port", launched(demoCluster(1, 1)), launching(demoCluster(1, 1, { port: 9090 }))],
  ["cleanup", launched(demoCluster(1, 1)), cleaning],
];

test.each(cases)(
  "interrupted at any call it ends at once, gives the lock back, and the same command completes it: %s",
  async (_, base, command) => {
    const whole = await base();
    await complete(whole, command);
    await pass(whole, settling);
    const wanted = await picture(whole);
    const wrong: string[] = [];
    let points = 0;
    for (let call = 1; ; call++) {
      const world = await base();
      const one = operator(world, { alive: true });
      let at: number | undefined;
      one.process.at = (number, when) => {
        if (number !== call || when !== "before" || at !== undefined) return;
        at = world.clock.now();
        one.abort.abort();
      };
      const end = await until(world, one, command(one));
      if (at === undefined) break;
      const where = `interrupted at call ${call}: ${one.process.calls[call - 1]}`;
      // In its last calls it has done all that it was asked to.
      if (end.kind === "failed" && !(end.error instanceof Error && end.error.name === "AbortError"))
        wrong.push(`${where}: ${String(end.error)}`);
      if (end.kind === "failed") points++;
      if (world.clock.now() - at > prompt) wrong.push(`${where}: ended after ${world.clock.now() - at} ms`);
      const store = world.engine.store("demo");
      const holder = store === undefined ? undefined : (await readRecord(store, "lock"))?.value.holder;
      if (holder !== undefined && holder !== null) wrong.push(`${where}: the lock is held`);
      try {
        await complete(world, command);
        await pass(world, settling);
        expect(await picture(world)).toEqual(wanted);
      } catch (error) {
        wrong.push(`${where}: ${String(error).slice(0, 400)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(points).toBeGreaterThan(3);
  },
  300_000,
);
