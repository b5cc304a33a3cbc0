import { expect } from "vitest";
import { clusterOf, copyWorld, operator, pass, until, type MemoryWorld, type Operator } from "./memory-target.ts";
import { picture } from "./picture.ts";

export type Command = (one: Operator) => Promise<unknown>;

/** Long enough for every agent to have looked twice. */
export const settling = 6_000;

/** Runs a command to its end in a world; an error of it is the test's. */
export async function complete(
  world: MemoryWorld,
  command: Command,
  one: Operator = operator(world),
): Promise<Operator> {
  const end = await until(world, one, command(one));
  if (end.kind === "failed") throw end.error;
  expect(end.kind).toBe("done");
  return one;
}

/**
 * Kills the command before and after each of its calls, in a copy of the world each time, runs `again`, and compares with
 * the world in which nothing was killed. Where a call begins as soon as the one before it has ended, and nothing else is under
 * way, both leave the same world, and one kill is enough. Gives how many kills there were.
 */
export async function killEverywhere(given: {
  readonly base: () => Promise<MemoryWorld>;
  readonly command: Command;
  /** The command that must bring it to the same end; the same one when left out. */
  readonly again?: Command;
  /** The killed world before it goes on, for what must hold there already. */
  readonly inBetween?: (world: MemoryWorld, killed: Operator) => Promise<void>;
  readonly ignoreQuorum?: boolean;
  readonly after?: (world: MemoryWorld, killed: Operator, resumed: Operator) => Promise<void>;
}): Promise<number> {
  const { command, again = command } = given;
  const whole = await given.base();
  const undisturbed = operator(whole);
  const order: string[] = [];
  undisturbed.process.at = (number, when) => order.push(`${when} ${number}`);
  await complete(whole, command, undisturbed);
  const followsAtOnce = (call: number): boolean =>
    call > 1 && order[order.indexOf(`before ${call}`) - 1] === `after ${call - 1}` && !underWay(order, call);
  if (again !== command) await complete(whole, again);
  await pass(whole, settling);
  const wanted = await picture(whole);
  const quorum = (world: MemoryWorld): void => {
    if (given.ignoreQuorum !== true) expect(clusterOf(world, "demo").members.lost).toEqual([]);
  };
  quorum(whole);
  let points = 0;
  const wrong: string[] = [];
  for (let call = 1; ; call++) {
    let reached = false;
    for (const when of ["before", "after"] as const) {
      if (when === "before" && followsAtOnce(call)) continue;
      const world = await given.base();
      const first = operator(world);
      first.process.at = (number, its) => {
        if (number === call && its === when) first.process.die();
      };
      const end = await until(world, first, command(first));
      if (end.kind === "failed") throw end.error;
      if (end.kind === "done") continue;
      reached = true;
      points++;
      const where = `killed ${when} call ${call}: ${first.process.calls[call - 1]}`;
      // A person runs it again at once, or comes back later.
      if (call % 2 === (when === "after" ? 1 : 0)) await pass(world, 3_000);
      await given.inBetween?.(world, first);
      const second = operator(world);
      const resumed = await until(world, second, again(second));
      await pass(world, settling);
      try {
        if (resumed.kind === "failed") throw resumed.error;
        expect(await picture(world)).toEqual(wanted);
        quorum(world);
        await given.after?.(world, first, second);
      } catch (error) {
        wrong.push(`${where}: ${described(error)}`);
      }
    }
    if (!reached) break;
  }
  expect(wrong).toEqual([]);
  expect(points).toBeGreaterThanOrEqual(undisturbed.process.calls.length);
  return points;
}

/** Whether some call had begun, and not ended, when this one began. */
function underWay(order: readonly string[], call: number): boolean {
  const earlier = order.slice(0, order.indexOf(`before ${call}`));
  return earlier.some((line) => line.startsWith("before ") && !earlier.includes(line.replace("before", "after")));
}

/** What differs, where the assertion can tell. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const linesOf = (value: unknown): string[] =>
    (typeof value === "string" ? value : (JSON.stringify(value, null, 1) ?? "")).split("\n");
  const [is, should] = [linesOf(Reflect.get(error, "actual")), linesOf(Reflect.get(error, "expected"))];
  const lines = [
    ...should.filter((line) => !is.includes(line)).map((line) => `should ${line.trim()}`),
    ...is.filter((line) => !should.includes(line)).map((line) => `is ${line.trim()}`),
  ];
  return lines.length === 0 ? error.message : lines.join("; ");
}

/** A base that is made once and copied for every kill. */
export function copies(make: () => Promise<MemoryWorld>): () => Promise<MemoryWorld> {
  let made: Promise<MemoryWorld> | undefined;
  return async () => copyWorld(await (made ??= make()));
}
