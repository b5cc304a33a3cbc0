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
  const wrong: string[] = [];
  for (const [turn, life] of lives.entries()) wrong.push(...(await live(world, life, calm, turn)));
  expect(wrong).toEqual([]);
});
