import { quorumOf } from "../../src/components/quorum.ts";
import { seen, unknown, type Seen } from "../../src/components/reconciler.ts";
import type { FormAct, FormView } from "../../src/components/swarm/form.ts";
import type { LocalSwarm } from "../../src/components/swarm/local.ts";
import type { Roster } from "../../src/components/roster.ts";
import type { SwarmTurn } from "../../src/components/swarm/turn.ts";

export type Slot = {
  readonly role: "control" | "worker";
  /** `-`: not there yet. `asleep`: gone by the roster, but it wakes. */
  readonly state: "-" | "present" | "asleep" | "gone";
  /** The swarm that the engine is in; 0: none. */
  readonly swarm: number;
  /**
   * How far a control node has come in it. `half`: the managers count it, it is being let in; `torn`: it was killed then
   * and needs a leader to go on; `stale`: it is in a swarm that was made whole without it; `lame`: it was killed while it
   * made the swarm, and lets nobody in.
   */
  readonly stage: "worker" | "half" | "torn" | "full" | "stale" | "lame";
  readonly mark: number;
  /** Reached by no other node, … */
  readonly cut: boolean;
  /** … but it reaches the store. */
  readonly apart: boolean;
};
export type SwarmWorldState = {
  readonly slots: readonly Slot[];
  readonly claim: { readonly at: number; readonly epoch: number; readonly swarm: number } | undefined;
  readonly cluster: { readonly swarm: number; readonly at: number; readonly epoch: number } | undefined;
  readonly turn: SwarmTurn | undefined;
  readonly tokens: { readonly swarm: number; readonly at: readonly number[] } | undefined;
  /** Managers that a swarm still counts although they are not in it any more, by swarm. */
  readonly dead: readonly number[];
  readonly storeLost: boolean;
  readonly pending: { readonly at: number; readonly act: FormAct } | undefined;
};

export const instance = (at: number): string => `i${at}`;
export const address = (at: number): string => `10.0.0.${at}`;

const states = { "-": 0, present: 1, asleep: 2, gone: 3 };
const stages = { worker: "0", half: "1", torn: "2", full: "3", stale: "4", lame: "5" };

/** Four numbers below 16 in one character: millions of keys are made and compared. */
function small(a: number, b: number, c: number, d: number): string {
  if (a > 15 || b > 15 || c > 15 || d > 15) throw new Error(`no room in a key for ${[a, b, c, d].join(", ")}`);
  return String.fromCharCode(a | (b << 4) | (c << 8) | (d << 12));
}

function slotKey({ role, state, swarm, stage, mark, cut, apart }: Slot): string {
  const flags = +(role === "control") | (+cut << 1) | (+apart << 2);
  return small(flags, states[state], swarm, mark) + stages[stage];
}

/** Which instances, as bits: in what order they are named makes no difference. */
function setKey(instances: readonly string[]): string {
  let bits = 0;
  for (const id of instances) bits |= 1 << Number(id.slice(1));
  return String.fromCharCode(bits);
}

export function key(state: SwarmWorldState): string {
  const { claim, cluster, turn, tokens, pending, dead } = state;
  let text = state.storeLost ? "lost" : "";
  for (const slot of state.slots) text += slotKey(slot);
  text += "|";
  if (claim !== undefined) text += small(claim.at, claim.epoch, claim.swarm, 0);
  text += "|";
  if (cluster !== undefined) text += small(cluster.at, cluster.epoch, cluster.swarm, 0);
  text += "|";
  if (turn !== undefined)
    text +=
      setKey([turn.first]) +
      (+turn.grown + 2 * +turn.whole + 4 * +(turn.careful === true)) +
      setKey(turn.full) +
      setKey(turn.joining);
  text += "|";
  if (tokens !== undefined) text += `${tokens.swarm}/${tokens.at.join()}`;
  text += "|";
  for (const count of dead) text += small(count, 0, 0, 0);
  return pending === undefined ? text : `${text}|${pendingKey(pending)}`;
}

/** By the decision itself: many states wait for the same one. */
const pendingKeys = new WeakMap<object, string>();
function pendingKey(pending: NonNullable<SwarmWorldState["pending"]>): string {
  let text = pendingKeys.get(pending);
  if (text === undefined) pendingKeys.set(pending, (text = JSON.stringify(pending)));
  return text;
}

export function slotOf(state: SwarmWorldState, at: number): Slot {
  const slot = state.slots[at];
  if (slot === undefined) throw new Error(`no slot ${at}`);
  return slot;
}

export function put(state: SwarmWorldState, at: number, fields: Partial<Slot>): SwarmWorldState {
  return { ...state, slots: state.slots.with(at, { ...slotOf(state, at), ...fields }) };
}

export function runs(slot: Slot): boolean {
  return slot.state === "present" || slot.state === "asleep";
}

/** Those that a swarm's managers count, alive and not gone from it. */
export function managers(state: SwarmWorldState, swarm: number): readonly number[] {
  const found: number[] = [];
  for (const [at, slot] of state.slots.entries()) if (counts(slot, swarm)) found.push(at);
  return found;
}

/** Whether it does not reach the store. */
export function blind({ cut, apart }: Slot): boolean {
  return cut && !apart;
}

