import type { Cluster, Group } from "../../cluster/cluster.ts";
import { bucketMark, bucketPointer, type Runtime } from "../../machine/bucket-pointer.ts";
import { ownFormat } from "../../machine/formats/format.ts";
import { partsOf, type Part } from "../../machine/formats/parts.ts";
import { formats } from "../../machine/formats/registry.ts";
import { storeBucket } from "./graph/store.ts";
import { textOf, type Value } from "./graph/value.ts";

/** What a node boots with: the programs, by their sums, and where the operator has founded the cluster its root and generation. */
export type Boot = {
  readonly runtime: Runtime;
  /** SHA-256 of the root certificate; absent: the root that stands in the store, which operators alone write. */
  readonly pin?: string;
};

const pointerOf = (cluster: Cluster, group: Group, boot: Boot) =>
  bucketPointer({ cluster: cluster.name, group: group.name, bucket: bucketMark, ...boot });

/** Where a group's user data has its bytes. */
export function userDataParts(cluster: Cluster, group: Group, boot: Boot): readonly Part[] {
  return partsOf(pointerOf(cluster, group, boot), formats[ownFormat[cluster.os]], { system: cluster.os });
}

/** The text of a group's user data, with a mark where the bucket's name is to be. */
export function userDataText(cluster: Cluster, group: Group, boot: Boot): string {
  const machine = pointerOf(cluster, group, boot);
  const { text, problems } = formats[ownFormat[cluster.os]].render(machine, { system: cluster.os });
  const [first] = problems;
  if (first !== undefined) throw new Error(`the pointer cannot be said on ${cluster.os}: ${first.message}`);
  return text;
}

/** User data of a group: a pointer to the store, whose bucket is known only when the stack is made. */
export function userDataOf(cluster: Cluster, boot: Boot): (group: Group) => Value {
  return (group) => {
    const pieces = userDataText(cluster, group, boot).split(bucketMark);
    if (pieces.length !== 2) throw new Error("the user data does not name the store's bucket once");
    return textOf(...pieces.flatMap((piece, index) => (index === 0 ? [piece] : [storeBucket, piece])));
  };
}
