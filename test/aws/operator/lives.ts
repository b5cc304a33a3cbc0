import { expect } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { awsCluster } from "../scenarios.ts";
import type { StandIn } from "../stand-in/stand-in.ts";
import { census } from "./census.ts";
import { fleetOn, type Fleet } from "./fleet.ts";
import { type Command, isRenewal, killedAt, type Moment, moments, type State, statesOf } from "./kill.ts";
import { demo, operatorOn } from "./operator.ts";

const file = (workers: number, type: string): string =>
  `name: demo\ntarget: aws\nos: flatcar\norchestrator: none\ngroups:\n  control: { role: control, count: 1 }\n  worker: { count: ${workers}, aws: { max: 3 } }\naws: { region: eu-central-1, instance_type: ${type} }\n`;
const small = awsCluster(file(1, "t3.small"));
const large = awsCluster(file(2, "t3.medium"));

/** What is killed: a creation; a change of all of what there is, one worker more; a cleanup. */
export const commands = {
  launch: ({ context }) => launch(context, { cluster: small }),
  converge: ({ context }) => launch(context, { cluster: large }),
  cleanup: ({ context }) => cleanup(context, { cluster: demo }),
} as const satisfies Readonly<Record<string, Command>>;
export type Verb = keyof typeof commands;

/** What an undisturbed run of each command goes through, and what there is when it is done. */
export type Undisturbed = Readonly<
  Record<Verb, { readonly states: readonly State[]; readonly end: readonly string[] }>
>;

export type World = { readonly standIn: StandIn; anew(): Promise<void>; end(): void };

export function worldOf(standIn: StandIn): World {
  let fleet: Fleet | undefined;
  return {
    standIn,
    async anew() {
      fleet?.stop();
      await standIn.reset();
      standIn.clock.haste = 5;
      fleet = fleetOn(standIn);
      fleet.delay = 5;
    },
    end: () => fleet?.stop(),
  };
}

export async function undisturbed(world: World): Promise<Undisturbed> {
  const { standIn } = world;
  const run = async (verb: Verb) => ({
    states: await statesOf(standIn, commands[verb], operatorOn(standIn)),
    end: await census(standIn),
  });
  await world.anew();
  const first = await run("launch");
  const converge = await run("converge");
  await world.anew();
  await commands.launch(operatorOn(standIn));
  return { launch: first, converge, cleanup: await run("cleanup") };
}

/** One kill: of which command, and where. */
export type Kill = { readonly verb: Verb; readonly moment: Moment };

/** Kills that one world can bear: each command is brought to its end before the next one is begun. */
export function livesOf(calm: Undisturbed, all: boolean): readonly (readonly Kill[])[] {
  const kills = (verb: Verb): Kill[] => moments(calm[verb].states, all).map((moment) => ({ verb, moment }));
  const later = [...kills("converge"), ...kills("cleanup")];
  const lives: Kill[][] = kills("launch").map((kill) => [kill]);
  for (const [index, kill] of later.entries()) {
    const life = lives[index];
    if (life === undefined) lives.push([kill]);
    else life.push(kill);
  }
  return lives;
}

/**
 * Kills each command of a life where it says, and runs it again: at once, when CloudFormation has gone on for a while, or from
 * another machine, which waits until the lock's lease is over. Gives what is not as after an undisturbed run, and where it never came to a kill:
 * how often the lock is renewed and looks are repeated differs a little from world to world.
 */
export async function live(
  world: World,
  kills: readonly Kill[],
  calm: Undisturbed,
  turn: number,
): Promise<{ readonly wrong: readonly string[]; readonly missed: readonly string[] }> {
  const { standIn } = world;
  await world.anew();
  const [wrong, missed]: [string[], string[]] = [[], []];
  if (kills[0]?.verb !== "launch") await commands.launch(operatorOn(standIn));
  for (const { verb, moment } of kills) {
    const where = `${verb} killed ${moment.at} ${moment.call} (${moment.turn})`;
    if (!(await killedAt(standIn, commands[verb], operatorOn(standIn), moment)))
      (moment.changes && !isRenewal(moment) ? wrong : missed).push(`${where}: it never came to that`);
    if (turn % 3 === 1) await standIn.clock.advance(45_000);
    try {
      await commands[verb](operatorOn(standIn, turn % 3 === 2 ? { host: "elsewhere" } : {}));
      const now = await census(standIn);
      expect(now).toEqual(calm[verb].end);
    } catch (error) {
      const { end } = calm[verb];
      const now = await census(standIn);
      const less = end.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
      const more = now.filter((line) => !end.includes(line)).map((line) => `+ ${line}`);
      wrong.push(
        [
          `${where}: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`,
          ...less,
          ...more,
        ].join("\n"),
      );
      break;
    }
  }
  return { wrong, missed };
}
