import { expect } from "vitest";
import type { Recorded, Call } from "../stand-in/call.ts";
import { isMutating } from "../stand-in/call.ts";
import type { Boundary, StandIn } from "../stand-in/stand-in.ts";
import { fleetOn, type Fleet } from "./fleet.ts";
import { operatorOn, world, type Operator } from "./operator.ts";

export type Command = (one: Operator) => Promise<unknown>;

/** What there is, without the ids that differ from world to world. */
export async function picture(standIn: StandIn): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  for (const line of await world(standIn)) {
    const [kind = "", name = ""] = line.split(" ");
    const key = /^(?:stack|autoscaling-group|bucket|log-group)$/.test(kind) ? `${kind} ${name}` : kind;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const instances = [...standIn.place().ec2.instances.all.values()].filter(({ state }) => state === "running");
  return [
    ...[...counts].map(([kind, count]) => `${count} ${kind}`),
    ...instances.map(({ tags }) => `running in ${tags["slipway.group"] ?? "?"}`),
  ].toSorted();
}

/** Whether it changes something that lasts: the lock's renewals come and go by the clock. */
function counts({ service, action, parameters, path }: Call | Recorded): boolean {
  return isMutating(service, action, parameters) && !path.endsWith("/records/lock");
}

/**
 * Runs a command in a new world and kills it at its n-th changing call. Gives that call, or nothing where the command has
 * come to its end before.
 */
async function killedAt(
  standIn: StandIn,
  command: Command,
  n: number,
  boundary: Boundary,
): Promise<string | undefined> {
  const one = operatorOn(standIn);
  let seen = 0;
  let where: string | undefined;
  const dead = new Promise<void>((resolve) => {
    standIn.onRequest = (at, call, _, client) => {
      if (client !== one.client || !counts(call)) return;
      if (at === "before") seen++;
      if (seen !== n || at !== boundary) return;
      where = `${call.service}:${call.action} ${call.path}`;
      client.kill();
      resolve();
    };
  });
  await Promise.race([dead, command(one)]);
  standIn.onRequest = undefined;
  return where;
}

/** Kills a command at changing calls, each time in a new world; the same command then brings it to the same end. */
export async function killEverywhere(
  standIn: StandIn,
  given: {
    readonly base?: Command;
    readonly command: Command;
    readonly boundaries: readonly Boundary[];
    /** Every so many-th of the store's own writes (all of the other calls are taken). */
    readonly stride: number;
    readonly after?: () => Promise<void>;
  },
): Promise<number> {
  const { base, command, boundaries, stride, after } = given;
  let fleet: Fleet | undefined;
  const anew = async (): Promise<void> => {
    fleet?.stop();
    await standIn.reset();
    fleet = fleetOn(standIn);
    fleet.delay = 5;
    await base?.(operatorOn(standIn));
  };
  await anew();
  const from = standIn.calls.length;
  await command(operatorOn(standIn));
  const all = standIn.calls.slice(from).filter((call) => call.caller.endsWith("user/operator") && counts(call));
  const wanted = await picture(standIn);
  await after?.();
  const points = all.flatMap(({ service, path }, index) =>
    service === "s3" && path.includes("/records/") && index % stride !== 0 ? [] : [index + 1],
  );
  const wrong: string[] = [];
  for (const n of points)
    for (const boundary of boundaries) {
      await anew();
      const where = await killedAt(standIn, command, n, boundary);
      // A person runs it again at once, or comes back when CloudFormation has gone on for a while.
      if (n % 2 === 0) await standIn.clock.advance(45_000);
      try {
        await command(operatorOn(standIn));
        expect(await picture(standIn)).toEqual(wanted);
        await after?.();
      } catch (error) {
        wrong.push(
          `killed ${boundary} call ${n}, ${where ?? "nowhere"}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  fleet?.stop();
  expect(wrong).toEqual([]);
  return points.length * boundaries.length;
}
