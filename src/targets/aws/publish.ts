import type { Cluster } from "../../cluster/cluster.ts";
import { architecturesOf, ensurePrograms, programSums, type Programs } from "./bucket/programs.ts";
import { askBucket } from "./bucket/requests.ts";
import type { Session } from "./clients/session.ts";
import type { AwsFacts } from "./facts/facts.ts";
import { storeParameter } from "./graph/store.ts";
import { compiledFor } from "./plan.ts";

/** Where a template is published is no address in S3. */
class PublishError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "PublishError";
    this.next = next;
  }
}

/** Puts a cluster's template into a bucket that is there, and beside it the programs that its nodes fetch. */
export async function publishTemplate(
  session: Session,
  cluster: Cluster,
  to: string,
  facts: AwsFacts,
  programs: () => Promise<Programs>,
): Promise<{ readonly url: string; readonly next: string }> {
  const [, bucket, path = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/.exec(to) ?? [];
  if (bucket === undefined)
    throw new PublishError(`${JSON.stringify(to)} is no place in S3`, "--publish s3://BUCKET/FOLDER");
  const { account } = await session.identity();
  const place = { session, bucket, owner: account };
  const sums = programSums(await programs());
  // Who launches a published template is somebody else, and says from where.
  const { caller: _, ...others } = facts;
  const { text } = compiledFor(cluster, others, sums, undefined);
  await ensurePrograms(place, architecturesOf(cluster), sums, programs);
  const key = `${path === "" || path.endsWith("/") ? path : `${path}/`}${cluster.name}.template.json`;
  const body = new TextEncoder().encode(text);
  await askBucket(place, { action: "s3:PutObject", method: "PUT", path: key, body });
  const url = `${await session.bucketUrl(bucket)}/${key}`;
  return {
    url,
    next: `aws cloudformation create-stack --stack-name ${cluster.name} --template-url ${url} --capabilities CAPABILITY_IAM --parameters ParameterKey=${storeParameter.name},ParameterValue=${bucket}`,
  };
}
