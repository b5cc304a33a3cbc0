import { troubleOf } from "../../../host/aws/errors.ts";
import { awsRequester, errorOf, type AwsCredentials, type AwsRequester } from "../../../host/aws/request.ts";
import { sdkHandler } from "../../../host/aws/sdk-handler.ts";
import type { Clock } from "../../../host/clock.ts";
import type { Random } from "../../../host/random.ts";
import type { AutoScaling } from "./auto-scaling.ts";
import { AwsFailure, caller } from "./caller.ts";
import type { CloudFormation } from "./cloudformation.ts";
import type { Ec2 } from "./ec2.ts";
import type { Iam } from "./iam.ts";
import type { Logs } from "./logs.ts";
import type { Pricing } from "./pricing.ts";
import type { Quotas } from "./quotas.ts";
import type { ClientSettings } from "./settings.ts";
import type { Chained, Identity } from "./sts.ts";
import type { Tagging } from "./tagging.ts";

export type SessionPorts = {
  /** Every request to AWS goes by it: SDK and store alike. */
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: Random;
  /** What the file says; else what the caller's settings say. */
  readonly region?: string | undefined;
  /** In place of the SDK's chain; `anew` after AWS called the last ones expired. */
  readonly credentials?: (anew: boolean) => Promise<Chained>;
  /** `AWS_ENDPOINT_URL`, where AWS itself is not meant; the SDK reads it by itself. */
  readonly endpoint?: string | undefined;
  /** The bucket that the file names for its cluster's store. */
  readonly store?: { readonly cluster: string; readonly bucket: string } | undefined;
};

/** One run's way to AWS: a client for each service, loaded when it is first used. */
export type Session = {
  region(): Promise<string>;
  identity(): Promise<Identity>;
  /** When the credentials end, milliseconds since 1970; undefined: not by themselves, or nobody says. */
  expires(): Promise<number | undefined>;
  /** Requests that the SDK is not needed for: S3. */
  requester(): Promise<AwsRequester>;
  /** The address of a bucket. */
  bucketUrl(bucket: string): Promise<string>;
  cloudFormation(): Promise<CloudFormation>;
  ec2(): Promise<Ec2>;
  autoScaling(): Promise<AutoScaling>;
  iam(): Promise<Iam>;
  quotas(): Promise<Quotas>;
  pricing(): Promise<Pricing>;
  tagging(): Promise<Tagging>;
  logs(): Promise<Logs>;
  /** Buckets by their cluster's name: those that a file names, and those that were found by their tags. */
  readonly buckets: Map<string, string>;
  /** Clusters for whose bucket the tags were searched in this run. */
  readonly searched: Set<string>;
  /** For what is not AWS's API. */
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: Random;
};

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    const own = (made ??= make());
    // One that failed is asked for again.
    own.catch(() => (made = made === own ? undefined : made));
    return own;
  };
}

/** Minutes before their end at which credentials are asked for again. */
const early = 5 * 60_000;

export function openSession(ports: SessionPorts): Session {
  const { clock, random } = ports;
  const chain = once(async () => (await import("./sts.ts")).chain());
  let kept: Promise<Chained> | undefined;
  const ask = async (anew: boolean): Promise<Chained> =>
    ports.credentials === undefined ? (await chain()).credentials(anew) : ports.credentials(anew);
  const credentials = async (anew = false): Promise<AwsCredentials> => {
    if (anew) kept = ask(true);
    kept ??= ask(false);
    try {
      const found = await kept;
      if (found.expiration === undefined || found.expiration.getTime() - clock.now() > early) return found;
    } catch (error) {
      kept = undefined;
      throw noCredentials(error);
    }
    kept = ask(true);
    return kept;
  };
  const region = once(async () => {
    if (ports.region !== undefined) return ports.region;
    try {
      return await (await chain()).region();
    } catch (error) {
      throw Object.assign(new Error("neither the file nor your AWS settings name a region", { cause: error }), {
        next: "aws: { region: eu-central-1 } in cluster.yml, or AWS_REGION=eu-central-1",
      });
    }
  });

  let settings: Promise<ClientSettings> | undefined;
  let current: ClientSettings | undefined;
  const handler = sdkHandler(ports.fetch);
  const prepared = async (): Promise<ClientSettings> => {
    settings ??= region().then((name) => ({
      region: name,
      credentials: () => credentials(),
      requestHandler: handler,
      maxAttempts: 1 as const,
    }));
    current ??= await settings;
    return current;
  };
  // A client keeps the credentials that it was given: after they have expired there is a new one.
  const renew = (): void => {
    kept = ask(true);
    kept.catch(() => (kept = undefined));
    if (current !== undefined) current = { ...current };
  };
  const call = caller({ clock, random, renew });
  const now = (): ClientSettings => {
    if (current === undefined) throw new Error("a client was used before its settings were there");
    return current;
  };
  const service = <Client>(load: () => Promise<(settings: () => ClientSettings, by: typeof call) => Client>) =>
    once(async () => {
      const [make] = await Promise.all([load(), prepared()]);
      return make(now, call);
    });
  const identity = service(async () => (await import("./sts.ts")).sts);

  return {
    region,
    identity: once(async () => (await identity()).identity()),
    async expires() {
      await credentials();
      return (await kept)?.expiration?.getTime();
    },
    requester: once(async () => {
      const request = awsRequester({ region: await region(), credentials, clock, random, fetch: ports.fetch });
      return async (asked) => {
        const answer = await request(asked);
        const { code, message } = errorOf(answer);
        // With fresh ones it was the same: there are none until somebody logs in.
        if (code !== "" && troubleOf(code, answer.status, message) === "expired")
          throw new AwsFailure("expired", code, asked.service, message);
        return answer;
      };
    }),
    async bucketUrl(bucket) {
      if (ports.endpoint !== undefined) return `${ports.endpoint.replace(/\/$/, "")}/${bucket}`;
      const name = await region();
      return `https://${bucket}.s3.${name}.amazonaws.com${name.startsWith("cn-") ? ".cn" : ""}`;
    },
    cloudFormation: service(async () => (await import("./cloudformation.ts")).cloudFormation),
    ec2: service(async () => (await import("./ec2.ts")).ec2),
    autoScaling: service(async () => (await import("./auto-scaling.ts")).autoScaling),
    iam: service(async () => (await import("./iam.ts")).iam),
    quotas: service(async () => (await import("./quotas.ts")).quotas),
    pricing: service(async () => (await import("./pricing.ts")).pricing),
    tagging: service(async () => (await import("./tagging.ts")).tagging),
    logs: service(async () => (await import("./logs.ts")).logs),
    buckets: new Map(ports.store === undefined ? [] : [[ports.store.cluster, ports.store.bucket]]),
    searched: new Set(),
    fetch: ports.fetch,
    clock,
    random,
  };
}

function noCredentials(error: unknown): AwsFailure {
  const why = error instanceof Error ? error.message : String(error);
  return new AwsFailure("forbidden", "", "sts:GetCallerIdentity", `there are no credentials for AWS: ${why}`, {
    cause: error,
  });
}
