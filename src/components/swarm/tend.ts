import { guard, type QuorumMember } from "../quorum.ts";
import { act, settled, wait, type Next, type Seen } from "../reconciler.ts";
import type { Roster, RosterEntry } from "../roster.ts";
import { goneTurns, placeOf, type SwarmTurn, type TurnAct } from "./turn.ts";

/** One line of `docker node ls`, as a manager sees it. */
export type SwarmNode = {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly role: "worker" | "manager";
  readonly availability: "active" | "pause" | "drain";
  readonly state: "ready" | "down" | "unknown" | "disconnected";
  /** Managers only; `false` for workers. */
  readonly reachable: boolean;
  readonly leader: boolean;
  /** Whether the managers count it among them, reachable or not. */
  readonly counted: boolean;
  /** Where it says that it is; empty when it never said so. */
  readonly address: string;
};

/** Which swarm node an instance says it is (from its own node record). */
export type SwarmIdentity = { readonly instance: string; readonly nodeId: string };

export type SwarmTendView = {
  readonly me: { readonly instance: string; readonly nodeId: string };
  /** Unknown without a leader. */
  readonly nodes: Seen<readonly SwarmNode[]>;
  readonly roster: Seen<Roster>;
  readonly turn: Seen<SwarmTurn | undefined>;
  readonly identities: Seen<readonly SwarmIdentity[]>;
  /** User labels by group; a group that is not listed keeps the labels its nodes have. */
  readonly labels: Seen<Readonly<Record<string, Readonly<Record<string, string>>>>>;
};

export type SwarmTendAct =
  /** Replace each node's labels by exactly these. */
  | {
      readonly kind: "setLabels";
      readonly nodes: readonly { readonly nodeId: string; readonly labels: Readonly<Record<string, string>> }[];
    }
  /** Make a worker a manager, after its turn is written where it is not its yet. */
  | {
      readonly kind: "promote";
      readonly nodeId: string;
      readonly instance: string;
      readonly turn?: TurnAct & { kind: "takeTurn" };
    }
  | { readonly kind: "demote"; readonly nodeId: string }
  /** Take their turns from those that are gone. */
  | (TurnAct & { readonly kind: "clearTurns" })
  /** No new tasks, and the present ones move away: the nodes leave for good. */
  | { readonly kind: "drain"; readonly nodeIds: readonly string[] }
  /** `node rm --force` of nodes that are no managers and will not come back; absent already is success. */
  | { readonly kind: "remove"; readonly nodeIds: readonly string[] };

/** The swarm's managers as the guard counts them. */
export function quorumManagers(nodes: readonly SwarmNode[]): readonly QuorumMember[] {
  return nodes
    .filter((node) => node.counted)
    .map((node) => ({
      id: node.id,
      voter: true,
      healthy: { kind: "seen", value: node.reachable },
    }));
}

/** The next step in keeping the swarm's nodes equal to the roster; pure. Any manager may ask, all acts are idempotent. */
export function swarmTendNext(view: SwarmTendView): Next<SwarmTendAct> {
  if (view.nodes.kind === "unknown") return wait(`cannot see the swarm's nodes: ${view.nodes.why}`);
  if (view.roster.kind === "unknown") return wait(`cannot read the roster: ${view.roster.why}`);
  if (view.identities.kind === "unknown") return wait(`cannot read which node is which: ${view.identities.why}`);
  const nodes = view.nodes.value;
  const owner = ownerOf(view.identities.value, view.roster.value);
  const superseded = supersededIn(nodes, view.identities.value);
  const wants: Next<SwarmTendAct>[] = [];
  // What takes away comes first: the dead out before the living change places.
  const owned = nodes.map((node) => ({ node, owner: owner(node) }));
  for (const { node, owner } of owned) {
    wants.push(owner === undefined ? strayed(view, nodes, node) : retire(nodes, node, owner, superseded(node, owner)));
  }
  const retiring = wants.some((next) => next.kind !== "settled");
  for (const { node, owner } of owned) {
    if (owner?.state === "present" && !superseded(node, owner)) wants.push(settle(view, nodes, node, owner, retiring));
  }
  // Only now: the managers may have counted them.
  const gone = retiring ? [] : goneTurns(view.turn, view.roster);
  if (gone.length > 0) wants.push(act({ kind: "clearTurns", gone }));
  // One wait must not hold up what can be done elsewhere.
  const acts = wants.flatMap((next) => (next.kind === "act" ? [next.act] : []));
  return acts[0] === undefined ? (wants.find((next) => next.kind === "wait") ?? settled) : act(together(acts[0], acts));
}

/** The first act, for all nodes that want the same and do not depend on each other: thousands of nodes are one look. */
function together(first: SwarmTendAct, acts: readonly SwarmTendAct[]): SwarmTendAct {
  switch (first.kind) {
    case "setLabels":
      return { kind: first.kind, nodes: acts.flatMap((other) => (other.kind === first.kind ? other.nodes : [])) };
    case "drain":
    case "remove":
      return { kind: first.kind, nodeIds: acts.flatMap((other) => (other.kind === first.kind ? other.nodeIds : [])) };
    case "promote":
    case "demote":
    case "clearTurns":
      return first;
  }
}

