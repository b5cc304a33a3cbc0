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

export function key(state: SwarmWorldState): string {
  const { claim, cluster, turn, tokens, pending } = state;
  const slots = state.slots.map(
    (slot) =>
      `${slot.role[0]}${slot.state[0]}${slot.state[1] ?? ""}${slot.swarm}${slot.stage[0]}${slot.stage[1]}${slot.mark}${+slot.cut}${+slot.apart}`,
  );
  return [
    ...slots,
    claim && `${claim.at}/${claim.epoch}/${claim.swarm}`,
    cluster && `${cluster.swarm}/${cluster.at}/${cluster.epoch}`,
    turn &&
      `${turn.first}/${+turn.grown}${+turn.whole}/${turn.full.toSorted().join()}/${turn.joining.toSorted().join()}`,
    tokens && `${tokens.swarm}/${tokens.at.join()}`,
    state.dead.join(),
    +state.storeLost,
    pending && JSON.stringify(pending),
  ].join("|");
}

export function slotOf(state: SwarmWorldState, at: number): Slot {
  const slot = state.slots[at];
  if (slot === undefined) throw new Error(`no slot ${at}`);
  return slot;
}

export function put(state: SwarmWorldState, at: number, fields: Partial<Slot>): SwarmWorldState {
  return {
    ...state,
    slots: state.slots.map((slot, index) => (index === at ? { ...slot, ...fields } : slot)),
  };
}

export function runs(slot: Slot): boolean {
  return slot.state === "present" || slot.state === "asleep";
}

/** Those that a swarm's managers count, alive and not gone from it. */
export function managers(state: SwarmWorldState, swarm: number): readonly number[] {
  return state.slots.flatMap((slot, at) => (counted(slot) && runs(slot) && slot.swarm === swarm ? [at] : []));
}

/** Whether it does not reach the store. */
export function blind({ cut, apart }: Slot): boolean {
  return cut && !apart;
}

function counted({ role, stage }: Slot): boolean {
  return role === "control" && stage !== "worker" && stage !== "stale";
}

/** How many votes a swarm has, the dead's with them. */
export function votes(state: SwarmWorldState, swarm: number): number {
  return managers(state, swarm).length + (state.dead[swarm] ?? 0);
}

/** One that is cut off has quorum only when it is alone. */
export function hasQuorum(state: SwarmWorldState, swarm: number, from?: number): boolean {
  const reachable =
    from !== undefined && slotOf(state, from).cut
      ? 1
      : managers(state, swarm).filter((at) => !slotOf(state, at).cut && slotOf(state, at).stage !== "torn").length;
  return swarm > 0 && reachable >= quorumOf(votes(state, swarm));
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

export function rosterNow(state: SwarmWorldState): Roster {
  return state.slots.flatMap((slot, other) =>
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
