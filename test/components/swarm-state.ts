import { quorumOf } from "../../src/components/quorum.ts";
import { seen, unknown, type Seen } from "../../src/components/reconciler.ts";
import type { FormAct, FormView } from "../../src/components/swarm/form.ts";

export type Slot = {
  readonly role: "control" | "worker";
  /** `-`: not there yet. `asleep`: gone by the roster, but it wakes. */
  readonly state: "-" | "present" | "asleep" | "gone";
  /** The swarm that the engine is in; 0: none. */
  readonly swarm: number;
  readonly mark: number;
  readonly cut: boolean;
};
export type SwarmWorldState = {
  readonly slots: readonly Slot[];
  readonly claim: { readonly at: number; readonly epoch: number; readonly swarm: number } | undefined;
  readonly cluster: { readonly swarm: number; readonly at: number; readonly epoch: number } | undefined;
  readonly tokens: { readonly swarm: number; readonly at: readonly number[] } | undefined;
  /** Managers that a swarm still counts although they are not in it any more, by swarm. */
  readonly dead: readonly number[];
  readonly storeLost: boolean;
  readonly pending: { readonly at: number; readonly act: FormAct } | undefined;
};

export const instance = (at: number): string => `i${at}`;
export const address = (at: number): string => `10.0.0.${at}`;

export function key(state: SwarmWorldState): string {
  const { claim, cluster, tokens, pending } = state;
  const slots = state.slots.map(
    (slot) => `${slot.role[0]}${slot.state[0]}${slot.state[1] ?? ""}${slot.swarm}${slot.mark}${+slot.cut}`,
  );
  return [
    ...slots,
    claim && `${claim.at}/${claim.epoch}/${claim.swarm}`,
    cluster && `${cluster.swarm}/${cluster.at}/${cluster.epoch}`,
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

export function managers(state: SwarmWorldState, swarm: number): readonly number[] {
  return state.slots.flatMap((slot, at) => (slot.role === "control" && runs(slot) && slot.swarm === swarm ? [at] : []));
}

/** One that is cut off has quorum only when it is alone. */
export function hasQuorum(state: SwarmWorldState, swarm: number, from?: number): boolean {
  const all = managers(state, swarm);
  const total = all.length + (state.dead[swarm] ?? 0);
  const reachable =
    from !== undefined && slotOf(state, from).cut ? 1 : all.filter((at) => !slotOf(state, at).cut).length;
  return swarm > 0 && reachable >= quorumOf(total);
}

export function died(state: SwarmWorldState, swarm: number, by: number): SwarmWorldState {
  const dead = [...state.dead];
  while (dead.length <= swarm) dead.push(0);
  dead[swarm] = (dead[swarm] ?? 0) + by;
  return { ...state, dead };
}

export function drop(state: SwarmWorldState, at: number, fields: Partial<Slot>): SwarmWorldState {
  const { swarm, role } = slotOf(state, at);
  const left = put(state, at, { swarm: 0, ...fields });
  return swarm > 0 && role === "control" ? died(left, swarm, 1) : left;
}

export function viewOf(state: SwarmWorldState, at: number): FormView {
  const me = slotOf(state, at);
  const store = <T>(value: T): Seen<T> => (me.cut ? unknown("cut off") : seen(value));
  const managed = <T>(value: T): Seen<T> => (me.role === "worker" ? unknown("not for workers") : store(value));
  const { claim, cluster, tokens } = state;
  const token = tokens && {
    token: `t${tokens.swarm}`,
    addresses: tokens.at.map((manager) => `${address(manager)}:2377`).toSorted(),
  };
  const quorate = hasQuorum(state, me.swarm, at);
  const reachable = managers(state, me.swarm).filter(
    (manager) => manager === at || (!me.cut && !slotOf(state, manager).cut),
  );
  return {
    me: { instance: instance(at), address: address(at), role: me.role, generation: "g" },
    generation: store("open"),
    roster: managed(
      state.slots.flatMap((slot, other) =>
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
      ),
    ),
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
    local: seen(
      me.swarm === 0
        ? { kind: "inactive" }
        : me.role === "worker"
          ? { kind: "worker", nodeId: `${at}` }
          : {
              kind: "manager",
              nodeId: `${at}`,
              state: quorate
                ? {
                    clusterId: `s${me.swarm}`,
                    managerToken: `t${me.swarm}`,
                    workerToken: `t${me.swarm}`,
                    managers: reachable.map((manager) => `${address(manager)}:2377`),
                  }
                : undefined,
            },
    ),
    mark: seen(me.mark === 0 ? undefined : { generation: "g", clusterId: `s${me.mark}` }),
  };
}