/** The instance that says this node is its own, else the one whose label the node bears. Names prove nothing. */
function ownerOf(identities: readonly SwarmIdentity[], roster: Roster): (node: SwarmNode) => RosterEntry | undefined {
  const instances = new Map(identities.map(({ nodeId, instance }) => [nodeId, instance]));
  const entries = new Map(roster.map((entry) => [entry.instance, entry]));
  return (node) => entries.get(instances.get(node.id) ?? node.labels[instanceLabel] ?? "");
}

/** Whether a node was left behind by its own living instance, which is well in the swarm as another one. */
function supersededIn(
  nodes: readonly SwarmNode[],
  identities: readonly SwarmIdentity[],
): (node: SwarmNode, owner: RosterEntry) => boolean {
  const ids = new Map(identities.map(({ nodeId, instance }) => [instance, nodeId]));
  const ready = new Set(nodes.flatMap((node) => (node.state === "ready" ? [node.id] : [])));
  return (node, { instance }) => {
    const now = ids.get(instance);
    return now !== undefined && now !== node.id && ready.has(now);
  };
}

/**
 * Who was lost on the way in lies in the list for ever: nobody says that it is his, and as a manager that was never well
 * it is never called down. Whoever enters now has the turn; and a node that somebody else brought has said where it is,
 * and is at none of our addresses.
 */
function strayed({ turn, roster }: SwarmTendView, nodes: readonly SwarmNode[], node: SwarmNode): Next<SwarmTendAct> {
  const quiet = turn.kind === "seen" && turn.value?.joining.length === goneTurns(turn, roster).length;
  const ours =
    node.address === "" || (roster.kind === "seen" && roster.value.some((entry) => entry.address === node.address));
  if (!quiet || !ours || node.state === "ready") return settled;
  if (node.counted) return demote(nodes, node, `${node.address || node.id} never became a manager`);
  // As a worker, once it is demoted: one that is only slow to come is not down yet, or has said where it is.
  const left = node.role === "manager" || (node.state === "down" && node.address === "");
  return left ? act({ kind: "remove", nodeIds: [node.id] }) : settled;
}

function retire(
  nodes: readonly SwarmNode[],
  node: SwarmNode,
  owner: RosterEntry,
  superseded: boolean,
): Next<SwarmTendAct> {
  if (owner.state === "leaving") {
    if (node.availability !== "drain") return act({ kind: "drain", nodeIds: [node.id] });
    return node.role === "manager" ? demote(nodes, node, `${owner.node} leaves`) : settled;
  }
  if (owner.state === "present" && !superseded) return settled;
  // A gone instance is gone: the roster's word needs no second. Its node may count as ready for another quarter of a minute.
  if (owner.state !== "gone" && node.state !== "down")
    return wait(`swarm node ${node.id} of ${owner.node} is ${owner.state} but not down yet`);
  if (node.role === "manager") return demote(nodes, node, `${owner.node} is gone`);
  return act({ kind: "remove", nodeIds: [node.id] });
}

function demote(nodes: readonly SwarmNode[], node: SwarmNode, why: string): Next<SwarmTendAct> {
  const verdict = guard({ kind: "seen", value: quorumManagers(nodes) }, { kind: "remove", id: node.id });
  return verdict.allowed
    ? act({ kind: "demote", nodeId: node.id })
    : wait(`${why}, but cannot be demoted yet: ${verdict.why}`);
}

function settle(
  view: SwarmTendView,
  nodes: readonly SwarmNode[],
  node: SwarmNode,
  owner: RosterEntry,
  retiring: boolean,
): Next<SwarmTendAct> {
  const labels = labelsOf(view, node, owner);
  if (!sameLabels(labels, node.labels)) return act({ kind: "setLabels", nodes: [{ nodeId: node.id, labels }] });
  if (owner.role === "control" && node.role === "worker") {
    // First the old manager out, then the new one in: with both, one more loss would cost the quorum.
    if (retiring) return wait(`${owner.node} becomes a manager when those that left are out`);
    const { instance } = owner;
    const place = placeOf(instance, view.turn, view.roster);
    if (place.kind === "taken") return wait(place.why);
    return act({
      kind: "promote",
      nodeId: node.id,
      instance,
      ...(place.kind === "free" ? { turn: place.take } : {}),
    });
  }
  if (owner.role === "worker" && node.role === "manager") return demote(nodes, node, `${owner.node} is to be a worker`);
  return settled;
}

/** Names the instance that a swarm node is. */
export const instanceLabel = "slipway.instance";
const groupLabel = "slipway.group";
/** Names the user labels that we set, so that one that leaves the file leaves the node, and others' labels stay. */
const ownLabel = "slipway.labels";

function labelsOf(view: SwarmTendView, node: SwarmNode, owner: RosterEntry): Readonly<Record<string, string>> {
  const wanted = view.labels.kind === "seen" ? view.labels.value[owner.group] : undefined;
  const ours = { [instanceLabel]: owner.instance, [groupLabel]: owner.group };
  if (wanted === undefined) return { ...node.labels, ...ours };
  const before = new Set(node.labels[ownLabel]?.split(",") ?? []);
  const others = Object.entries(node.labels).filter(([name]) => !before.has(name) && name !== ownLabel);
  const names = Object.keys(wanted).toSorted();
  return {
    ...Object.fromEntries(others),
    ...wanted,
    ...ours,
    ...(names.length > 0 ? { [ownLabel]: names.join(",") } : {}),
  };
}

function sameLabels(one: Readonly<Record<string, string>>, two: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(two).length && names.every((name) => one[name] === two[name]);
}
