import { createHash } from "node:crypto";
import { errorOf, type AwsAnswer, type AwsRequest } from "../../../host/aws/request.ts";
import { troubleOf } from "../../../host/aws/errors.ts";
import { AwsFailure } from "../clients/caller.ts";
import type { Session } from "../clients/session.ts";

/** One bucket, and the account that it must belong to. */
export type Place = { readonly session: Session; readonly bucket: string; readonly owner: string };

export type Ask = {
  /** As IAM names it. */
  readonly action: string;
  readonly method: AwsRequest["method"];
  /** What stands behind the bucket's address: a key, or `?` and a subresource. */
  readonly path?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeout?: number;
};

/** A request to a bucket; refusals are errors, but for the codes that are answers to the asker. */
export async function askBucket(
  { session, bucket, owner }: Place,
  ask: Ask,
  ...answers: readonly string[]
): Promise<AwsAnswer> {
  const request = await session.requester();
  const { action, method, path = "", body, headers, timeout } = ask;
  const answer = await request({
    service: "s3",
    method,
    url: `${await session.bucketUrl(bucket)}/${path}`,
    headers: {
      "x-amz-expected-bucket-owner": owner,
      ...(body === undefined || typeof body !== "string"
        ? {}
        : { "content-md5": createHash("md5").update(body).digest("base64"), "content-type": "application/xml" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
    ...(timeout === undefined ? {} : { timeout }),
  });
  if (answer.status < 300) return answer;
  // An answer to HEAD has no words.
  const { code, message } = errorOf(answer);
  const said = code === "" ? ({ 403: "AccessDenied", 404: "NoSuchKey" }[answer.status] ?? "") : code;
  if (answers.includes(said)) return answer;
  throw new AwsFailure(
    troubleOf(said, answer.status, message),
    said,
    action,
    `the bucket ${bucket}: ${message || `S3 answered ${answer.status}`}`,
  );
}

/** A text as XML has it. */
export function xmlText(text: string): string {
  return text.replace(/[<>&'"]/g, (found) => `&#${found.charCodeAt(0)};`);
}

/** What stands in each element of this name, with what is in it. */
export function xmlParts(answer: AwsAnswer, name: string): readonly string[] {
  const text = new TextDecoder().decode(answer.body);
  return [...text.matchAll(new RegExp(`<${name}(?: [^>]*)?>(.*?)</${name}>`, "gs"))].map(([, found = ""]) => found);
}

/** The text of the first element of this name. */
export function xmlOne(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found === undefined ? undefined : plain(found);
}

function plain(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return named[name ?? ""] ?? whole;
    },
  );
}
