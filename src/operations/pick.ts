import type { ClusterName } from "../cluster/cluster.ts";
import { nearest } from "../problems/nearest.ts";
import { OperationError, type Context } from "./context.ts";

export type Wish = {
  /** What the user named (`--name`, or the NAME of the command). */
  readonly name?: string;
  /** The name in ./cluster.yml, when there is such a file. */
  readonly file?: string;
};

/** The cluster that is meant: the named one, else the file's, else the only one; else an `OperationError` that lists them. */
export async function pickCluster(context: Context, wish: Wish): Promise<ClusterName> {
  const wanted = wish.name ?? wish.file;
  if (wanted !== undefined) return clusterName(wanted);
  return onlyCluster(context, await context.target.list());
}

function onlyCluster(context: Context, clusters: readonly ClusterName[]): ClusterName {
  const [first, ...more] = clusters;
  if (first === undefined) throw new OperationError(`there is no cluster on ${context.target.name}`, "slipway launch");
  if (more.length > 0) {
    throw new OperationError(`which cluster? There are ${clusters.join(", ")}`, `slipway status ${first}`);
  }
  return first;
}

function clusterName(text: string): ClusterName {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(text))
    throw new OperationError(`"${text}" is not the name of a cluster`, "slipway list");
  // The check above is what the file's grammar asks of a name.
  return text as ClusterName;
}

/** A cluster, and words for its nodes (empty: all). */
export type Selection = { readonly cluster: ClusterName; readonly nodes: readonly string[] };

/**
 * Splits a command's words into a cluster and its nodes: `demo` is a cluster, `demo-worker-1` a node of the cluster
 * `demo`, `worker` a group of the cluster that is meant anyway.
 */
export async function pickSelection(
  context: Context,
  wish: Wish & { readonly words: readonly string[] },
): Promise<Selection> {
  const { words } = wish;
  if (wish.name !== undefined) {
    const named = wish.name;
    return {
      cluster: clusterName(named),
      nodes: words.filter((word, index) => index > 0 || word !== named),
    };
  }
  const clusters = await context.target.list();
  const [first, ...rest] = words;
  const whole = clusters.find((cluster) => cluster === first);
  if (whole !== undefined) return { cluster: whole, nodes: rest };
  const owners = [...new Set(words.flatMap((word) => ownerOf(word, clusters) ?? []))];
  const [owner, other] = owners;
  if (other !== undefined) {
    throw new OperationError(`these are nodes of several clusters: ${owners.join(", ")}`, "slipway list");
  }
  if (owner !== undefined) return { cluster: owner, nodes: words };
  if (wish.file !== undefined) return { cluster: clusterName(wish.file), nodes: words };
  return { cluster: onlyCluster(context, clusters), nodes: words };
}

/** The cluster with the longest name of which the word could be a node: `a-b-worker-1` is of `a-b` rather than of `a`. */
function ownerOf(word: string, clusters: readonly ClusterName[]): ClusterName | undefined {
  return clusters
    .filter((cluster) => word.startsWith(`${cluster}-`) && /^[a-z][a-z0-9-]*-\d+$/.test(word.slice(cluster.length + 1)))
    .toSorted((a, b) => b.length - a.length)[0];
}

/** The nodes that words name: node names, group names, `all`; none: all. In the order of the list, each once. */
export function pickNodes<Node extends { readonly name: string; readonly group: string }>(
  cluster: ClusterName,
  nodes: readonly Node[],
  words: readonly string[],
): readonly Node[] {
  if (words.length === 0) return nodes;
  const chosen = new Set<Node>();
  for (const word of words) {
    const matches = nodes.filter(
      (node) => word === "all" || node.name === word || node.group === word || node.name === `${cluster}-${word}`,
    );
    if (matches.length === 0 && word !== "all") throw unknownWord(cluster, nodes, word);
    for (const node of matches) chosen.add(node);
  }
  return nodes.filter((node) => chosen.has(node));
}

/** The one node that a word names; an `OperationError` when it names none or several. */
export function pickNode<Node extends { readonly name: string; readonly group: string }>(
  cluster: ClusterName,
  nodes: readonly Node[],
  word: string,
): Node {
  const matches = pickNodes(cluster, nodes, [word]);
  const [match, ...more] = matches;
  if (match === undefined || more.length > 0) {
    throw new OperationError(
      `"${word}" names ${matches.length} nodes, one is needed: ${matches.map((node) => node.name).join(", ")}`,
    );
  }
  return match;
}

function unknownWord(
  cluster: ClusterName,
  nodes: readonly { readonly name: string; readonly group: string }[],
  word: string,
): OperationError {
  const names = nodes.map((node) => node.name);
  const groups = [...new Set(nodes.map((node) => node.group))];
  const near = nearest(word, [...names, ...groups, "all"]);
  const hint = near === undefined ? `it has ${[...groups, ...names].join(", ")}` : `did you mean ${near}?`;
  return new OperationError(`cluster ${cluster} has no node or group "${word}"; ${hint}`, `slipway status ${cluster}`);
}
