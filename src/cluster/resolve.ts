import type { Problem, Read } from "../problems/problem.ts";
import { clusterName as judgeName, type ClusterSpec } from "../spec/cluster.ts";
import { resolveAws } from "./aws.ts";
import { awsProblems } from "./aws-problems.ts";
import { awsVolumes } from "./aws-volumes.ts";
import { nodeName, type Cluster, type Group, type Os, type TargetName } from "./cluster.ts";
import { contentProblems } from "./contents.ts";
import { resolveGroup } from "./group.ts";
import { clusterName, sortedEntries } from "./names.ts";
import { resolveFiles } from "./files.ts";
import { machineProblems } from "./machines.ts";
import { portProblems, subnetProblems } from "./network.ts";
import { containerPathProblems, machinePathProblems } from "./paths.ts";
import { placementProblems } from "./placement.ts";
import { roleProblems, rolesOf } from "./roles.ts";
import { resolveService, secretSource } from "./service.ts";
import { resolveUpdates } from "./updates.ts";

/** What the command line says over the file, and the operating system that is meant where the file leaves it open. */
export type ResolveOptions = {
  readonly on?: TargetName;
  readonly name?: string;
  readonly os?: Os;
  readonly usualOs?: Os;
};

/** Fills in every default and judges what only several fields together show. Pure. */
export function resolve(spec: ClusterSpec, options: ResolveOptions = {}): Read<Cluster> {
  const roles = rolesOf(spec.groups);
  const target = options.on ?? spec.target ?? "docker";
  const orchestrator = spec.orchestrator ?? "swarm";
  const groups = sortedEntries(spec.groups)
    .map(([name, group]) => resolveGroup(name, group, roles.get(name) ?? "worker", spec.aws ?? {}))
    .map((group) => (target === "aws" ? { ...group, volumes: awsVolumes(group, orchestrator) } : group));
  const control = groups.filter((group) => group.role === "control");
  const os = options.os ?? osOf(spec, options);
  const cluster: Cluster = {
    name: clusterName(options.name ?? spec.name),
    target,
    orchestrator,
    os,
    updates: resolveUpdates(spec.updates ?? {}),
    groups: [...control, ...groups.filter((group) => group.role !== "control")],
    services: sortedEntries(spec.services ?? {}).map(([name, service]) => resolveService(name, service)),
    registries: sortedEntries(spec.registries ?? {}).map(([host, { username, password }]) => ({
      host,
      username,
      password: secretSource(password),
    })),
    etcd: { share: spec.etcd?.share },
    docker: { subnet: spec.docker?.subnet, publishOn: spec.docker?.publish_on ?? "127.0.0.1" },
    files: resolveFiles(spec.files ?? {}, os),
    aws: resolveAws(
      spec.aws ?? {},
      control.reduce((sum, group) => sum + group.count, 0),
    ),
  };
  const found = [
    ...nameProblems(options.name),
    ...roleProblems(spec.groups),
    ...cluster.groups.flatMap((group) => [
      ...longNames(cluster, group),
      ...machinePathProblems(group),
      ...contentProblems(spec.groups[group.name]?.files ?? [], group.files),
    ]),
    ...portProblems(cluster.services),
    ...cluster.services.flatMap(containerPathProblems),
    ...placementProblems(cluster),
    ...machineProblems(cluster),
    ...subnetProblems(cluster),
    ...awsProblems(cluster, spec),
  ];
  return found.some((problem) => problem.severity === "error")
    ? { kind: "bad", problems: found }
    : { kind: "good", value: cluster, warnings: found };
}

/** Nodes on Docker start from Slipway's own image, which is Debian. */
function osOf(spec: ClusterSpec, { on, usualOs = "flatcar" }: ResolveOptions): Os {
  return (on ?? spec.target ?? "docker") === "docker" ? "debian" : (spec.os ?? usualOs);
}

function nameProblems(name: string | undefined): Problem[] {
  if (name === undefined) return [];
  const complaint = judgeName(name);
  if (complaint === undefined) return [];
  const { code, message, fix } = complaint;
  return [{ code, severity: "error", path: ["name"], message: `--name: ${message}`, fix }];
}

// A node's name is its host name, and a host name is one DNS label.
const longestNodeName = 63;

function longNames(cluster: Cluster, group: Group): Problem[] {
  const name = nodeName(cluster.name, group.name, Math.max(group.count, 1));
  if (name.length <= longestNodeName) return [];
  return [
    {
      code: "invalid-name",
      severity: "error",
      path: group.path,
      at: "key",
      message: `the node name ${name} has ${name.length} characters`,
      fix: `shorten the group's name by ${name.length - longestNodeName}; a node name has at most ${longestNodeName}`,
    },
  ];
}
