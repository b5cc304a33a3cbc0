import type { ClusterName } from "../cluster/cluster.ts";
import type { Context } from "../operations/context.ts";
import type { Selection, Wish } from "../operations/pick.ts";
import type { Session } from "./session.ts";

/** The file that stands for a cluster when none is named. */
export const usualFile = "cluster.yml";

/** Whether a word means a file: cluster, group and node names have neither slashes nor dots. */
export function isFile(word: string): boolean {
  return word.includes("/") || word.includes("\\") || word.includes(".");
}

/** What is known of the cluster that is meant: the word, the flag, the file's own name. */
async function wishOf(session: Session, word: string | undefined): Promise<Wish> {
  const named = session.flags.name ?? (word !== undefined && !isFile(word) ? word : undefined);
  if (named !== undefined) return { name: named };
  if (word !== undefined) return { name: await nameIn(session, word) };
  return session.world.files.exists(usualFile) ? { file: await nameIn(session, usualFile) } : {};
}

async function nameIn(session: Session, file: string): Promise<string> {
  const { readClusterFile } = await import("./file.ts");
  return (await readClusterFile(session, file)).cluster.name;
}

/** The cluster that a verb with one word is about. */
export async function chosenCluster(
  session: Session,
  context: Context,
  word: string | undefined,
): Promise<ClusterName> {
  const pick = await session.world.operations.pickCluster();
  return pick(context, await wishOf(session, word));
}

/** The cluster and its nodes that a verb's words are about; the first word may be a file. */
export async function chosenNodes(session: Session, context: Context, words: readonly string[]): Promise<Selection> {
  const [first, ...rest] = words;
  const pick = await session.world.operations.pickSelection();
  if (first !== undefined && isFile(first)) return pick(context, { ...(await wishOf(session, first)), words: rest });
  return pick(context, { ...(await wishOf(session, undefined)), words });
}

/** Whether words name exactly one node; the target is asked only where a word may be a group. */
export async function isOneNode(context: Context, { cluster, nodes }: Selection): Promise<boolean> {
  const [first, ...more] = nodes;
  if (first !== undefined && more.length === 0 && first.startsWith(`${cluster}-`) && /-\d+$/.test(first)) return true;
  const { pickNodes } = await import("../operations/pick.ts");
  return pickNodes(cluster, (await context.target.observe(cluster)).nodes, nodes).length === 1;
}
