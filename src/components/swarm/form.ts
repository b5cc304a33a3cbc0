import type { RecordValue } from "../../records/table.ts";
import { act, settled, wait, type Next, type Seen } from "../reconciler.ts";
import { standing, type Roster } from "../roster.ts";
import type { LocalSwarm, SwarmState } from "./local.ts";
import {
  counted,
  turnOfManager,
  turnOfOutside,
  turnOfStuck,
  turnOfWorker,
  turnToGive,
  type SwarmTurn,
  type TurnAct,
} from "./turn.ts";

export type JoinToken = Pick<RecordValue<"managerToken">, "token" | "addresses">;

/** Lies on the node's disk beside the agent's state; survives the engine's own state. */
export type SwarmMark = { readonly generation: string; readonly clusterId: string };

export type FormView = {
  readonly me: {
    readonly instance: string;
    readonly address: string;
    readonly role: "control" | "worker";
    readonly generation: string;
  };
  readonly generation: Seen<"open" | "closed" | undefined>;
  /** Workers cannot read it and pass `unknown`; no decision of theirs needs it. */
  readonly roster: Seen<Roster>;
  /** Workers cannot read it and pass `unknown`. */
  readonly claim: Seen<Pick<RecordValue<"swarmClaim">, "instance" | "epoch" | "clusterId"> | undefined>;
  readonly cluster: Seen<Pick<RecordValue<"swarmCluster">, "clusterId" | "instance" | "epoch"> | undefined>;
  /** The token of my own role. */
  readonly token: Seen<JoinToken | undefined>;
  /** The workers' token; asked of managers only, workers pass the same as `token`. */
  readonly workerToken: Seen<JoinToken | undefined>;
  readonly turn: Seen<SwarmTurn | undefined>;
  readonly local: Seen<LocalSwarm>;
  readonly leaderless: boolean;
  readonly mark: Seen<SwarmMark | undefined>;
};

export type FormAct =
  | TurnAct
  /** Create-if-absent the claim with epoch 1. */
  | { readonly kind: "claim"; readonly epoch: 1 }
  /** Put-if-unchanged the claim: only while it still is `from`'s of epoch − 1 and names no cluster id. */
  | { readonly kind: "takeOver"; readonly from: string; readonly epoch: number }
  /** `swarm init`. */
  | { readonly kind: "init" }
  /**
   * First put the cluster id into the claim (put-if-unchanged; only while the claim is mine, of this epoch and without a cluster id):
   * this one key is the decision, so that a late `takeOver` and a late `publish` cannot both succeed. Then, if the claim
   * now names this cluster id (whoever put it there), write the cluster record, over any that says otherwise.
   */
  | { readonly kind: "publish"; readonly clusterId: string; readonly epoch: number }
  /** Write the mark on disk (fsync): from now on this node refuses an empty or foreign store. */
  | { readonly kind: "recordJoined"; readonly clusterId: string }
  /** Write one or both token records (conditional). */
  | { readonly kind: "publishTokens"; readonly manager: JoinToken; readonly worker: JoinToken }
  /** `swarm join` with the token of my role. */
  | { readonly kind: "join"; readonly token: string; readonly remotes: readonly string[] };

/** The next step of this instance into the swarm; pure. */
export function formNext(view: FormView): Next<FormAct> {
  if (view.local.kind === "unknown") return wait(`cannot ask the engine: ${view.local.why}`);
  if (view.mark.kind === "unknown") return wait(`cannot read the swarm mark: ${view.mark.why}`);
  const mark = view.mark.value?.generation === view.me.generation ? view.mark.value.clusterId : undefined;
  const local = view.local.value;
  switch (local.kind) {
    case "pending":
      return turnOfStuck(view, mark !== undefined) ?? wait("the engine waits to be accepted into the swarm");
    case "locked":
      return wait("the swarm is locked: unlock it with docker swarm unlock");
    case "error":
      return turnOfStuck(view, mark !== undefined) ?? wait(`the engine's swarm is in error: ${local.text}`);
    case "inactive":
      return outside(view, mark);
    case "worker":
      return asWorker(view, mark);
    case "manager":
      return asManager(view, mark, local.state);
  }
}

/** In no swarm: make the one, or join the one that is published. */
function outside(view: FormView, mark: string | undefined): Next<FormAct> {
  if (view.generation.kind === "unknown") return wait(`cannot read the generation: ${view.generation.why}`);
  if (view.generation.value === undefined)
    return wait(`the store does not know generation ${view.me.generation}: it is empty or foreign`);
  if (view.generation.value === "closed")
    return wait(`generation ${view.me.generation} is closed: this creation was rolled back`);
  if (view.cluster.kind === "unknown") return wait(`cannot read the swarm's record: ${view.cluster.why}`);
  if (view.me.role === "control") {
    const here = standing(view.roster, view.me.instance);
    if (here !== "present") return wait(`the roster says that this instance is ${here}`);
    if (view.claim.kind === "unknown") return wait(`cannot read the swarm claim: ${view.claim.why}`);
  }
  const published = valid(view);
  if (mark !== undefined && published !== mark) return wait(foreign(mark, published));
  if (published === undefined) return view.me.role === "control" ? claim(view) : wait("no swarm is published yet");
  const given = turnToGive(view);
  if (given !== undefined) return given;
  const token = replacing(view) ? view.workerToken : view.token;
  if (token.kind === "unknown") return wait(`cannot read the join token: ${token.why}`);
  const own = `${view.me.address}:2377`;
  const remotes = token.value?.addresses.filter((address) => address !== own) ?? [];
  if (token.value !== undefined && remotes.length > 0) {
    const turn = view.me.role === "control" && !replacing(view) ? turnOfOutside(view) : undefined;
    if (turn !== undefined) return turn;
    return act({ kind: "join", token: token.value.token, remotes });
  }
  const maker = view.cluster.value?.instance === view.me.instance;
  return wait(
    maker || mark !== undefined
      ? `this instance's swarm state is lost and no other manager of swarm ${published} is known: run slipway doctor, then slipway restore`
      : `no manager of swarm ${published} has published a join token`,
  );
}

