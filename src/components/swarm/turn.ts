import type { RecordValue } from "../../records/table.ts";
import { act, type Next, type Seen } from "../reconciler.ts";
import { standing, type Roster } from "../roster.ts";
import type { LocalSwarm } from "./local.ts";

/**
 * Managers enter one at a time. An engine that is killed while it joins comes back only when the managers have a
 * leader, and it is counted by them already: with one full manager and one that was killed half-way there is no leader
 * and never will be. As long as no second manager has been full (`grown`), all that was ever agreed lies with the
 * `first`; it alone may then make the swarm anew from its own data, and who stood half-way leaves and enters again.
 */
export type SwarmTurn = Omit<RecordValue<"swarmTurn">, "nonce">;

export type TurnAct =
  /** Write the record anew (only `over` what was seen): this manager is the only one, or the record was lost. */
  | { readonly kind: "begin"; readonly over: SwarmTurn | undefined; readonly turn: SwarmTurn }
  /** Put-if-unchanged: my turn to become a manager, after `from`, whose turn it was and who is gone. */
  | { readonly kind: "takeTurn"; readonly from: string | undefined }
  /** My turn is over: I am a full manager; or, as the first, the only one. */
  | { readonly kind: "endTurn" }
  /** First take the turn, whoever has it (only while not grown and first), then `swarm init --force-new-cluster`. */
  | { readonly kind: "makeWhole" }
  /** `swarm leave --force`. */
  | { readonly kind: "leave"; readonly why: string };

export type TurnView = {
  readonly me: { readonly instance: string; readonly role: "control" | "worker" };
  readonly roster: Seen<Roster>;
  /** Workers cannot read it and pass `unknown`. */
  readonly turn: Seen<SwarmTurn | undefined>;
  readonly local: Seen<LocalSwarm>;
  /** Without a leader for longer than managers that all run need to elect one. */
  readonly leaderless: boolean;
};

/** Where an instance stands that is to become a manager. */
export type Place =
  | { readonly kind: "mine" }
  | { readonly kind: "free"; readonly take: TurnAct & { readonly kind: "takeTurn" } }
  | { readonly kind: "taken"; readonly why: string };

/** Whether `instance` may become a manager now; pure. */
export function placeOf(instance: string, turn: Seen<SwarmTurn | undefined>, roster: Seen<Roster>): Place {
  const taken = (why: string): Place => ({ kind: "taken", why });
  if (turn.kind === "unknown") return taken(`cannot read whose turn it is to become a manager: ${turn.why}`);
  if (turn.value === undefined) return taken("the swarm's first manager has not written its record yet");
  const { joining, grown } = turn.value;
  if (joining === instance) return { kind: "mine" };
  if (joining !== undefined) {
    if (standing(roster, joining) !== "gone") return taken(`${joining} becomes a manager first`);
    // The dead may be counted already: only the first can tell, or make sure.
    if (!grown) return taken(`${joining} is gone; the first manager puts the swarm right`);
  }
  return { kind: "free", take: { kind: "takeTurn", from: joining } };
}

/** What a manager with a leader has to write or to wait for before it counts itself in; `undefined`: nothing. */
export function turnOfManager(view: TurnView, sole: boolean): Next<TurnAct> | undefined {
  const { me, roster, turn } = view;
  // What cannot be read is not replaced.
  if (turn.kind === "unknown") return undefined;
  const now = turn.value;
  const first = me.instance;
  if (now === undefined) return act({ kind: "begin", over: now, turn: { first, grown: !sole, full: [] } });
  // Whoever began to make the swarm whole goes through with it: the one that stood half-way may have left already.
  if (now.first === first && now.joining === first && !sole && !now.grown) return act({ kind: "makeWhole" });
  if (now.joining === first) return act({ kind: "endTurn" });
  if (sole) {
    const joining = now.joining !== undefined && standing(roster, now.joining) === "gone" ? undefined : now.joining;
    if (now.first === first && !now.grown && joining === now.joining) return undefined;
    const rest = joining === undefined ? {} : { joining };
    return act({ kind: "begin", over: now, turn: { first, grown: false, full: [], ...rest } });
  }
  if (counted(now, first)) return undefined;
  const place = placeOf(first, turn, roster);
  return place.kind === "free" ? act(place.take) : undefined;
}

/** Whether this instance is a manager that nobody may go on without. */
export function counted(turn: SwarmTurn, instance: string): boolean {
  return turn.first === instance || turn.full.includes(instance);
}

/** For an engine that is neither out of the swarm nor well in it; `undefined`: nothing but waiting. */
export function turnOfStuck({ me, turn, local, leaderless }: TurnView, joined: boolean): Next<TurnAct> | undefined {
  if (me.role !== "control" || turn.kind === "unknown" || turn.value === undefined) return undefined;
  const now = turn.value;
  if (now.first !== me.instance) {
    if (joined || counted(now, me.instance)) return undefined;
    // Its turn was taken from it: the swarm was made whole without this one, or will be.
    if (now.joining !== me.instance) return act({ kind: "leave", why: `${now.first} made the swarm whole without it` });
    // It took its turn again in a swarm that was made whole without it.
    return leaderless && !now.grown ? act({ kind: "leave", why: "nobody lets it in" }) : undefined;
  }
  const manages =
    local.kind === "seen" &&
    (local.value.kind === "manager" || (local.value.kind === "pending" && local.value.manages));
  return manages && leaderless && !now.grown ? act({ kind: "makeWhole" }) : undefined;
}

/** The record after an act, from what it is now; `undefined`: it stays, because the act came too late. Pure: the model runs it too. */
export function turned(
  now: SwarmTurn | undefined,
  done: Exclude<TurnAct, { kind: "leave" }>,
  me: string,
): SwarmTurn | undefined {
  if (done.kind === "begin") return same(now, done.over) ? done.turn : undefined;
  if (now === undefined) return undefined;
  const { joining, ...rest } = now;
  switch (done.kind) {
    case "takeTurn":
      return joining === done.from ? { ...now, joining: me } : undefined;
    case "endTurn":
      if (joining !== me) return undefined;
      return now.first === me ? rest : { ...rest, grown: true, full: [...now.full, me] };
    case "makeWhole":
      return now.first === me && !now.grown ? { ...now, joining: me } : undefined;
  }
}

function same(one: SwarmTurn | undefined, two: SwarmTurn | undefined): boolean {
  return (
    one?.first === two?.first &&
    one?.grown === two?.grown &&
    one?.joining === two?.joining &&
    one?.full.join() === two?.full.join()
  );
}
