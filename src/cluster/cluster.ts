import type { Path } from "../problems/problem.ts";
import type { AwsSettings, GroupAws } from "./aws-settings.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };
export type ClusterName = Branded<"ClusterName">;
export type GroupName = Branded<"GroupName">;
/** `<cluster>-<group>-<n>`: a name that stays while instances come and go. */
export type NodeName = Branded<"NodeName">;
export type ServiceName = Branded<"ServiceName">;

export type Role = "control" | "worker";
export type Orchestrator = "swarm" | "none";
export type TargetName = "docker" | "files" | "aws";

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

/** What a file holds: text, bytes that are no text, or where it is fetched from and the sum it must have then. */
export type FileContents =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly base64: string }
  | {
      readonly kind: "remote";
      readonly url: string;
      /** `sha256-` or `sha512-` and the sum of what is unpacked, in hexadecimal digits. */
      readonly hash: string;
      readonly compression: "none" | "gzip";
    };
export type ExtraDirectory = {
  readonly path: string;
  readonly mode: string;
  readonly user: string;
  readonly group: string;
  readonly at: Path;
};
export type ExtraFile = ExtraDirectory & { readonly contents: FileContents };
export type ExtraLink = { readonly path: string; readonly target: string; readonly at: Path };
export type ExtraUser = {
  readonly name: string;
  /** Public SSH keys. */
  readonly keys: readonly string[];
  readonly uid: number | undefined;
  readonly comment: string;
  readonly home: string;
  readonly shell: string | undefined;
  readonly primaryGroup: string | undefined;
  readonly groups: readonly string[];
  readonly system: boolean;
  readonly at: Path;
};
export type ExtraUserGroup = {
  readonly name: string;
  readonly gid: number | undefined;
  readonly system: boolean;
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

/** A disk for data, formatted once, when it is empty. */
export type Volume = {
  readonly name: string;
  /** Bytes; undefined: as large as it is. */
  readonly size: number | undefined;
  /** The provider's kind of disk; undefined: its usual one. */
  readonly type: string | undefined;
  /** Undefined: the target knows, or the disk bears the volume's label already. */
  readonly device: string | undefined;
  /** Its number in the device's table, from 1; undefined: the whole device. */
  readonly partition: number | undefined;
  readonly format: "ext4" | "xfs" | "btrfs" | "swap";
  /** Undefined for swap. */
  readonly mount: string | undefined;
  readonly onTermination: "keep" | "delete";
  readonly at: Path;
};

export type Group = {
  readonly name: GroupName;
  readonly role: Role;
  readonly count: number;
  readonly labels: Labels;
  readonly files: readonly ExtraFile[];
  readonly directories: readonly ExtraDirectory[];
  readonly links: readonly ExtraLink[];
  readonly users: readonly ExtraUser[];
  readonly userGroups: readonly ExtraUserGroup[];
  readonly units: readonly ExtraUnit[];
  readonly kernelArguments: readonly { readonly argument: string; readonly at: Path }[];
  readonly volumes: readonly Volume[];
  readonly aws: GroupAws;
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

/** Where the store of a cluster runs whose nodes anyone may start. */
export type FilesSettings = {
  /** `https://ip:port`, as nodes see it; undefined: no launch on files is meant. */
  readonly store: string | undefined;
  /** The folder of `slipway store serve`. */
  readonly data: string;
  /** The machine that it runs on, as ssh takes it; undefined: this one. */
  readonly ssh: string | undefined;
  /** Who logs in to nodes. */
  readonly user: string;
};

export type Os = "debian" | "ubuntu" | "flatcar" | "fedora-coreos";
export type Weekday = "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun";

/** How the operating system is kept up to date. */
export type Updates = {
  /** Flatcar's; undefined: the image's own. */
  readonly channel: string | undefined;
  readonly group: string | undefined;
  readonly server: string | undefined;
  readonly reboot: "never" | "window" | "always";
  /** UTC. Undefined unless `reboot` is `window`. */
  readonly window:
    | {
        /** Minutes after midnight. */
        readonly start: number;
        /** Minutes. */
        readonly length: number;
        /** All seven: every day. */
        readonly days: readonly Weekday[];
      }
    | undefined;
};

/** The resolved cluster: no field is optional-with-default any more. Groups: control first, then by name. */
export type Cluster = {
  readonly name: ClusterName;
  readonly target: TargetName;
  readonly orchestrator: Orchestrator;
  readonly os: Os;
  readonly updates: Updates;
  readonly groups: readonly Group[];
  readonly services: readonly Service[];
  readonly registries: readonly Registry[];
  readonly etcd: {
    /** The key prefix that workers may read and write; undefined: workers have no access. */
    readonly share: string | undefined;
  };
  readonly docker: DockerSettings;
  readonly files: FilesSettings;
  readonly aws: AwsSettings;
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
