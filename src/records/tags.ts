/** The tags by which everything that a cluster has on AWS is found again, and by which an instance knows what is its. */
export const tagNames = {
  cluster: "slipway.cluster",
  group: "slipway.group",
  node: "slipway.node",
  /** The interface whose address a control node keeps. */
  interface: "slipway.interface",
  /** With a dot and the volume's name: which disk that is. */
  volume: "slipway.volume",
  /** The stack that made it, and the resource in it that waits for this instance's word. */
  stack: "slipway.stack",
  resource: "slipway.resource",
} as const;

/** Where a node shows the disk of a volume, under the volume's name, once it is attached. */
export const attachedFolder = "/dev/disk/by-slipway";

/**
 * With dots between, which no name of the file has, so that the group b-c of the cluster a and the group c of the cluster a-b
 * have two names.
 */
export function dotted(...parts: readonly (string | number)[]): string {
  return parts.join(".");
}

/** The hook by which an instance is told that it will be terminated, and for which its node answers. */
export const leavingHookName = "leave";
