/** What a group looks like from outside (Auto Scaling API reference: AutoScalingGroup, Instance, Activity, LifecycleHook). */
export type Lifecycle =
  | "Pending"
  | "Pending:Wait"
  | "Pending:Proceed"
  | "InService"
  | "Terminating"
  | "Terminating:Wait"
  | "Terminating:Proceed"
  | "Terminated";

export type Member = {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly template: Template;
  readonly spot: boolean;
  lifecycle: Lifecycle;
  health: "Healthy" | "Unhealthy";
  protected: boolean;
  /** Completes what it waits for at a hook; set while it waits. */
  proceed: ((result: "CONTINUE" | "ABANDON") => void) | undefined;
  /** Moves the end of its waiting on. */
  heartbeat: number;
};

export type Template = { readonly id: string; readonly name: string; readonly version: string };

export type Hook = {
  readonly name: string;
  readonly transition: "autoscaling:EC2_INSTANCE_LAUNCHING" | "autoscaling:EC2_INSTANCE_TERMINATING";
  /** Seconds. */
  readonly timeout: number;
  readonly result: "CONTINUE" | "ABANDON";
};

export type Activity = {
  readonly id: string;
  readonly description: string;
  readonly cause: string;
  readonly start: number;
  end: number | undefined;
  status: "InProgress" | "Successful" | "Failed" | "Cancelled";
  message: string;
  /** Where it launches; `undefined` where it ends one. */
  readonly place: { readonly subnet: string; readonly zone: string } | undefined;
};

export type GroupTag = { readonly key: string; readonly value: string; readonly propagate: boolean };

/** How instances of several types, and as spot, are divided. */
export type Mixture = {
  readonly types: readonly string[];
  readonly onDemandBase: number;
  readonly onDemandPercent: number;
  /** As it was said, for who asks. */
  readonly said: object;
};

export type Group = {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  min: number;
  max: number;
  desired: number;
  template: Template;
  mixture: Mixture | undefined;
  /** In the order in which they were said, each with its zone. */
  subnets: ReadonlyMap<string, string>;
  /** Whether a launch that fails in one zone is tried in another (API reference, AvailabilityZoneDistribution). */
  distribution: "balanced-best-effort" | "balanced-only";
  grace: number;
  maintenance: { readonly least: number; readonly most: number } | undefined;
  capacityRebalance: boolean;
  protectNew: boolean;
  readonly hooks: Map<string, Hook>;
  readonly suspended: Set<string>;
  readonly tags: Map<string, GroupTag>;
  readonly members: Map<string, Member>;
  readonly activities: Activity[];
  /** Subnets in which a launch has failed a short while ago. */
  readonly shunned: Set<string>;
  /** A launch has failed, and the next one is not tried yet. */
  resting: boolean;
  deleting: boolean;
};

/** Processes that can be suspended (Auto Scaling user guide, "Suspend and resume processes"). */
export const processes = [
  "Launch",
  "Terminate",
  "AddToLoadBalancer",
  "AlarmNotification",
  "AZRebalance",
  "HealthCheck",
  "InstanceRefresh",
  "ReplaceUnhealthy",
  "ScheduledActions",
] as const;

/** Those that count for the group: who is going does not. */
export function standing(group: Group): readonly Member[] {
  return [...group.members.values()].filter(({ lifecycle }) => !lifecycle.startsWith("Terminat"));
}
