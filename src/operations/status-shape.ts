import type { ClusterName, NodeName, Role, TargetName } from "../cluster/cluster.ts";

export type NodeState = "absent" | "starting" | "ready" | "degraded" | "stopped" | "failed" | "unknown";

export type NodeStatus = {
  readonly name: NodeName;
  readonly instance: string;
  readonly group: string;
  readonly role: Role;
  readonly state: NodeState;
  /** The first reconciler that is not settled; `boot` before the node has said anything. */
  readonly phase: string;
  readonly reason?: string;
  readonly address: string;
  readonly revision: string;
  /** Since when it is in this state, ISO 8601; empty when nobody knows. */
  readonly since: string;
};
export type ServiceStatus = {
  readonly name: string;
  readonly desired: number;
  readonly running: number;
  /** Where its published ports answer on the engine's machine: `http://127.0.0.1:8080` for tcp, `udp://…` for udp. */
  readonly addresses: readonly string[];
};
export type EtcdMemberState = "voter" | "learner" | "unhealthy" | "unstarted";
export type EtcdStatus = {
  /** The leader's node name; empty when no control node sees one. */
  readonly leader: string;
  readonly members: readonly {
    readonly name: string;
    readonly id: string;
    readonly state: EtcdMemberState;
  }[];
};
/** What `slipway status --json` prints, field by field. */
export type Status = {
  readonly cluster: ClusterName;
  readonly target: TargetName;
  readonly state: NodeState;
  readonly nodes: readonly NodeStatus[];
  readonly services: readonly ServiceStatus[];
  readonly etcd: EtcdStatus;
  /** Machines that asked to join and were not let in; absent where there are none. */
  readonly refused?: readonly { readonly instance: string; readonly reason: string; readonly since: string }[];
};
