import type { Cluster } from "../../cluster/cluster.ts";
import type { Published } from "../target.ts";
import { architecturesOf, ensurePrograms, programSums, type Programs } from "./bucket/programs.ts";
import { ensureBucket } from "./bucket/make.ts";
import { askBucket, type Place } from "./bucket/requests.ts";
import type { Session } from "./clients/session.ts";
import type { AwsFacts } from "./facts/facts.ts";
import { storeParameter } from "./graph/store.ts";
import { foundPlace, parameterOf, stackOf } from "./look.ts";
import { compiledFor } from "./plan.ts";

/** Where a template is published is no address in S3, or not the cluster's. */
class PublishError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "PublishError";
    this.next = next;
  }
}

/** `s3://BUCKET/FOLDER` taken apart; the folder ends with a slash, or is nothing. */
function addressIn(to: string): { readonly bucket: string; readonly folder: string } {
  const [, bucket, path = ""] = /^s3:\/\/([a-z0-9][a-z0-9-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/.exec(to) ?? [];
  if (bucket === undefined)
    throw new PublishError(`${JSON.stringify(to)} is no place in S3`, "--publish s3://BUCKET/FOLDER");
  return { bucket, folder: path === "" || path.endsWith("/") ? path : `${path}/` };
}

/** The bucket in which a template is published is its cluster's store: nodes find their root there, and their programs. */
export async function publishingPlace(session: Session, cluster: Cluster, to: string): Promise<Place> {
  const { bucket } = addressIn(to);
  const [{ account }, stack] = await Promise.all([session.identity(), stackOf(session, cluster.name)]);
  const own = parameterOf(stack, storeParameter.name);
  if (own !== undefined && own !== bucket)
    throw new PublishError(
      `${cluster.name} is there, and its store is in ${own || "a bucket that its stack has made"}: a template of it is published there`,
      `--publish s3://${own || "BUCKET"}/FOLDER, or --name another`,
    );
  const named = cluster.aws.bucket;
  if (named !== undefined && named !== bucket)
    throw new PublishError(
      `the file has the store of ${cluster.name} in the bucket ${named}, and a template is published to its store`,
      `--publish s3://${named}/FOLDER`,
    );
  const place = { session, bucket, owner: account };
  // Two stores of one cluster would be two roots.
  session.buckets.set(cluster.name, bucket);
  const there = stack === undefined ? await foundPlace(session, cluster.name) : undefined;
  if (there !== undefined && there.bucket !== bucket)
    throw new PublishError(
      `the store of ${cluster.name} is in the bucket ${there.bucket}: a template of it is published there`,
      `--publish s3://${there.bucket}/FOLDER, or slipway cleanup ${cluster.name} first`,
    );
  await ensureBucket(place, cluster);
  return place;
}

/** Facts that are the same whoever launches the template: who that is, and what an earlier cluster has left, are none. */
export function sharedFacts(facts: AwsFacts): AwsFacts {
  const { account, region, zones, images, securityGroups, programs } = facts;
  return {
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
    ...(zones === undefined ? {} : { zones }),
    ...(images === undefined ? {} : { images }),
    ...(securityGroups === undefined ? {} : { securityGroups }),
    ...(programs === undefined ? {} : { programs }),
  };
}

/** Puts a cluster's template into its store, and beside it the programs that its nodes fetch. */
export async function publishTemplate(
  place: Place,
  cluster: Cluster,
  to: string,
  facts: AwsFacts,
  pin: string,
  programs: () => Promise<Programs>,
): Promise<Published> {
  const sums = facts.programs ?? programSums(await programs());
  const { text, graph } = compiledFor(cluster, facts, sums, pin);
  await ensurePrograms(place, architecturesOf(cluster), sums, programs);
  const key = `${addressIn(to).folder}${cluster.name}.template.json`;
  const body = new TextEncoder().encode(text);
  await askBucket(place, { action: "s3:PutObject", method: "PUT", path: key, body });
  const url = `${await place.session.bucketUrl(place.bucket)}/${key}`;
  const unsaid = graph.parameters
    .filter(({ default: usual }) => usual === undefined)
    .map(({ name }) => ` ParameterKey=${name},ParameterValue=…`);
  return {
    url,
    next: `aws cloudformation create-stack --stack-name ${cluster.name} --template-url ${url} --capabilities CAPABILITY_IAM --tags Key=slipway.cluster,Value=${cluster.name} --parameters ParameterKey=${storeParameter.name},ParameterValue=${place.bucket}${unsaid.join("")}`,
  };
}
