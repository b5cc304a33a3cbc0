import type { Path } from "../problems/problem.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };
export type ClusterName = Branded<"ClusterName">;
export type GroupName = Branded<"GroupName">;
/** `<cluster>-<group>-<n>`: a name that stays while instances come and go. */
export type NodeName = Branded<"NodeName">;
export type ServiceName = Branded<"ServiceName">;

export type Role = "control" | "worker";
export type Orchestrator = "swarm" | "none";
export type TargetName = "docker";

export type Labels = Readonly<Record<string, string>>;

/** Where a secret's value is found at launch: a file beside cluster.yml, or an environment variable. */
export type SecretSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "environment"; readonly variable: string };

export type ServicePort = {
  readonly published: number;
  readonly target: number;
  readonly protocol: "tcp" | "udp";
  readonly path: Path;
};
export type ServiceMount = {
  readonly kind: "volume" | "bind" | "tmpfs";
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
};
/** Durations are milliseconds. */
export type HealthCheck = {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly retries: number;
};
export type UpdatePolicy = {
  readonly parallelism: number;
  readonly delay: number;
  readonly monitor: number;
  readonly order: "stop-first" | "start-first";
  readonly onFailure: "pause" | "continue" | "rollback";
};
export type ServiceSecret = {
  readonly name: string;
  /** Path in the container. */
  readonly target: string;
  readonly mode: string;
  readonly source: SecretSource;
};
export type Service = {
  readonly name: ServiceName;
  readonly image: string;
  readonly command: readonly string[];
  /** `global`: one on every node that the constraints allow. */
  readonly replicas: number | "global";
  readonly ports: readonly ServicePort[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Labels;
  readonly mounts: readonly ServiceMount[];
  readonly health: HealthCheck | undefined;
  readonly update: UpdatePolicy;
  /** Node labels that a node must have to run it. */
  readonly constraints: Labels;
  readonly secrets: readonly ServiceSecret[];
  readonly path: Path;
};

export type ExtraFile = {
  readonly path: string;
  readonly content: string;
  readonly mode: string;
  readonly user: string;
  readonly group: string;
  readonly at: Path;
};
export type ExtraUnit = {
  readonly name: string;
  readonly content: string | undefined;
  readonly enabled: boolean;
  readonly masked: boolean;
  readonly dropIns: readonly { readonly name: string; readonly content: string; readonly at: Path }[];
  readonly at: Path;
};

export type Group = {
  readonly name: GroupName;
  readonly role: Role;
  readonly count: number;
  readonly labels: Labels;
  readonly files: readonly ExtraFile[];
  readonly units: readonly ExtraUnit[];
  readonly path: Path;
};

export type Registry = {
  readonly host: string;
  readonly username: string;
  readonly password: SecretSource;
};

export type DockerSettings = {
  /** The nodes' network; undefined: a free one is chosen at launch. */
  readonly subnet: string | undefined;
  /** The address on the engine's machine where ports are published. */
  readonly publishOn: string;
};

/** The resolved cluster: no field is optional-with-default any more. Groups: control first, then by name. */
export type Cluster = {
  readonly name: ClusterName;
  readonly target: TargetName;
  readonly orchestrator: Orchestrator;
  readonly groups: readonly Group[];
  readonly services: readonly Service[];
  readonly registries: readonly Registry[];
  readonly etcd: {
    /** The key prefix that workers may read and write; undefined: workers have no access. */
    readonly share: string | undefined;
  };
  readonly docker: DockerSettings;
};

/** The only group with the control role; `resolve` makes sure that there is exactly one. */
export function controlGroup(cluster: Cluster): Group {
  const group = cluster.groups.find((candidate) => candidate.role === "control");
  if (group === undefined) throw new Error(`cluster ${cluster.name} has no control group`);
  return group;
}

export function nodeName(cluster: ClusterName, group: GroupName, n: number): NodeName {
  return `${cluster}-${group}-${n}` as NodeName;
}
