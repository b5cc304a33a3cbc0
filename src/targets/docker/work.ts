import type { ClusterName, GroupName, NodeName, Role } from "../../cluster/cluster.ts";

/** What a new instance of a node is made of; the hash of it (without instance) is the container's shape. */
export type NodeContainer = {
  readonly name: NodeName;
  readonly group: GroupName;
  readonly role: Role;
  readonly instance: string;
  readonly address: string;
  readonly subnet: string;
  readonly image: string;
};

export type GatewayContainer = {
  readonly image: string;
  readonly subnet: string;
  readonly publishOn: string;
  readonly ports: readonly { readonly port: number; readonly protocol: "tcp" | "udp" }[];
  /** Hash of the runtime, the agent and the gateway program. */
  readonly runtime: string;
};

/** One act on the engine; idempotent, by fixed names. */
export type DockerWork =
  | { readonly kind: "gateway"; readonly cluster: ClusterName; readonly gateway: GatewayContainer }
  | { readonly kind: "node"; readonly cluster: ClusterName; readonly node: NodeContainer }
  | { readonly kind: "start"; readonly cluster: ClusterName; readonly node: NodeName }
  /** Stops in good order within so many seconds; the container goes, the volumes stay. */
  | { readonly kind: "end"; readonly node: NodeName; readonly instance: string; readonly seconds: number }
  | {
      readonly kind: "removeNode";
      readonly cluster: ClusterName;
      readonly node: NodeName;
      readonly instance: string;
      readonly volumes: boolean;
    }
  | { readonly kind: "removeGateway"; readonly cluster: ClusterName }
  | { readonly kind: "removeVolume"; readonly cluster: ClusterName; readonly volume: string }
  | { readonly kind: "removeNetwork"; readonly cluster: ClusterName };
