import type { JoinAct, joinNext } from "../../src/components/etcd/join.ts";
import { peerUrl } from "../../src/components/etcd/membership.ts";
import type { TendAct, tendNext } from "../../src/components/etcd/tend.ts";

/** The functions under test, so that mutants of them can be explored too. */
export type Deciders = { readonly joinNext: typeof joinNext; readonly tendNext: typeof tendNext };

export type Faults = {
  /** etcd stops; the node comes back (free: as often as it likes). */
  readonly crash?: boolean;
  /** The disk with data and claim is lost. */
  readonly lose?: boolean;
  /** The instance is gone for good and a new one has its name and address; with an empty disk, or with the old one's. */
  readonly replace?: boolean;
  readonly replaceKeepingDisk?: boolean;
  /** The instance is gone, and no other has its address. */
  readonly vanish?: boolean;
  /** The roster says that the instance leaves for good. */
  readonly leave?: boolean;
  /** Cut off from the store and from all others, and back (one at a time). */
  readonly partition?: boolean;
  /** The store forgets everything but the generation and the roster. */
  readonly storeLost?: boolean;
  /** One decision is carried out late, on a world that moved on. */
  readonly late?: boolean;
};

export type EtcdSize = {
  readonly founders: number;
  readonly slots: number;
  readonly present?: number;
  readonly faults: Faults;
};

/**
 * One address and what is there. Ids need no numbers: a member id is either that of the member that etcd lists at
 * this address ("m") or of one that it listed before ("x"); so states are the same under any renaming of addresses.
 */
export type Ref = "-" | "m" | "x";
export type Slot = {
  /** `-`: never used. */
  state: "-" | "present" | "leaving" | "gone";
  registered: boolean;
  /** The instance is on the list; its address is (perhaps through one that was here before). */
  listed: boolean;
  founder: boolean;
  storeClaim: boolean;
  /** F: a founder's claim that agrees with the store's (or has none to agree with); D: one that differs; O: another instance's. */
  diskClaim: "-" | "F" | "D" | "Lm" | "Lx" | "O";
  data: Ref;
  running: boolean;
  cut: boolean;
  joined: Ref;
  /** Another instance was here before; the member listed here is by record its. */
  before: boolean;
  beforeJoined: boolean;
  member: "-" | "voter" | "learner";
  named: boolean;
  /** The member listed here has started on an empty disk. */
  started: boolean;
  /** So has the member that the founding list made for this address. */
  founderStarted: boolean;
};
export type Pending = { readonly at: number; readonly does: Does };
export type Does = { readonly kind: "join"; readonly act: JoinAct } | { readonly kind: "tend"; readonly act: TendAct };
export type EtcdState = {
  readonly slots: readonly Slot[];
  readonly proposed: boolean;
  /** Someone has recorded that it joined. */
  readonly anyJoined: boolean;
  readonly storeLost: boolean;
  readonly leader: number;
  readonly pending: Pending | undefined;
};

export const emptySlot: Slot = {
  state: "-",
  registered: false,
  listed: false,
  founder: false,
  storeClaim: false,
  diskClaim: "-",
  data: "-",
  running: false,
  cut: false,
  joined: "-",
  before: false,
  beforeJoined: false,
  member: "-",
  named: false,
  started: false,
  founderStarted: false,
};

export const clusterId = "c";
const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
const names = numbers.map((at) => ({
  address: `10.0.0.${at}`,
  instance: `i${at}`,
  previous: `i${at}-before`,
  node: `n${at}`,
  m: `m${at}`,
  x: `x${at}`,
  url: peerUrl(`10.0.0.${at}`),
}));
type Names = (typeof names)[number];
export function nameOf(at: number, what: keyof Names): string {
  const found = names[at];
  if (found === undefined) throw new Error(`no names for slot ${at}`);
  return found[what];
}
export const address = (at: number): string => nameOf(at, "address");
export const instance = (at: number): string => nameOf(at, "instance");
export const previous = (at: number): string => nameOf(at, "previous");
export const node = (at: number): string => nameOf(at, "node");
export const id = (at: number, ref: Ref): string => nameOf(at, ref === "m" ? "m" : "x");

export function key(state: EtcdState): string {
  const rows = state.slots.map((slot, at) => slotKey(slot) + (at === state.leader ? "!" : ""));
  const flags = `${+state.proposed}${+state.anyJoined}${+state.storeLost}`;
  return state.pending === undefined
    ? rows.toSorted().join("|") + flags
    : `${rows.join("|")}${flags}${JSON.stringify(state.pending)}`;
}

const codes = {
  "-": 0,
  present: 1,
  leaving: 2,
  gone: 3,
  F: 1,
  D: 2,
  Lm: 3,
  Lx: 4,
  O: 5,
  m: 1,
  x: 2,
  voter: 1,
  learner: 2,
} as const;
export function slotKey(slot: Slot): string {
  const bits =
    +slot.registered |
    (+slot.listed << 1) |
    (+slot.founder << 2) |
    (+slot.storeClaim << 3) |
    (+slot.running << 4) |
    (+slot.cut << 5) |
    (+slot.before << 6) |
    (+slot.beforeJoined << 7) |
    (+slot.named << 8) |
    (+slot.started << 9) |
    (+slot.founderStarted << 10);
  const more =
    codes[slot.state] |
    (codes[slot.diskClaim] << 2) |
    (codes[slot.data] << 5) |
    (codes[slot.joined] << 7) |
    (codes[slot.member] << 9);
  return String.fromCharCode(bits + 32, more + 32);
}

export function change(state: EtcdState, turn: (slot: Slot, at: number) => Slot): EtcdState {
  return { ...state, slots: state.slots.map(turn) };
}

export function put(state: EtcdState, at: number, fields: Partial<Slot>): EtcdState {
  return change(state, (slot, index) => (index === at ? { ...slot, ...fields } : slot));
}

export function slotOf(state: EtcdState, at: number): Slot {
  const slot = state.slots[at];
  if (slot === undefined) throw new Error(`no slot ${at}`);
  return slot;
}
