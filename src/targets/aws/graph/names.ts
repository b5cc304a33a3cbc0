import { createHash } from "node:crypto";
import type { Cluster, Group } from "../../../cluster/cluster.ts";
import type { Origin } from "../../../machine/machine.ts";
import { dotted, tagNames } from "../../../records/tags.ts";
import { pseudo, type Value } from "./value.ts";

/**
 * A name of the file as a part of a logical id, which has letters and digits only. Where a dash stands before no letter its
 * place is lost with it, so a sum of the name keeps such names apart.
 */
export function idPart(name: string): string {
  const joined = name
    .replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
    .replace(/[^A-Za-z0-9]/g, "");
  if (/^[a-z]+[a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(name)) return joined;
  return `${/^[0-9]/.test(joined) ? "N" : ""}${joined}H${createHash("sha256").update(name).digest("hex").slice(0, 6)}`;
}

/** An address range as a part of a logical id. */
export function rangePart(range: string): string {
  return range.replaceAll(/[^0-9]/g, "x");
}

/** A group's resources are made for the group. */
export function originOf({ path }: Group): Origin {
  return { kind: "field", path };
}

export function clusterTags(cluster: Cluster, name: string): Readonly<Record<string, Value>> {
  return { ...cluster.aws.tags, Name: name, [tagNames.cluster]: cluster.name };
}

export function groupTags(cluster: Cluster, group: Group, name: string): Readonly<Record<string, Value>> {
  return {
    ...cluster.aws.tags,
    ...group.aws.tags,
    Name: name,
    [tagNames.cluster]: cluster.name,
    [tagNames.group]: group.name,
  };
}

/** By what an instance knows what waits for its word. */
export function waitingTags(resource: string): Readonly<Record<string, Value>> {
  return { [tagNames.stack]: pseudo("StackName"), [tagNames.resource]: resource };
}

/** What an account knows by name, such as an autoscaling group. */
export function nameOf(cluster: Cluster, ...rest: readonly (string | number)[]): string {
  return dotted(cluster.name, ...rest);
}

/** The change set that a launch executes; there is one at most, made under the cluster's lock. */
export const launching = "slipway";
