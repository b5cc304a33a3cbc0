import type { ClusterName, NodeName } from "../../cluster/cluster.ts";
import type { Path } from "../../problems/problem.ts";
import type { ProgramSums } from "../target.ts";
import type { WantedStack } from "./stack/change-set.ts";

/** What a person may have removed apart, because it is not the stack's. */
export type Thing =
  | "address"
  | "instance"
  | "interface"
  | "log-group"
  | "security-group"
  | "snapshot"
  | "stack"
  | "bucket"
  | "volume";

/** A whole stack as it is to be, with what its progress is told by. */
export type StackWork = {
  readonly kind: "stack";
  readonly wanted: WantedStack;
  /** Undefined: there is no stack yet. */
  readonly changeSet: string | undefined;
  /** A creation that fails is left as it is. */
  readonly leave: boolean;
  readonly programs: ProgramSums;
  readonly architectures: readonly (keyof ProgramSums["node"])[];
  /** How many resources there are. */
  readonly total: number;
  /** The resource that waits for an autoscaling group's instances, and how many they are to be, by the group's name. */
  readonly groups: Readonly<Record<string, { readonly resource: string; readonly count: number }>>;
  readonly origins: Readonly<Record<string, Path>>;
};

/** What the runner has this target do; plain data. */
export type AwsWork =
  | StackWork
  /** Against a removal by mistake, once the stack stands. */
  | { readonly kind: "protect"; readonly cluster: ClusterName }
  /** Waits until every group has its instances, and each is in the roster. */
  | {
      readonly kind: "arrive";
      readonly cluster: ClusterName;
      readonly bucket: string;
      readonly owner: string;
      readonly groups: Readonly<Record<string, number>>;
      /** Over how many zones each is spread. */
      readonly zones: Readonly<Record<string, number>>;
    }
  /** A control node's instance goes, and its group brings another. */
  | {
      readonly kind: "replace";
      readonly cluster: ClusterName;
      readonly node: NodeName;
      readonly group: string;
      readonly instance: string;
    }
  | { readonly kind: "start"; readonly cluster: ClusterName; readonly node: NodeName; readonly instance: string }
  | {
      readonly kind: "resize";
      readonly group: string;
      readonly size: { readonly MinSize: number; readonly MaxSize: number; readonly DesiredCapacity: number };
      /** Its processes are suspended, and there is nothing left to leave alone. */
      readonly resume: boolean;
    }
  /** A node's instance goes for good, and its group is one smaller. */
  | { readonly kind: "shrink"; readonly cluster: ClusterName; readonly instance: string }
  /** `id`: a name where the thing has one. */
  | { readonly kind: "delete"; readonly cluster: ClusterName; readonly thing: Thing; readonly id: string };
