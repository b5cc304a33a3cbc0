import type { Cluster } from "../../cluster/cluster.ts";
import { largestOf } from "../../machine/formats/parts.ts";
import type { Problem, Read } from "../../problems/problem.ts";
import { templateJson } from "./cloudformation.ts";
import type { AwsFacts } from "./facts/facts.ts";
import { graphOf } from "./graph/graph.ts";
import type { Graph } from "./graph/resource.ts";
import { factProblems } from "./judge.ts";
import { limitProblems, limits } from "./limits.ts";
import { userDataOf, userDataParts, userDataText, type Boot } from "./user-data.ts";

export type Compiled = {
  readonly graph: Graph;
  readonly text: string;
  /** Bytes. */
  readonly size: number;
  /** Whether CloudFormation takes it only by the address of an object in S3. */
  readonly byAddress: boolean;
};

/** A resolved cluster as a CloudFormation template, or why there can be none. Pure. */
export function compile(cluster: Cluster, facts: AwsFacts, boot: Boot): Read<Compiled> {
  const problems: Problem[] = [...factProblems(cluster, facts)];
  for (const group of cluster.groups) {
    const bytes = Buffer.byteLength(userDataText(cluster, group, boot));
    if (bytes > limits.userData)
      problems.push({
        code: "out-of-range",
        severity: "error",
        path: group.path,
        at: "key",
        message: `the user data has ${bytes} bytes, and EC2 takes ${limits.userData}; the largest parts: ${largestOf(userDataParts(cluster, group, boot))}`,
        fix: "a shorter name of the group",
      });
  }
  if (problems.length > 0) return { kind: "bad", problems };
  const graph = graphOf({ cluster, facts, userData: userDataOf(cluster, boot) });
  const text = templateJson(graph);
  const size = Buffer.byteLength(text);
  const refused = limitProblems(cluster, graph, size);
  if (refused.length > 0) return { kind: "bad", problems: refused };
  return { kind: "good", value: { graph, text, size, byAddress: size > limits.body }, warnings: [] };
}
