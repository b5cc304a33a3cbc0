import { quorumOf } from "../../src/components/quorum.ts";
import { seen } from "../../src/components/reconciler.ts";
import type { formNext, FormAct } from "../../src/components/swarm/form.ts";
import { goneTurns, placeOf, turned as turnedNow } from "../../src/components/swarm/turn.ts";
import type { Move, World } from "./explore.ts";
import {
  type SwarmWorldState,
  instance,
  address,
  blind,
  key,
  slotOf,
  put,
  runs,
  managers,
  hasQuorum,
  letsIn,
  died,
  drop,
  rosterNow,
  viewOf,
  votes,
} from "./swarm-state.ts";

export type SwarmFaults = {
  /** The roster says that the instance is gone, and it is. */
  readonly vanish?: boolean;
  /** The roster says so, but it only slept: it wakes and goes on. */
  readonly sleep?: boolean;
  /** The engine's swarm state is lost; the agent's mark stays. */
  readonly lose?: boolean;
  /** Who is being let in as a manager is killed, or who lets it in. */
  readonly tear?: boolean;
  /** Cut off from all others, with the store or without it, and back (one at a time). */
  readonly partition?: boolean;
  /** One decision is carried out late. */
  readonly late?: boolean;
  /** The store forgets everything but the generation and the roster. */
  readonly storeLost?: boolean;
};
export type SwarmSize = {
  readonly slots: number;
  readonly spares: number;
  readonly workers?: number;
  readonly faults: SwarmFaults;
};

export type Form = typeof formNext;

/** What is decided, and what becomes of the record: one of them with a mistake in the tests of mistakes. */
export type Rules = { readonly formNext: Form; readonly turned: typeof turnedNow };

export function swarmWorld(size: SwarmSize, rules: Rules): World<SwarmWorldState> {
  const control = size.slots + size.spares;
  const { vanish, sleep, lose, storeLost } = size.faults;
  const harmless = ![vanish, sleep, lose, storeLost].includes(true);
  return {
    start: {
      slots: Array.from({ length: control + (size.workers ?? 0) }, (_, at) => ({
        role: at < control ? "control" : "worker",
        state: at >= size.slots && at < control ? "-" : "present",
        swarm: 0,
        stage: "worker",
        mark: 0,
        cut: false,
        apart: false,
      })),
      claim: undefined,
      cluster: undefined,
      turn: undefined,
      tokens: undefined,
      dead: [],
      storeLost: false,
      pending: undefined,
    },
    key,
    moves: (state, costly) => moves(size, rules, state, costly),
    heal: (state) => ({
      ...state,
      pending: undefined,
      slots: state.slots.map((slot) => (slot.cut ? { ...slot, cut: false, apart: false } : slot)),
    }),
    calm: (state) => calm(rules, state),
    judge: (state) => judge(rules.formNext, state, harmless),
  };
}

type Done = { readonly state: SwarmWorldState; readonly broken?: string };

