import type { ClusterName, NodeName } from "../../cluster/cluster.ts";

/** Labels on every container, network and volume that belongs to a cluster; they are the target's only state. */
export const label = {
  cluster: "slipway.cluster",
  group: "slipway.group",
  role: "slipway.role",
  node: "slipway.node",
  instance: "slipway.instance",
  address: "slipway.address",
  shape: "slipway.shape",
  /** gateway, node, data, docker, store, runtime or network. */
  part: "slipway.part",
} as const;

export const networkName = (cluster: ClusterName): string => cluster;
export const gatewayName = (cluster: ClusterName): string => `${cluster}-gateway`;
export const storeVolume = (cluster: ClusterName): string => `${cluster}-store`;
export const runtimeVolume = (cluster: ClusterName): string => `${cluster}-runtime`;
export const dataVolume = (node: NodeName): string => `${node}-data`;
export const dockerVolume = (node: NodeName): string => `${node}-docker`;

/** Where the gateway's store listens inside the cluster's network. */
export const storePort = 2443;
/** Container ports of the gateway that lead to the managers' Docker API and to etcd. */
export const dockerApiPort = 2376;
export const etcdPort = 2379;
