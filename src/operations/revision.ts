import { createHash } from "node:crypto";
import type { Cluster, Group } from "../cluster/cluster.ts";
import { components } from "../components/registry.ts";
import { mergeMachines } from "../machine/merge.ts";
import type { Read } from "../problems/problem.ts";
import type { RecordValue } from "../records/table.ts";

export type GroupRevision = RecordValue<"groupRevision">;
export type ServicesRevision = RecordValue<"servicesRevision">;
export type Revision = {
  readonly id: string;
  readonly groups: readonly GroupRevision[];
  readonly services: ServicesRevision;
  /** What it stands on where something floats. */
  readonly facts?: RecordValue<"facts">;
};

/** What the outside has to say before a revision can be described. */
export type RevisionFacts = {
  /** Ids of images that lie on the operator's engine, by reference. */
  readonly imageIds: ReadonlyMap<string, string>;
  /** Versions of secrets by `<service>.<secret>`, and of logins by host. */
  readonly secretVersions: ReadonlyMap<string, string>;
  /** What the target's world said, and when. */
  readonly facts?: { readonly value: unknown; readonly gathered: number };
};

/** The name of a service's secret in the store; a service's name has no dot. */
export function secretName(service: string, secret: string): string {
  return `${service}.${secret}`;
}

function wantedOf(cluster: Cluster, group: Group): GroupRevision["wanted"] {
  const control = cluster.groups.find((candidate) => candidate.role === "control");
  return {
    labels: { ...group.labels },
    ...(group.role === "control" || cluster.etcd.share !== undefined
      ? {
          etcd: {
            size: control?.count ?? 1,
            ...(cluster.etcd.share === undefined ? {} : { share: cluster.etcd.share }),
          },
        }
      : {}),
    ...(cluster.orchestrator === "swarm" ? { swarm: { managers: control?.count ?? 1 } } : {}),
  };
}

function servicesOf(cluster: Cluster, facts: RevisionFacts): ServicesRevision["services"] {
  return cluster.services.map((service) => {
    const imageId = facts.imageIds.get(service.image);
    return {
      name: service.name,
      image: service.image,
      ...(imageId === undefined ? {} : { imageId }),
      command: [...service.command],
      replicas: service.replicas,
      ports: service.ports.map(({ published, target, protocol }) => ({ published, target, protocol })),
      environment: { ...service.environment },
      labels: { ...service.labels },
      mounts: service.mounts.map((mount) => ({ ...mount })),
      ...(service.health === undefined ? {} : { health: { ...service.health, command: [...service.health.command] } }),
      update: { ...service.update },
      constraints: { ...service.constraints },
      secrets: service.secrets.map(({ name, target, mode }) => ({
        name,
        target,
        mode,
        version: facts.secretVersions.get(secretName(service.name, name)) ?? "",
      })),
    };
  });
}

/** JSON with sorted keys, so that the same revision always has the same id. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** What a group's machines are to be: every component's part in one. */
export function machineOf(cluster: Cluster, group: Group): ReturnType<typeof mergeMachines> {
  return mergeMachines(components.map((component) => component.machine(cluster, group)));
}

/** The immutable revision of a cluster: per group machine config and wanted, and the services. Pure. */
export function describe(cluster: Cluster, facts: RevisionFacts): Read<Revision> {
  const problems = [];
  const groups: Omit<GroupRevision, "revision">[] = [];
  for (const group of cluster.groups) {
    const merged = machineOf(cluster, group);
    problems.push(...merged.problems);
    groups.push({
      group: group.name,
      role: group.role,
      machine: mutable(merged.machine),
      wanted: wantedOf(cluster, group),
    });
  }
  if (problems.length > 0) return { kind: "bad", problems };
  const services = servicesOf(cluster, facts);
  const logins = cluster.registries.map(({ host }) => ({ host, version: facts.secretVersions.get(host) ?? "" }));
  const labels = Object.fromEntries(cluster.groups.map((group) => [group.name, { ...group.labels }]));
  const pinned = facts.facts === undefined ? {} : { facts: facts.facts.value };
  const id = createHash("sha256")
    .update(canonical({ groups, services, logins, labels, ...pinned }))
    .digest("hex")
    .slice(0, 12);
  return {
    kind: "good",
    value: {
      id,
      groups: groups.map((group) => ({ revision: id, ...group })),
      services: { revision: id, services, labels, logins },
      ...(facts.facts === undefined
        ? {}
        : { facts: { revision: id, facts: facts.facts.value, gathered: facts.facts.gathered } }),
    },
    warnings: [],
  };
}

/** Records are plain mutable data; the model's lists are not. */
function mutable(machine: ReturnType<typeof mergeMachines>["machine"]): GroupRevision["machine"] {
  return structuredClone(machine) as GroupRevision["machine"];
}