function perform({ turned }: Rules, state: SwarmWorldState, at: number, act: FormAct): Done {
  const me = slotOf(state, at);
  const needsStore = !["init", "leave", "makeWhole", "recordJoined"].includes(act.kind);
  if (blind(me) && needsStore) return { state };
  switch (act.kind) {
    case "claim":
      return {
        state: state.claim === undefined ? { ...state, claim: { at, epoch: act.epoch, swarm: 0 } } : state,
      };
    case "takeOver": {
      if (
        state.claim === undefined ||
        instance(state.claim.at) !== act.from ||
        state.claim.epoch !== act.epoch - 1 ||
        state.claim.swarm > 0
      )
        return { state };
      const taken = { ...state, claim: { at, epoch: act.epoch, swarm: 0 } };
      return slotOf(state, state.claim.at).state === "present"
        ? { state: taken, broken: "the claim of one that lives is taken over" }
        : { state: taken };
    }
    case "init": {
      if (me.swarm !== 0) return { state };
      const swarm =
        Math.max(
          0,
          state.dead.length - 1,
          ...state.slots.map((slot) => Math.max(slot.swarm, slot.mark)),
          state.cluster?.swarm ?? 0,
        ) + 1;
      const made = died(put(state, at, { swarm, stage: "full" }), swarm, 0);
      // A node that never joined cannot tell an empty store from a new one: there the order of reconcilers protects (etcd first).
      const knows = me.mark > 0 || (joinedSwarms(state).size > 0 && !state.storeLost);
      return knows ? { state: made, broken: "a second swarm is made beside the one that was joined" } : { state: made };
    }
    case "publish": {
      const swarm = Number(act.clusterId.slice(1));
      const { claim } = sealed(state, at, act);
      if (claim?.swarm !== swarm) return { state };
      const lost = !state.storeLost && [...joinedSwarms(state)].some((other) => other !== swarm);
      return {
        state: { ...state, claim, cluster: { swarm, at, epoch: act.epoch } },
        ...(lost ? { broken: "another swarm is published beside one that was joined" } : {}),
      };
    }
    case "recordJoined": {
      const mark = Number(act.clusterId.slice(1));
      const others = joinedSwarms(put(state, at, { mark: 0 }));
      const two =
        (me.mark > 0 && me.mark !== mark) || (!state.storeLost && [...others].some((other) => other !== mark));
      return {
        state: put(state, at, { mark }),
        ...(two ? { broken: "two swarms are joined" } : {}),
      };
    }
    case "publishTokens":
      return {
        state: {
          ...state,
          tokens: {
            swarm: Number(act.manager.token.slice(1)),
            at: managers(state, me.swarm).filter((manager) => !slotOf(state, manager).cut),
          },
        },
      };
    case "join": {
      const swarm = Number(act.token.slice(1));
      const reached = act.remotes.some((remote) =>
        managers(state, swarm).some((manager) => manager !== at && remote === `${address(manager)}:2377`),
      );
      if (me.swarm !== 0 || !reached || !letsIn(state, swarm)) return { state };
      // Where another control instance is gone it comes as a worker and is promoted.
      const worker =
        me.role === "worker" || rosterNow(state).some((entry) => entry.role === "control" && entry.state === "gone");
      return { state: put(state, at, { swarm, stage: worker ? "worker" : "half" }) };
    }
    case "begin":
    case "takeTurn":
    case "endTurn":
    case "giveTurn":
    case "decideWhole":
    case "endWhole":
    case "clearTurns": {
      const turn = turned(state.turn, act, instance(at));
      return { state: turn === undefined ? state : { ...state, turn } };
    }
    case "makeWhole": {
      if (me.swarm === 0) return { state };
      const others = managers(state, me.swarm).filter((other) => other !== at);
      const made: SwarmWorldState = {
        ...state,
        slots: state.slots.map((slot, other) => (others.includes(other) ? { ...slot, stage: "stale" } : slot)),
        dead: state.dead.map((dead, swarm) => (swarm === me.swarm ? 0 : dead)),
      };
      if (me.stage !== "full") return { state: made, broken: "made whole from one that was never full" };
      return others.length >= quorumOf(votes(state, me.swarm))
        ? { state: made, broken: "made whole beside managers that have a quorum" }
        : { state: made };
    }
    case "leave": {
      const left = drop(state, at, {});
      return me.mark === me.swarm && me.mark > 0
        ? { state: left, broken: "one that joined leaves the swarm" }
        : { state: left };
    }
  }
}

/** The first half of publishing: the claim names the swarm. */
function sealed(state: SwarmWorldState, at: number, act: FormAct & { kind: "publish" }): SwarmWorldState {
  const { claim } = state;
  const mine = claim !== undefined && claim.at === at && claim.epoch === act.epoch && claim.swarm === 0;
  return mine && !blind(slotOf(state, at))
    ? { ...state, claim: { ...claim, swarm: Number(act.clusterId.slice(1)) } }
    : state;
}

/** Swarms that someone has recorded as the cluster's. */
function joinedSwarms(state: SwarmWorldState): ReadonlySet<number> {
  return new Set(state.slots.filter((slot) => slot.mark > 0 && runs(slot)).map((slot) => slot.mark));
}

