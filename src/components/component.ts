import type { Cluster, Group } from "../cluster/cluster.ts";
import type { MachineConfig } from "../machine/machine.ts";

/** Which port of a node must be reachable, and from whom. */
export type Port = {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly from: "control" | "nodes" | "operators";
  readonly what: string;
};

/** What a group runs; never acts. */
export interface Component {
  readonly name: string;
  /** Files and units, each with its origin. */
  machine(cluster: Cluster, group: Group): MachineConfig;
  ports(cluster: Cluster, group: Group): readonly Port[];
}
