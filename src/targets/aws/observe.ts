import type { NodeName } from "../../cluster/cluster.ts";
import type { Observed, ObservedNode } from "../../plan/plan.ts";
import type { RecordValue } from "../../records/table.ts";
import type { Instance } from "./clients/ec2.ts";
import { tagNames } from "../../records/tags.ts";
import type { Look } from "./look.ts";
import { tagOf } from "./tags.ts";

type Entry = RecordValue<"roster">;

/**
 * The roster's entry of an instance. A control member is its disk, whatever machine that is attached to, and is known by the
 * name in the machine's tag; a worker's identity ends with the id that EC2 knows it by.
 */
export function entryOf(roster: readonly Entry[], instance: Instance): Entry | undefined {
  const named = tagOf(instance, tagNames.node);
  return named === undefined
    ? roster.find((entry) => entry.instance.endsWith(`.${instance.InstanceId}`))
    : roster.find((entry) => entry.node === named && entry.state !== "gone");
}

/** On which machine of EC2's a node runs, by its own record. */
export function machineOf({ machine, instance }: Pick<RecordValue<"node">, "machine" | "instance">): string {
  return machine ?? instance.slice(instance.lastIndexOf(".") + 1);
}

/** The same of a node that EC2 has shown. */
export function ec2Id({ machine, name }: ObservedNode): string {
  if (machine === undefined) throw new Error(`nobody knows on which machine ${name} runs`);
  return machine;
}

/**
 * A node of AWS: control nodes have their names in their tags, workers get theirs from control nodes, in the roster. One that
 * has none yet goes by its instance's id.
 */
export function nodeOf(instance: Instance, roster: readonly RecordValue<"roster">[]): ObservedNode {
  const id = instance.InstanceId ?? "";
  const entry = entryOf(roster, instance);
  const named = tagOf(instance, tagNames.node);
  const state = instance.State?.Name;
  return {
    // Written from a node's name, by the template or by a control node.
    name: (named ?? entry?.node ?? id) as NodeName,
    group: tagOf(instance, tagNames.group) ?? entry?.group ?? "",
    role: named === undefined ? (entry?.role ?? "worker") : "control",
    instance: entry?.instance ?? id,
    address: entry?.address ?? instance.PrivateIpAddress ?? "",
    state: state === "stopping" || state === "stopped" ? "stopped" : "running",
    shape: "",
    machine: id,
  };
}

/** What there is of a cluster, from one look. Pure. */
export function observedIn({ cluster, stack, place, instances, roster, services }: Look): Observed {
  if (stack === undefined && place === undefined) return { cluster, state: "absent", nodes: [], published: [] };
  const nodes = instances
    .map((instance) => nodeOf(instance, roster))
    .toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const addresses = instances
    .filter(({ State }) => State?.Name === "running")
    .map(({ PublicIpAddress, PrivateIpAddress }) => PublicIpAddress ?? PrivateIpAddress ?? "")
    .filter((address) => address !== "");
  const ports = (services?.services ?? []).flatMap((service) => service.ports);
  return {
    cluster,
    state: "present",
    nodes,
    published: ports.flatMap(({ published: port, protocol }) =>
      addresses.map((address) => ({ port, protocol, address: `${address}:${port}` })),
    ),
  };
}
