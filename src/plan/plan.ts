import type { ClusterName, NodeName, TargetName } from "../cluster/cluster.ts";
import type { Path } from "../problems/problem.ts";

/** A line of a plan that a person judges. */
export type Change = {
  readonly id: string;
  readonly action: "create" | "update" | "replace" | "delete" | "unclear";
  /** node, service, network, gateway, config, store … */
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly nodes: { readonly restarted: readonly NodeName[]; readonly replaced: readonly NodeName[] };
  /** The field of cluster.yml that causes it. */
  readonly origin?: Path;
  /** Dollars a month that it costs from then on, where it costs anything. */
  readonly monthly?: number;
};

/** How a plan was made: computed by us, or by CloudFormation. */
export type Forecast = "computed" | "change-set";

/** What there is to know of the whole, where a target has something to say. */
export type Outlook = {
  /** Dollars a month of the whole cluster. */
  readonly monthly?: number;
  /** Calls of the target's API that carrying it out will take. */
  readonly calls?: number;
  readonly notes: readonly string[];
};

/** What the runner executes; `Work` is plain data that only the target understands. */
export type Step<Work> = {
  /** Ids of the changes that it carries out. */
  readonly carries: readonly string[];
  readonly title: string;
  readonly subject: string;
  /** Steps of one wave run side by side, those of one subject in order; the next wave waits for all of them. */
  readonly wave: number;
} & (
  | { readonly kind: "work"; readonly work: Work }
  // Into the roster, with a new token that the following work puts into the instance.
  | { readonly kind: "enrol"; readonly node: PlannedNode }
  | { readonly kind: "publish"; readonly revision: string }
  // The runner asks the quorum guard first. `retire`: leaves for good; `pause`: goes and comes back.
  | { readonly kind: "retire" | "pause"; readonly node: PlannedNode }
  | { readonly kind: "forget"; readonly instance: string }
  | { readonly kind: "await"; readonly nodes: readonly NodeName[]; readonly until: "ready" | "left" }
);

export type PlannedNode = {
  readonly name: NodeName;
  readonly group: string;
  readonly role: "control" | "worker";
  readonly instance: string;
  readonly address: string;
};

export type Plan<Work> = {
  readonly cluster: ClusterName;
  readonly target: TargetName;
  readonly forecast: Forecast;
  readonly outlook?: Outlook;
  readonly changes: readonly Change[];
  readonly steps: readonly Step<Work>[];
};

/** One node as the target shows it. */
export type ObservedNode = PlannedNode & {
  /** `missing`: its data is there, its container is not. */
  readonly state: "running" | "stopped" | "created" | "missing";
  /** Hash of what only a new instance can change. */
  readonly shape: string;
  /** What the provider calls its machine, where that is another name than the instance's. */
  readonly machine?: string;
};

/** What the target says exists; read back every time, never remembered. */
export type Observed = {
  readonly cluster: ClusterName;
  readonly state: "absent" | "present";
  readonly nodes: readonly ObservedNode[];
  /** Addresses on the engine's machine by published port. */
  readonly published: readonly { readonly port: number; readonly protocol: "tcp" | "udp"; readonly address: string }[];
};