/**
 * A control instance that comes where others are gone enters as a worker, as etcd's come in as learners: a manager
 * promotes it once the dead are out, so that the number of managers never grows by the dead.
 */
function replacing(view: FormView): boolean {
  return (
    view.me.role === "control" &&
    view.roster.kind === "seen" &&
    view.roster.value.some((entry) => entry.role === "control" && entry.state !== "present")
  );
}

function claim(view: FormView): Next<FormAct> {
  const now = view.claim.kind === "seen" ? view.claim.value : undefined;
  if (now === undefined) return act({ kind: "claim", epoch: 1 });
  if (now.instance === view.me.instance) return act({ kind: "init" });
  if (standing(view.roster, now.instance) !== "gone") return wait(`${now.instance} makes the swarm`);
  return act({ kind: "takeOver", from: now.instance, epoch: now.epoch + 1 });
}

function asWorker(view: FormView, mark: string | undefined): Next<FormAct> {
  if (view.me.role === "control") return turnOfWorker(view) ?? wait("in the swarm as a worker; a manager promotes it");
  // An engine that is a worker does not know the swarm's id: it is the one that its token came from.
  if (mark === undefined && view.cluster.kind === "seen" && view.cluster.value !== undefined) {
    return act({ kind: "recordJoined", clusterId: view.cluster.value.clusterId });
  }
  return settled;
}

/** In a swarm: it is the published one, or it becomes it, or it lost and is left. What was joined once is never left. */
function asManager(view: FormView, mark: string | undefined, state: SwarmState | undefined): Next<FormAct> {
  if (state === undefined) {
    return (
      turnOfStuck(view, mark !== undefined) ??
      wait("the swarm's managers have no quorum; it is never forced alone: run slipway doctor, then slipway restore")
    );
  }
  if (mark !== undefined && mark !== state.clusterId) return wait(foreign(mark, state.clusterId));
  if (view.cluster.kind === "unknown" || view.claim.kind === "unknown") {
    const why = view.cluster.kind === "unknown" ? view.cluster.why : "the claim is unreadable";
    return mark === undefined ? wait(`cannot read the swarm's record: ${why}`) : settled;
  }
  const published = valid(view);
  if (published === state.clusterId) {
    // The record is what workers read; whoever is in the swarm puts right what the claim decided.
    if (view.cluster.value?.clusterId !== published && view.claim.value !== undefined) {
      return act({ kind: "publish", clusterId: published, epoch: view.claim.value.epoch });
    }
    const turn = turnOfManager(view, { sole: state.sole, joined: mark !== undefined });
    if (turn !== undefined) return turn;
    if (mark === undefined) {
      if (view.turn.kind === "unknown")
        return wait(`cannot read whose turn it is to become a manager: ${view.turn.why}`);
      if (view.turn.value === undefined || !counted(view.turn.value, view.me.instance))
        return wait("its turn to become a manager is not over yet");
      return act({ kind: "recordJoined", clusterId: published });
    }
    return tokens(view, state);
  }
  if (mark !== undefined) return wait(foreign(mark, published));
  if (published !== undefined) return act({ kind: "leave", why: `swarm ${published} was published` });
  const now = view.claim.value;
  if (now === undefined) return wait("in a swarm that nobody claimed: the store is empty or foreign");
  if (now.instance !== view.me.instance) return act({ kind: "leave", why: `${now.instance} took the claim over` });
  if (view.generation.kind !== "seen" || view.generation.value !== "open") return wait("the generation is not open");
  // Nobody can join it, and nobody has: it is made once more.
  if (!state.made)
    return act({ kind: "leave", why: "its engine was killed while it made the swarm, and cannot let anyone in" });
  return act({ kind: "publish", clusterId: state.clusterId, epoch: now.epoch });
}

function tokens(view: FormView, state: SwarmState): Next<FormAct> {
  // What cannot be read is not replaced; the swarm itself is well.
  if (view.token.kind === "unknown" || view.workerToken.kind === "unknown") return settled;
  const addresses = state.managers.toSorted();
  const manager = { token: state.managerToken, addresses };
  const worker = { token: state.workerToken, addresses };
  if (sameToken(view.token.value, manager) && sameToken(view.workerToken.value, worker)) return settled;
  return act({ kind: "publishTokens", manager, worker });
}

function sameToken(one: JoinToken | undefined, two: JoinToken): boolean {
  return one?.token === two.token && one.addresses.join() === two.addresses.join();
}

/** The published swarm: what the claim has decided. Who may not read the claim (workers) goes by the record that copies it. */
function valid(view: FormView): string | undefined {
  const record = view.cluster.kind === "seen" ? view.cluster.value : undefined;
  const now = view.claim.kind === "seen" ? view.claim.value : undefined;
  if (now?.clusterId !== undefined) return now.clusterId;
  // A record of another epoch than the claim was written late by one that had lost it.
  if (record === undefined || (now !== undefined && now.epoch !== record.epoch)) return undefined;
  return record.clusterId;
}

function foreign(mark: string, other: string | undefined): string {
  return `this node joined swarm ${mark}, but ${other === undefined ? "the store knows none" : `finds ${other}`}: the store is empty or foreign`;
}