function* moves(
  size: SwarmSize,
  rules: Rules,
  state: SwarmWorldState,
  costly: boolean,
): Generator<Move<SwarmWorldState>> {
  const faults: SwarmFaults = costly ? size.faults : { partition: size.faults.partition ?? false };
  for (let at = 0; at < state.slots.length; at++) {
    const slot = slotOf(state, at);
    if (slot.state === "-" && at === state.slots.findIndex((other) => other.state === "-")) {
      yield { name: `${at} is added`, cost: 0, state: put(state, at, { state: "present" }) };
    }
    if (!runs(slot)) continue;
    if (slot.stage === "half" || slot.stage === "torn") {
      if (!slot.cut && letsIn(state, slot.swarm))
        yield { name: `${at} is let in`, cost: 0, state: put(state, at, { stage: "full" }) };
    }
    // Without a leader both are looked at: that it is waited still, and that it has been too long.
    const decisions = state.pending?.at === at ? [] : decide(rules.formNext, state, at);
    for (const decision of decisions) {
      if (decision.kind === "act") {
        yield { name: `${at} ${decision.act.kind}`, cost: 0, ...perform(rules, state, at, decision.act) };
        if (faults.tear === true && decision.act.kind === "init" && slot.swarm === 0) {
          const { state: made } = perform(rules, state, at, decision.act);
          yield { name: `${at} is killed while it makes the swarm`, cost: 1, state: put(made, at, { stage: "lame" }) };
        }
        if (decision.act.kind === "publish")
          yield {
            name: `${at} is killed while it publishes`,
            cost: 0,
            state: sealed(state, at, decision.act),
          };
        if (faults.late === true && state.pending === undefined) {
          yield {
            name: `${at} decides to ${decision.act.kind}`,
            cost: 1,
            state: { ...state, pending: { at, act: decision.act } },
          };
        }
      }
    }
    const free = state.pending?.at === at ? { ...state, pending: undefined } : state;
    if (faults.vanish === true && slot.role === "control")
      yield {
        name: `${at} vanishes`,
        cost: 1,
        state: drop(free, at, { state: "gone", mark: 0, cut: false, apart: false }),
      };
    // One that only sleeps carries on with what it had decided.
    if (faults.sleep === true && slot.state === "present" && slot.role === "control")
      yield { name: `${at} sleeps`, cost: 1, state: put(state, at, { state: "asleep" }) };
    if (faults.lose === true && slot.swarm > 0)
      yield { name: `${at} loses its swarm state`, cost: 1, state: drop(free, at, {}) };
    if (faults.partition === true) {
      if (slot.cut) yield { name: `${at} is back`, cost: 0, state: put(state, at, { cut: false, apart: false }) };
      else if (!state.slots.some((other) => other.cut))
        for (const apart of [false, true])
          yield {
            name: `${at} is cut off${apart ? " but not from the store" : ""}`,
            cost: 0,
            state: put(state, at, { cut: true, apart }),
          };
    }
  }
  if (state.pending !== undefined) {
    const { at, act } = state.pending;
    const { state: after, broken } = perform(rules, { ...state, pending: undefined }, at, act);
    // A late `init` makes a swarm that nobody joins; its maker must leave it, which the calm schedule checks.
    const forgiven = broken === undefined || (act.kind === "init" && slotOf(state, at).mark === 0);
    yield {
      name: `${at} carries out ${act.kind}`,
      cost: 0,
      state: after,
      ...(forgiven ? {} : { broken }),
    };
  }
  if (faults.tear === true && state.slots.some((slot) => slot.stage === "half")) {
    const slots = state.slots.map((slot) => (slot.stage === "half" ? { ...slot, stage: "torn" as const } : slot));
    yield { name: "the managers are killed", cost: 1, state: { ...state, slots } };
  }
  if (faults.storeLost === true && !state.storeLost) {
    yield {
      name: "the store forgets",
      cost: 1,
      state: { ...state, claim: undefined, cluster: undefined, turn: undefined, tokens: undefined, storeLost: true },
    };
  }
  const tended = tend(state);
  if (tended !== undefined) yield { name: "the managers tend the swarm", cost: 0, state: tended };
}

function decide(next: Form, state: SwarmWorldState, at: number): readonly ReturnType<Form>[] {
  const now = viewOf(state, at);
  return now.leaderless ? [next(now), next(viewOf(state, at, true))] : [next(now)];
}

