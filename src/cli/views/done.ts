import { counted } from "./sentence.ts";

/** What an operation on nodes did: `started 2 nodes: demo-control-1, demo-worker-1`. */
export function nodesDone(verb: string, nodes: readonly string[]): string {
  if (nodes.length === 0) return "nothing to do";
  return `${verb} ${counted(nodes.length, "node")}: ${nodes.join(", ")}`;
}
