import type { ClusterName, GroupName, Labels, ServiceName } from "./cluster.ts";

/** A cluster's name, which reading has judged. */
export function clusterName(name: string): ClusterName {
  return name as ClusterName;
}

/** A group's name, which reading has judged. */
export function groupName(name: string): GroupName {
  return name as GroupName;
}

/** A service's name, which reading has judged. */
export function serviceName(name: string): ServiceName {
  return name as ServiceName;
}

/** Entries in the order of their names' UTF-16 units, the same in every language. */
export function sortedEntries<Value>(map: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A map of texts, sorted by name; none is an empty one. */
export function labelsOf(map: Readonly<Record<string, string>> | undefined): Labels {
  return Object.fromEntries(sortedEntries(map ?? {}));
}
