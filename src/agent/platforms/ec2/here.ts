import { ec2, type Ec2 } from "../../../host/aws/ec2.ts";
import { imds, type Ec2Identity, type Imds } from "../../../host/aws/imds.ts";
import { awsQuery, queryService, type AwsQuery } from "../../../host/aws/query.ts";
import { awsRequester } from "../../../host/aws/request.ts";
import { objectKey, recordKey } from "../../../records/objects.ts";
import { s3Store } from "../../../store/s3.ts";
import type { ClusterStore } from "../../../store/store.ts";
import { bootstrapFile } from "../local.ts";
import type { PlatformPorts } from "../platform.ts";
import { ownTags, type OwnTags } from "./own.ts";

const bucketFile = "/etc/slipway/bucket";

/** This instance, and AWS as it sees it. */
export type Here = {
  readonly cluster: string;
  readonly group: string;
  /** SHA-256 of the root certificate, where the operator had founded the cluster when the user data was made. */
  readonly pin: string | undefined;
  readonly who: Ec2Identity;
  readonly tags: OwnTags;
  readonly metadata: Imds;
  readonly ec2: Ec2;
  readonly store: ClusterStore;
  readonly call: (service: "autoscaling" | "cloudformation" | "ec2" | "sts") => AwsQuery;
};

/** Asks the metadata service who this instance is, and opens the ways to AWS and to the bucket. */
export async function lookAround({ files, clock, random, signal, fetch }: PlatformPorts): Promise<Here> {
  const [boot, bucket] = await Promise.all([bootstrapFile(files), files.read(bucketFile)]);
  const { cluster, group } = boot;
  if (cluster === undefined || group === undefined || bucket === undefined)
    throw new Error(`the user data names no cluster, no group, or no bucket in ${bucketFile}`);
  const asking = { clock, signal, ...(fetch === undefined ? {} : { fetch }) };
  const metadata = imds(asking);
  const who = await metadata.identity();
  const domain = (await metadata.get("meta-data/services/domain")) ?? "amazonaws.com";
  const { region } = who;
  const request = awsRequester({ ...asking, region, credentials: (anew) => metadata.credentials(anew), random });
  const call: Here["call"] = (service) => awsQuery(queryService(service, region, domain), request);
  const store = s3Store({
    url: `https://${bucket.trim()}.s3.${region}.${domain}`,
    owner: who.account,
    request,
    random,
    names: { object: objectKey, key: recordKey },
  });
  return {
    cluster,
    group,
    pin: boot.pin,
    who,
    tags: await ownTags(metadata),
    metadata,
    ec2: ec2({ ec2: call("ec2"), autoscaling: call("autoscaling") }),
    store,
    call,
  };
}
