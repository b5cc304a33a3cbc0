import type { Problem } from "../problems/problem.ts";
import { quoted } from "../problems/visible.ts";
import type { Cluster, Group, Service } from "./cluster.ts";

/** Services that nothing runs, or that no node may run. */
export function placementProblems(cluster: Cluster): Problem[] {
  const [first] = cluster.services;
  if (first !== undefined && cluster.orchestrator === "none")
    return [
      {
        code: "unsupported",
        severity: "error",
        path: ["services"],
        at: "key",
        message: "with the orchestrator none, nothing runs services",
        fix: "orchestrator: swarm, or leave services out",
        related: [{ path: ["orchestrator"], message: "the orchestrator is here" }],
      },
    ];
  return cluster.services.flatMap((service) => [
    ...constraintProblems(service, cluster.groups),
    ...crowded(service, cluster.groups),
  ]);
}

function constraintProblems(service: Service, groups: readonly Group[]): Problem[] {
  const unmet = Object.entries(service.constraints).filter(
    ([key, value]) => !groups.some((group) => has(group, key, value)),
  );
  const problems = unmet.map(([key, value]): Problem => {
    const values = groups.flatMap((group) => (Object.hasOwn(group.labels, key) ? [group.labels[key] ?? ""] : []));
    const keys = [...new Set(groups.flatMap((group) => Object.keys(group.labels)))].sort();
    return {
      code: "invalid-value",
      severity: "warning",
      path: [...service.path, "constraints", key],
      message: `no group has the label ${key}: ${quoted(value)}, so that ${service.name} will wait`,
      fix:
        values.length > 0
          ? `${key}: ${[...new Set(values)].sort().join(" or ")}`
          : `labels: { ${key}: … } in a group${keys.length === 0 ? "" : `; known so far: ${keys.join(", ")}`}`,
    };
  });
  if (problems.length > 0 || Object.keys(service.constraints).length < 2 || possible(service, groups).length > 0)
    return problems;
  return [
    {
      code: "invalid-value",
      severity: "warning",
      path: [...service.path, "constraints"],
      at: "key",
      message: `no group has all these labels, so that ${service.name} will wait`,
      fix: "give one group all of them",
    },
  ];
}

function crowded(service: Service, groups: readonly Group[]): Problem[] {
  const nodes = possible(service, groups).reduce((sum, group) => sum + group.count, 0);
  if (service.replicas === "global" || service.ports.length === 0 || nodes === 0 || service.replicas <= nodes)
    return [];
  return [
    {
      code: "out-of-range",
      severity: "warning",
      path: [...service.path, "replicas"],
      message: `${service.replicas} replicas of ${service.name} share ${nodes} ${nodes === 1 ? "node" : "nodes"}`,
      fix: `${nodes}, or more nodes that may run it`,
    },
  ];
}

function possible(service: Service, groups: readonly Group[]): readonly Group[] {
  return groups.filter((group) => Object.entries(service.constraints).every(([key, value]) => has(group, key, value)));
}

function has(group: Group, key: string, value: string): boolean {
  return Object.hasOwn(group.labels, key) && group.labels[key] === value;
}
