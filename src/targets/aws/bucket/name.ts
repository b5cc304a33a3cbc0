import { createHash } from "node:crypto";
import type { ClusterName } from "../../../cluster/cluster.ts";

/** What S3 takes as a bucket's name (S3 user guide, "General purpose bucket naming rules"). */
const longest = 63;

/**
 * The bucket of a cluster's store: found by anyone who may look into the account, without being told. Names of buckets are
 * everybody's; the sum keeps clusters apart whose names were cut, and account and region say whose it is.
 */
export function bucketName(cluster: ClusterName, account: string, region: string): string {
  const sum = createHash("sha256").update(`${cluster}\0${account}\0${region}`).digest("hex").slice(0, 8);
  const end = `-${sum}-${account}-${region}`;
  return `slipway-${cluster}`.slice(0, longest - end.length).replace(/-+$/, "") + end;
}