function counts(slot: Slot, swarm: number): boolean {
  return slot.swarm === swarm && counted(slot) && runs(slot);
}

function counted({ role, stage }: Slot): boolean {
  return role === "control" && stage !== "worker" && stage !== "stale";
}

/** How many votes a swarm has, the dead's with them. */
export function votes(state: SwarmWorldState, swarm: number): number {
  let alive = 0;
  for (const slot of state.slots) if (counts(slot, swarm)) alive++;
  return alive + (state.dead[swarm] ?? 0);
}

/** One that is cut off has quorum only when it is alone. */
export function hasQuorum(state: SwarmWorldState, swarm: number, from?: number): boolean {
  if (swarm <= 0) return false;
  let reachable = 0;
  if (from !== undefined && slotOf(state, from).cut) reachable = 1;
  else for (const slot of state.slots) if (counts(slot, swarm) && !slot.cut && slot.stage !== "torn") reachable++;
  return reachable >= quorumOf(votes(state, swarm));
}

export function died(state: SwarmWorldState, swarm: number, by: number): SwarmWorldState {
  const dead = [...state.dead];
  while (dead.length <= swarm) dead.push(0);
  dead[swarm] = (dead[swarm] ?? 0) + by;
  return { ...state, dead };
}

/** Whether someone can let nodes into a swarm. */
export function letsIn(state: SwarmWorldState, swarm: number): boolean {
  return hasQuorum(state, swarm) && managers(state, swarm).every((at) => slotOf(state, at).stage !== "lame");
}

/** The instance's swarm state goes; the managers that counted it go on counting it. */
export function drop(state: SwarmWorldState, at: number, fields: Partial<Slot>): SwarmWorldState {
  const slot = slotOf(state, at);
  const left = put(state, at, { swarm: 0, stage: "worker", ...fields });
  return slot.swarm > 0 && counted(slot) ? died(left, slot.swarm, 1) : left;
}

let last: { readonly slots: SwarmWorldState["slots"]; readonly roster: Roster } | undefined;
/** Every node of a state asks for it, one after the other. */
export function rosterNow({ slots }: SwarmWorldState): Roster {
  if (last?.slots !== slots) last = { slots, roster: rosterOf(slots) };
  return last.roster;
}

function rosterOf(slots: SwarmWorldState["slots"]): Roster {
  return slots.flatMap((slot, other) =>
    slot.state === "-"
      ? []
      : [
          {
            instance: instance(other),
            node: `n${other}`,
            group: slot.role,
            role: slot.role,
            address: address(other),
            state: slot.state === "present" ? ("present" as const) : ("gone" as const),
          },
        ],
  );
}

function localOf(state: SwarmWorldState, at: number): LocalSwarm {
  const me = slotOf(state, at);
  const nodeId = `${at}`;
  if (me.swarm === 0) return { kind: "inactive" };
  if (me.role === "worker" || me.stage === "worker") return { kind: "worker", nodeId };
  if (me.stage === "half") return { kind: "pending", manages: true };
  if (me.stage === "torn") return { kind: "error", text: "failed to rejoin cluster" };
  if (me.stage === "stale" || !hasQuorum(state, me.swarm, at)) return { kind: "manager", nodeId, state: undefined };
  const reachable = managers(state, me.swarm).filter(
    (manager) => manager === at || (!me.cut && !slotOf(state, manager).cut && slotOf(state, manager).stage === "full"),
  );
  return {
    kind: "manager",
    nodeId,
    state: {
      clusterId: `s${me.swarm}`,
      made: me.stage !== "lame",
      managerToken: `t${me.swarm}`,
      workerToken: `t${me.swarm}`,
      managers: reachable.map((manager) => `${address(manager)}:2377`),
      sole: votes(state, me.swarm) === 1,
    },
  };
}

/** `patient`: the time has not come yet when an engine without a leader is given up. */
export function viewOf(state: SwarmWorldState, at: number, patient = false): FormView {
  const me = slotOf(state, at);
  const store = <T>(value: T): Seen<T> => (blind(me) ? unknown("cut off") : seen(value));
  const managed = <T>(value: T): Seen<T> => (me.role === "worker" ? unknown("not for workers") : store(value));
  const { claim, cluster, turn, tokens } = state;
  const token = tokens && {
    token: `t${tokens.swarm}`,
    addresses: tokens.at.map((manager) => `${address(manager)}:2377`).toSorted(),
  };
  const local = localOf(state, at);
  return {
    me: { instance: instance(at), address: address(at), role: me.role, generation: "g" },
    generation: store("open"),
    roster: managed(rosterNow(state)),
    claim: managed(
      claim && {
        instance: instance(claim.at),
        epoch: claim.epoch,
        ...(claim.swarm > 0 ? { clusterId: `s${claim.swarm}` } : {}),
      },
    ),
    cluster: store(
      cluster && {
        clusterId: `s${cluster.swarm}`,
        instance: instance(cluster.at),
        epoch: cluster.epoch,
      },
    ),
    token: store(token),
    workerToken: store(token),
    turn: managed(turn),
    local: seen(local),
    leaderless: !patient && local.kind === "manager" && local.state === undefined,
    mark: seen(me.mark === 0 ? undefined : { generation: "g", clusterId: `s${me.mark}` }),
  };
}
