import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useStandIn } from "../stand-in/started.ts";
import { live, livesOf, undisturbed, type World, worldOf } from "./lives.ts";

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 120_000 });
const started = useStandIn();
let world: World;
beforeEach(() => {
  world = worldOf(started.standIn);
});
afterEach(() => world.end());

test("launch, converge and cleanup that are killed in any state of the world, also while they only watch, are completed by the same command", async () => {
  const calm = await undisturbed(world);
  const lives = livesOf(calm, true);
  expect(lives.flat().length).toBeGreaterThan(60);
  const [wrong, missed]: [string[], string[]] = [[], []];
  for (const [turn, life] of lives.entries()) {
    const its = await live(world, life, calm, turn);
    wrong.push(...its.wrong);
    missed.push(...its.missed);
  }
  expect(wrong).toEqual([]);
  expect(missed.length, missed.join("\n")).toBeLessThanOrEqual(lives.flat().length / 10);
});