/** What `swarmTendNext` does in any swarm with quorum: dead managers are removed, then one control node is promoted. */
function tend(state: SwarmWorldState): SwarmWorldState | undefined {
  const swarm = state.dead.findIndex((dead, index) => dead > 0 && hasQuorum(state, index));
  if (swarm >= 0) return died(state, swarm, -1);
  // Who only sleeps is put out all the same: the roster's word that an instance is gone needs no second.
  const asleep = state.slots.findIndex((slot, at) => {
    if (slot.state !== "asleep" || !managers(state, slot.swarm).includes(at)) return false;
    const rest = managers(state, slot.swarm).filter(
      (other) => slotOf(state, other).state === "present" && !slotOf(state, other).cut,
    );
    const full = rest.filter((other) => slotOf(state, other).stage === "full");
    return full.length > 0 && full.length >= quorumOf(votes(state, slot.swarm) - 1) && hasQuorum(state, slot.swarm);
  });
  if (asleep >= 0) return put(state, asleep, { stage: "stale" });
  const gone = goneTurns(seen(state.turn), seen(rosterNow(state)));
  if (gone.length > 0 && state.slots.some((slot) => hasQuorum(state, slot.swarm)))
    return { ...state, turn: turnedNow(state.turn, { kind: "clearTurns", gone }, "") };
  for (const [at, slot] of state.slots.entries()) {
    if (slot.role !== "control" || slot.state !== "present" || slot.swarm === 0 || slot.stage !== "worker") continue;
    if (slot.cut || !hasQuorum(state, slot.swarm)) continue;
    const place = placeOf(instance(at), seen(state.turn), seen(rosterNow(state)));
    if (place.kind === "taken") continue;
    const turn = place.kind === "free" ? turnedNow(state.turn, place.take, instance(at)) : state.turn;
    return { ...put(state, at, { stage: "half" }), turn };
  }
  return undefined;
}

function calm(rules: Rules, state: SwarmWorldState): SwarmWorldState | undefined {
  const before = key(state);
  for (let at = 0; at < state.slots.length; at++) {
    if (!runs(slotOf(state, at))) continue;
    const decision = rules.formNext(viewOf(state, at));
    if (decision.kind !== "act") continue;
    const after = perform(rules, state, at, decision.act).state;
    if (key(after) !== before) return after;
  }
  const entering = state.slots.findIndex(
    (slot) => runs(slot) && (slot.stage === "half" || slot.stage === "torn") && letsIn(state, slot.swarm),
  );
  return entering < 0 ? tend(state) : put(state, entering, { stage: "full" });
}

/** `harmless`: no fault of this world takes a manager or its data away, so that nothing can be lost. */
function judge(next: Form, state: SwarmWorldState, harmless: boolean): string | undefined {
  const present = state.slots.flatMap((slot, at) => (slot.state === "present" ? [at] : []));
  const { cluster, claim } = state;
  const published = claim?.swarm ?? 0;
  if (state.slots.some((slot) => slot.stage === "lame" && runs(slot) && slot.swarm === published))
    return `swarm ${published} is published, and lets nobody in`;
  // What lay with nobody but those that the roster calls gone is lost, even while they still run.
  const gone = !state.slots.some(
    (slot) => slot.state === "present" && slot.swarm === published && slot.stage === "full",
  );
  const lost = published > 0 && (gone || (!hasQuorum(state, published) && !mendable(state, published)));
  if (lost && harmless) return "the quorum is lost, and nobody with it";
  if (state.storeLost || lost || !present.some((at) => slotOf(state, at).role === "control")) return undefined;
  if (cluster?.swarm !== published) return `the record says ${cluster?.swarm}, the claim ${published}`;
  const stray = state.slots.findIndex((slot) => runs(slot) && slot.swarm > 0 && slot.swarm !== published);
  if (stray >= 0) return `${stray} never leaves its own swarm, which lost`;
  for (const at of present) {
    const slot = slotOf(state, at);
    const decision = next(viewOf(state, at));
    if (decision.kind !== "settled")
      return `${at} never settles: ${decision.kind === "wait" ? decision.why.text : decision.act.kind}`;
    const stage = slot.role === "control" ? "full" : "worker";
    if (slot.swarm !== published || slot.mark !== published || slot.stage !== stage)
      return `${at} settles ${slot.stage} in swarm ${slot.swarm}, published is ${published}`;
  }
  return undefined;
}

/** The first manager is there with all that was agreed, and no second one was full: there is no excuse for being stuck. */
function mendable({ turn, slots }: SwarmWorldState, published: number): boolean {
  const first = slots.find((slot, at) => instance(at) === turn?.first);
  return turn?.grown === false && first?.state === "present" && first.swarm === published && first.stage === "full";
}
