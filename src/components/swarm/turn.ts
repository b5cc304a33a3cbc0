import type { RecordValue } from "../../records/table.ts";
import { act, wait, type Next, type Seen } from "../reconciler.ts";
import { standing, type Roster } from "../roster.ts";

/**
 * Whose turn it is to become a manager. An engine that is killed while it becomes one comes back only when the managers
 * have a leader, and is counted by them already; so at any time there are too few half-way to cost the full ones their
 * majority. Only the `first` begins alone: as long as no second manager has been full (`grown`), all that was ever
 * agreed lies with it, and it may make the swarm anew from its own data, once everyone half-way has left (`whole`).
 */
export type SwarmTurn = Omit<RecordValue<"swarmTurn">, "nonce">;

export type TurnAct =
  /** Write the record anew (only `over` what was seen): this manager is the only one, or the record was lost. */
  | { readonly kind: "begin"; readonly over: SwarmTurn | undefined; readonly turn: SwarmTurn }
  /** Join those whose turn it is, while there are fewer than there is room for. */
  | { readonly kind: "takeTurn"; readonly room: number }
  /** My turn is over: I am a full manager. */
  | { readonly kind: "endTurn" }
  /** My turn is over: I have left, because the first makes the swarm whole. */
  | { readonly kind: "giveTurn" }
  /** As the leader: those that are gone from the roster, and from the managers, have no turn any more. */
  | { readonly kind: "clearTurns"; readonly gone: readonly string[] }
  /** As the first: from now on nobody becomes full, and who is half-way leaves. */
  | { readonly kind: "decideWhole" }
  /** As the first, when nobody is half-way any more: `swarm init --force-new-cluster`. */
  | { readonly kind: "makeWhole" }
  /** As the first, when the swarm is whole: others may enter again. */
  | { readonly kind: "endWhole" }
  /** `swarm leave --force`. */
  | { readonly kind: "leave"; readonly why: string };

/** What is done to the record alone. */
export type TurnWrite = Exclude<TurnAct, { kind: "leave" | "makeWhole" }>;

export type TurnView = {
  readonly me: { readonly instance: string; readonly role: "control" | "worker" };
  readonly roster: Seen<Roster>;
  /** Workers cannot read it and pass `unknown`. */
  readonly turn: Seen<SwarmTurn | undefined>;
  /** Its engine manages, without a leader for longer than managers that all run need to elect one. */
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
  if (roster.kind === "unknown") return taken(`cannot read the roster: ${roster.why}`);
  const { first, full, grown, joining, whole, careful } = turn.value;
  if (whole) return taken(`${first} makes the swarm whole first`);
  if (joining.includes(instance)) return { kind: "mine" };
  // One less than are full; the first alone risks nothing by two: it can make the swarm whole. Where it had to, two that come
  // at once have cost each other the leader, and would again.
  const alone = careful === true ? 1 : 2;
  const room = grown ? [first, ...full].filter((other) => standing(roster, other) !== "gone").length - 1 : alone;
  // Also the dead keep their place: the managers may count them until the leader has put them out.
  return joining.length < room
    ? { kind: "free", take: { kind: "takeTurn", room } }
    : taken(`${joining.length === 0 ? "too few managers are full" : `${joining.join(" and ")} become managers first`}`);
}

/** Who has a turn and is gone. */
export function goneTurns(turn: Seen<SwarmTurn | undefined>, roster: Seen<Roster>): readonly string[] {
  const joining = turn.kind === "seen" ? (turn.value?.joining ?? []) : [];
  return joining.filter((instance) => standing(roster, instance) === "gone");
}

/** What an instance does that is in no swarm, before it asks to be let in; `undefined`: it is its turn. */
export function turnOfOutside({ me, roster, turn }: TurnView): Next<TurnAct> | undefined {
  const place = placeOf(me.instance, turn, roster);
  if (place.kind === "taken") return wait(place.why);
  return place.kind === "free" ? act(place.take) : undefined;
}

/** What an instance does first that is in no swarm (any more). */
export function turnToGive(view: TurnView): Next<TurnAct> | undefined {
  return mustLeave(view) ? act({ kind: "giveTurn" }) : undefined;
}

