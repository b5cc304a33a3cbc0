/** Where a member's data and claim lie: on the node's data disk. */
export const etcdData = "/var/lib/slipway/etcd";
/** etcd's settings of this start, written by the agent. */
export const etcdEnvironment = "/var/lib/slipway/etcd.env";
/** Where an instance's keys, certificates and the authorities that it trusts lie. */
export const pkiFolder = "/var/lib/slipway/pki";
export const etcdUnit = "etcd.service";
/** A worker's local endpoint, where the file shares a prefix, and where it leads, written by the agent. */
export const gatewayUnit = "etcd-gateway.service";
export const gatewayEnvironment = "/var/lib/slipway/etcd-gateway.env";
export const clientPort = 2379;
export const peerPort = 2380;
/** Permission for one start on an empty data directory. */
export const firstStart = "/run/slipway/etcd-first-start";
