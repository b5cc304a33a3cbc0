import type { Cluster } from "../../cluster/cluster.ts";
import type { Problem } from "../../problems/problem.ts";
import type { Graph } from "./graph/resource.ts";

/**
 * What CloudFormation and EC2 take (AWS, "Understand CloudFormation quotas"; EC2 user guide, "Run commands when you launch an EC2
 * instance with user data input"). Sizes are bytes.
 */
export const limits = {
  /** A larger template goes by the address of an object in S3. */
  body: 51_200,
  template: 1_000_000,
  resources: 500,
  parameters: 200,
  outputs: 200,
  /** Of one parameter's value. */
  parameterValue: 4_096,
  /** Before it is encoded. */
  userData: 16_384,
  /** All inline policies of a role, without white space. */
  rolePolicy: 10_240,
} as const;

/** Why CloudFormation would refuse the template, at what in the file makes it so. */
export function limitProblems(cluster: Cluster, graph: Graph, size: number): readonly Problem[] {
  const refused = (what: string, found: number, most: number, path: Problem["path"], fix: string): readonly Problem[] =>
    found <= most
      ? []
      : [
          {
            code: "out-of-range",
            severity: "error",
            path,
            at: "key",
            message: `the stack has ${found} ${what}, and CloudFormation takes ${most}`,
            fix,
          },
        ];
  return [
    ...refused(
      "resources",
      graph.resources.length,
      limits.resources,
      heaviest(cluster, graph),
      "fewer groups, rules or fixed addresses; or two clusters",
    ),
    ...refused("parameters", graph.parameters.length, limits.parameters, ["groups"], "fewer groups"),
    ...graph.parameters.flatMap(({ name, default: usual = "" }) =>
      refused(
        `bytes in the parameter ${name}`,
        Buffer.byteLength(String(usual)),
        limits.parameterValue,
        ["aws"],
        "a shorter value",
      ),
    ),
    ...refused("outputs", graph.outputs.length, limits.outputs, ["groups"], "fewer control nodes"),
    ...refused("bytes", size, limits.template, heaviest(cluster, graph), "fewer groups or rules"),
  ];
}

/** The place in the file from which most resources come. */
function heaviest(cluster: Cluster, graph: Graph): Problem["path"] {
  const counts = new Map<string, number>();
  for (const { origin } of graph.resources) {
    if (origin.kind !== "field") continue;
    const place = JSON.stringify(origin.path.slice(0, 2));
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  const [first] = [...counts].toSorted(([a, its], [b, other]) => other - its || (a < b ? -1 : 1));
  const group = cluster.groups.find(({ path }) => JSON.stringify(path) === first?.[0]);
  return group?.path ?? (first === undefined ? ["groups"] : first[0].startsWith('["aws"') ? ["aws"] : ["groups"]);
}
