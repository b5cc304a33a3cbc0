import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { useStandIn } from "../stand-in/started.ts";
import { isRenewal, kindOf, moments, stateAt } from "./kill.ts";
import { commands, live, livesOf, type Undisturbed, undisturbed, type Verb, type World, worldOf } from "./lives.ts";

/*
 * A command keeps nothing but what AWS has: its context opens no file and starts no process. So a kill is told from another only by
 * the state of the world in which it leaves things, and every boundary of a call (before it is sent, after AWS has done it,
 * after the response) falls into one: `face` writes down all that can change, and boundaries at which it says the same are one
 * state. One kill for each state is a kill at every boundary. Here, each state that a changing call makes or finds, and one for each
 * kind of look; with `npm test -- --long` also those that AWS alone goes through while a command watches.
 */

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 120_000 });
const started = useStandIn();
const verbs = Object.keys(commands) as Verb[];
let world: World;
let known: Promise<Undisturbed> | undefined;
/** Once for all tests. */
const calm = (): Promise<Undisturbed> => (known ??= undisturbed(world));
beforeEach(() => {
  world = worldOf(started.standIn);
});
afterEach(() => world.end());

describe("what commands are killed at", () => {
  test("is every boundary of every call that changes anything, and one of each kind of look", async () => {
    for (const verb of verbs) {
      const { states } = (await calm())[verb];
      const chosen = moments(states, false);
      const killed = new Set(chosen.map((moment) => stateAt(states, moment)));
      const all = states.flat();
      const changing = all.filter((moment) => moment.changes && !isRenewal(moment));
      expect(changing.filter((moment) => !killed.has(stateAt(states, moment)))).toEqual([]);
      const looked = new Set([...killed].flat().map(kindOf));
      expect([...new Set(all.map(kindOf))].filter((kind) => !looked.has(kind))).toEqual([]);
      for (const at of ["before", "committed", "answered"] as const)
        expect(chosen.filter((moment) => moment.at === at).length, `${verb} ${at}`).toBeGreaterThanOrEqual(2);
    }
  });

  test("is one state after the commit and after the response, but where AWS begins at once", async () => {
    const apart: string[] = [];
    for (const verb of verbs) {
      const { states } = (await calm())[verb];
      const committed = states.flat().filter(({ at, changes }) => at === "committed" && changes);
      expect(committed.length).toBeGreaterThan(10);
      for (const moment of committed)
        if (stateAt(states, { ...moment, at: "answered" }) !== stateAt(states, moment)) apart.push(kindOf(moment));
    }
    const atOnce = ["cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet"];
    expect(apart.filter((kind) => !atOnce.includes(kind))).toEqual([]);
  });
});

test("launch, converge and cleanup that are killed anywhere are completed by the same command: nothing double, nothing lost", async () => {
  const lives = livesOf(await calm(), false);
  expect(lives.flat().length).toBeGreaterThan(40);
  const [wrong, missed]: [string[], string[]] = [[], []];
  for (const [turn, life] of lives.entries()) {
    const its = await live(world, life, await calm(), turn);
    wrong.push(...its.wrong);
    missed.push(...its.missed);
  }
  expect(wrong).toEqual([]);
  expect(missed.length, missed.join("\n")).toBeLessThanOrEqual(lives.flat().length / 10);
});
