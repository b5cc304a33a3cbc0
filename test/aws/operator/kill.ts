import { expect } from "vitest";
import { type Call, isMutating } from "../stand-in/call.ts";
import type { Boundary, StandIn } from "../stand-in/stand-in.ts";
import { face, lockOf } from "./census.ts";
import type { Operator } from "./operator.ts";

export type Command = (one: Operator) => Promise<unknown>;

/** A boundary of a call: which call it is, by its name and its turn among those of the name, and whether it changes anything. */
export type Moment = {
  readonly at: Boundary;
  readonly call: string;
  readonly turn: number;
  readonly changes: boolean;
};

/** A state of the world that a command goes through, and all boundaries of its calls at which the world is in it. */
export type State = readonly Moment[];

/** Names of one call in every world: without ids, and with what of a long name tells it apart. */
function nameOf({ service, action, path, parameters, body }: Call): string {
  const object = decodeURIComponent(path)
    .replaceAll(/AROA[A-Z0-9]+/g, "ROLE")
    .replaceAll(/i-[0-9a-f]{17}/g, "ID")
    .replace(/(generation\/)[0-9a-f]+/, "$1ID")
    .replace(/(journal\/).*/, "$1…")
    .replace(/^\/[^/]*/, "");
  // Taken and held, or given back.
  if (action === "PutObject" && object.endsWith("/records/lock"))
    return `${service}:${action} ${object} ${lockOf(body)}`;
  const set = parameters["ChangeSetName"];
  return `${service}:${action}${object.length > 1 ? ` ${object}` : ""}${typeof set === "string" && !set.startsWith("arn:") ? ` ${set}` : ""}`;
}

/** Hears every boundary of one program's calls. */
function hear(standIn: StandIn, one: Operator, on: (moment: Moment) => void): () => void {
  const turns = new Map<string, number>();
  const running = new Map<number, Omit<Moment, "at">>();
  standIn.onRequest = (at, call, n, client) => {
    if (client !== one.client) return;
    if (at === "before") {
      const name = nameOf(call);
      const turn = (turns.get(name) ?? 0) + 1;
      turns.set(name, turn);
      running.set(n, { call: name, turn, changes: isMutating(call.service, call.action, call.parameters) });
    }
    const known = running.get(n);
    if (known !== undefined) on({ at, ...known });
  };
  return () => {
    standIn.onRequest = undefined;
  };
}

/** Runs a command undisturbed, and gives the states of the world that its calls' boundaries fall into, in their order. */
export async function statesOf(standIn: StandIn, command: Command, one: Operator): Promise<readonly State[]> {
  const states: Moment[][] = [];
  let last: string | undefined;
  const end = hear(standIn, one, (moment) => {
    const now = face(standIn);
    if (now === last) states.at(-1)?.push(moment);
    else states.push([moment]);
    last = now;
  });
  await command(one);
  end();
  return states;
}

/** What of AWS's is asked, whatever it is asked for. */
export const kindOf = ({ call }: Moment): string => call.split(" ")[0] ?? "";

/** Whether nothing but the lease's end is new after it. */
export const isRenewal = ({ call, turn }: Moment): boolean =>
  call.startsWith("s3:PutObject /records/lock held") && turn > 1;

/** The state that a moment falls into. */
export function stateAt(states: readonly State[], { at, call, turn }: Omit<Moment, "changes">): State {
  const found = states.find((state) => state.some((one) => one.at === at && one.call === call && one.turn === turn));
  return found ?? expect.fail(`no state at ${at} ${call} (${turn})`);
}

/**
 * In which states a command is killed: in all of them, or in each that a changing call has made or is about to leave, and in one
 * for each other kind of call. Kills before sending, after the commit and after the response take turns.
 */
export function moments(states: readonly State[], all: boolean): readonly Moment[] {
  const kinds = new Set<string>();
  const chosen: Moment[] = [];
  const turns: readonly Boundary[] = ["before", "committed", "answered"];
  const count = (wanted: Boundary): number => chosen.filter(({ at }) => at === wanted).length;
  for (const state of states) {
    const fresh = state.some((moment) => !kinds.has(kindOf(moment)));
    const [first] = state;
    const made = first?.at === "committed" && first.changes;
    const changing = made || state.some((moment) => moment.changes && !isRenewal(moment));
    if (!all && !fresh && !changing) continue;
    for (const moment of state) kinds.add(kindOf(moment));
    const seldom = turns.toSorted((a, b) => count(a) - count(b));
    // How often the lock is renewed, and looks are repeated, differs from world to world; other calls come to pass in all of them.
    const sure = state.filter((one) => one.changes && !isRenewal(one));
    const once = state.filter((one) => !one.call.includes("/records/lock") && one.turn === 1);
    const [moment = expect.fail("a state without a moment")] = [sure, once, state].flatMap((some) =>
      seldom.flatMap((wanted) => some.filter(({ at }) => at === wanted)),
    );
    chosen.push(moment);
  }
  return chosen;
}

/** Runs a command and kills it at a moment; gives whether that came. */
export function killedAt(
  standIn: StandIn,
  command: Command,
  one: Operator,
  { at, call, turn }: Moment,
): Promise<boolean> {
  return killedWhen(standIn, command, one, (now) => now.at === at && now.call === call && now.turn === turn);
}

/** The same at a kind of call, which must come: `cloudformation:ExecuteChangeSet`, the first of its name or a later one. */
export async function killedAtKind(
  standIn: StandIn,
  command: Command,
  one: Operator,
  { at, kind, turn = 1 }: Pick<Moment, "at"> & { readonly kind: string; readonly turn?: number },
): Promise<void> {
  const isIt = (now: Moment): boolean => now.at === at && kindOf(now) === kind && now.turn === turn;
  if (!(await killedWhen(standIn, command, one, isIt))) throw new Error(`it ended without ${kind}`);
}

/** None of its requests is answered any more, none of its sleeps ends. */
async function killedWhen(
  standIn: StandIn,
  command: Command,
  one: Operator,
  isIt: (moment: Moment) => boolean,
): Promise<boolean> {
  let there = false;
  const dead = new Promise<void>((resolve) => {
    hear(standIn, one, (moment) => {
      if (!isIt(moment)) return;
      there = true;
      one.client.kill();
      resolve();
    });
  });
  await Promise.race([dead, command(one)]);
  standIn.onRequest = undefined;
  return there;
}