/** What a manager with a leader has to write or to wait for before it counts itself in; `undefined`: nothing. */
export function turnOfManager(
  { me, roster, turn }: TurnView,
  { sole, joined }: { readonly sole: boolean; readonly joined: boolean },
): Next<TurnAct> | undefined {
  // What cannot be read is not replaced.
  if (turn.kind === "unknown") return undefined;
  const now = turn.value;
  const first = me.instance;
  const anew = { first, full: [], whole: false };
  if (now === undefined) return act({ kind: "begin", over: now, turn: { ...anew, grown: !sole, joining: [] } });
  if (now.whole) {
    if (now.first !== first) return joined ? undefined : leaveTo(now);
    return sole ? act({ kind: "endWhole" }) : wholeNext(now, roster);
  }
  if (sole) {
    const joining = now.joining.filter((instance) => instance !== first && standing(roster, instance) !== "gone");
    if (now.first === first && !now.grown && joining.length === now.joining.length) return undefined;
    const careful = now.first === first && now.careful === true ? { careful: true } : {};
    return act({ kind: "begin", over: now, turn: { ...anew, ...careful, grown: false, joining } });
  }
  if (counted(now, first)) return undefined;
  if (now.joining.includes(first)) return act({ kind: "endTurn" });
  const place = placeOf(first, turn, roster);
  return place.kind === "free" ? act(place.take) : undefined;
}

/** For a control instance that is a worker of the swarm: it may have been promoted without knowing it yet. */
export function turnOfWorker({ me, turn }: TurnView): Next<TurnAct> | undefined {
  const now = turn.kind === "seen" ? turn.value : undefined;
  return now !== undefined && mustLeave({ me, turn }) ? leaveTo(now) : undefined;
}

/** The swarm is made whole, or was, without this one. */
function leaveTo({ first }: SwarmTurn): Next<TurnAct> {
  return act({ kind: "leave", why: `${first} makes the swarm whole without it` });
}

/** Whether this instance is a manager that nobody may go on without. */
export function counted(turn: SwarmTurn, instance: string): boolean {
  return turn.first === instance || turn.full.includes(instance);
}

/** For an engine that is neither out of the swarm nor well in it; `undefined`: nothing but waiting. */
export function turnOfStuck({ me, roster, turn, leaderless }: TurnView, joined: boolean): Next<TurnAct> | undefined {
  if (me.role !== "control" || turn.kind === "unknown" || turn.value === undefined) return undefined;
  const now = turn.value;
  if (now.first !== me.instance) {
    if (joined || counted(now, me.instance)) return undefined;
    return now.whole || !now.joining.includes(me.instance) ? leaveTo(now) : undefined;
  }
  if (now.grown || standing(roster, me.instance) !== "present") return undefined;
  if (now.whole) return wholeNext(now, roster);
  return leaderless ? act({ kind: "decideWhole" }) : undefined;
}

/** Who stood half-way has to say that it has left, or to be gone: it cannot have become full behind the first one's back. */
function wholeNext({ joining }: SwarmTurn, roster: Seen<Roster>): Next<TurnAct> {
  const there = joining.filter((instance) => standing(roster, instance) !== "gone");
  return there.length === 0
    ? act({ kind: "makeWhole" })
    : wait(`the swarm is made whole when ${there.join(" and ")} left it`);
}

/** The record after an act, from what it is now; `undefined`: it stays, because the act came too late. Pure: the model runs it too. */
export function turned(now: SwarmTurn | undefined, done: TurnWrite, me: string): SwarmTurn | undefined {
  if (done.kind === "begin") return same(now, done.over) ? done.turn : undefined;
  if (now === undefined) return undefined;
  const { joining, whole, grown, first } = now;
  const mine = joining.includes(me);
  const others = joining.filter((instance) => instance !== me);
  switch (done.kind) {
    case "takeTurn":
      return !mine && !whole && joining.length < done.room ? { ...now, joining: [...joining, me] } : undefined;
    case "endTurn":
      return mine && !whole ? { ...now, grown: true, full: [...now.full, me], joining: others } : undefined;
    case "giveTurn":
      return mine && whole ? { ...now, joining: others } : undefined;
    case "clearTurns":
      return joining.some((instance) => done.gone.includes(instance))
        ? { ...now, joining: joining.filter((instance) => !done.gone.includes(instance)) }
        : undefined;
    case "decideWhole":
      return first === me && !grown && !whole ? { ...now, whole: true, careful: true } : undefined;
    case "endWhole":
      return first === me && whole ? { ...now, whole: false, joining: [] } : undefined;
  }
}

/** Whether the first makes the swarm whole and waits for this instance to have left it. */
export function mustLeave({ me, turn }: Pick<TurnView, "me" | "turn">): boolean {
  return turn.kind === "seen" && turn.value?.whole === true && turn.value.joining.includes(me.instance);
}

function same(one: SwarmTurn | undefined, two: SwarmTurn | undefined): boolean {
  const text = (turn: SwarmTurn | undefined): string =>
    turn === undefined
      ? ""
      : JSON.stringify([turn.first, turn.grown, turn.whole, turn.careful, turn.full, turn.joining]);
  return text(one) === text(two);
}
