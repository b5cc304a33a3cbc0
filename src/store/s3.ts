import { type AwsAnswer, AwsError, type AwsRequester, errorOf } from "../host/aws/request.ts";
import type { Random } from "../host/random.ts";
import { absentVersion, check, checkPrefix, checkWrite } from "./kept.ts";
import { type Bytes, type ClusterStore, type Entry, type Key, StoreError, type Version } from "./store.ts";

export type S3StoreOptions = {
  /** `https://BUCKET.s3.REGION.amazonaws.com`, or a test server's `http://host/BUCKET`. */
  readonly url: string;
  /** The account that the bucket must belong to: a name that somebody else took is refused by S3 itself. */
  readonly owner?: string;
  readonly request: AwsRequester;
  readonly random: Random;
  /** Which object a record, or what all keys of a list begin with, is in the bucket, and back; `undefined`: no record. */
  readonly names: { readonly object: (key: string) => string; readonly key: (object: string) => Key | undefined };
};

/** S3 gives up to 1,000 keys at a time. */
const mostPages = 10_000;
const nonceLength = 32;

/**
 * The cluster store in an S3 bucket, by conditional requests. S3's ETag is a hash of the content and comes back with
 * it, so each object begins with a nonce: the ETag is then a version, and who lost an answer sees whether its own
 * write stands there.
 */
export function s3Store({ url, owner, request, random, names }: S3StoreOptions): ClusterStore {
  const ask = async (
    method: "GET" | "PUT" | "DELETE",
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array,
  ): Promise<AwsAnswer> => {
    try {
      return await request({
        service: "s3",
        method,
        url: `${url}/${path.replaceAll(":", "%3A")}`,
        headers: { ...(owner === undefined ? {} : { "x-amz-expected-bucket-owner": owner }), ...headers },
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      if (error instanceof AwsError) throw new StoreError(error.kind, error.message, { cause: error });
      throw error;
    }
  };

  const read = async (key: Key): Promise<(Entry & { readonly nonce: string }) | undefined> => {
    check(key);
    const answer = await ask("GET", names.object(key));
    if (answer.status === 200) {
      const nonce = new TextDecoder().decode(answer.body.subarray(0, nonceLength));
      if (!/^[0-9a-f]{32}$/.test(nonce)) throw new StoreError("invalid", `${key} in the bucket is no record of ours`);
      return { value: answer.body.slice(nonceLength), version: versionOf(answer), nonce };
    }
    if (answer.status === 404 && errorOf(answer).code === "NoSuchKey") return undefined;
    // S3 says "absent" only to who may list everything; a role lists what it may read, and so learns it.
    if (answer.status === 403 && errorOf(answer).code === "AccessDenied" && (await absent(key))) return undefined;
    throw refusal(answer);
  };

  const absent = async (key: Key): Promise<boolean> => {
    const query = new URLSearchParams({ "list-type": "2", prefix: names.object(key), "max-keys": "1" });
    const answer = await ask("GET", `?${query.toString()}`);
    return answer.status === 200 && objectsIn(textOf(answer)).every(({ object }) => object !== names.object(key));
  };

  /** `undefined`: the condition did not hold. */
  const write = async (
    key: Key,
    value: Bytes,
    condition: Readonly<Record<string, string>>,
  ): Promise<Version | undefined> => {
    checkWrite(key, value);
    const nonce = random.hex(nonceLength / 2);
    const body = new Uint8Array(nonceLength + value.length);
    body.set(new TextEncoder().encode(nonce));
    body.set(value, nonceLength);
    const answer = await ask("PUT", names.object(key), condition, body);
    if (answer.status === 200) return versionOf(answer);
    const { code } = errorOf(answer);
    if (answer.status !== 412 && code !== "NoSuchKey") throw refusal(answer);
    if (!answer.repeated) return undefined;
    const there = await read(key);
    return there?.nonce === nonce ? there.version : undefined;
  };
  const present = async (key: Key): Promise<Version> => (await read(key))?.version ?? absentVersion;

  const list = async (prefix: Key): Promise<ReadonlyMap<Key, Version>> => {
    checkPrefix(prefix);
    const found: [Key, Version][] = [];
    let token: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      const query = new URLSearchParams({ "list-type": "2", prefix: names.object(prefix) });
      if (token !== undefined) query.set("continuation-token", token);
      const answer = await ask("GET", `?${query.toString()}`);
      if (answer.status !== 200) throw refusal(answer);
      const text = textOf(answer);
      for (const { object, version } of objectsIn(text)) {
        const key = names.key(object);
        if (key !== undefined) found.push([key, version]);
      }
      if (/<IsTruncated>\s*true\s*<\/IsTruncated>/.exec(text) === null)
        return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
      token = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(text)?.[1]?.replaceAll("&amp;", "&");
      // A page that is missing must never look like keys that are not there.
      if (token === undefined) throw new StoreError("invalid", "S3 says that the list goes on, but not where");
    }
    throw new StoreError("invalid", `the bucket has more than ${mostPages} pages of keys`);
  };

  return {
    list,
    async get(key) {
      const entry = await read(key);
      return entry === undefined ? undefined : { value: entry.value, version: entry.version };
    },
    async putIfAbsent(key, value) {
      const version = await write(key, value, { "If-None-Match": "*" });
      return version === undefined ? { kind: "exists", version: await present(key) } : { kind: "written", version };
    },
    async putIfUnchanged(key, value, version) {
      checkWrite(key, value);
      const written = isVersion(version) ? await write(key, value, { "If-Match": `"${version}"` }) : undefined;
      return written === undefined
        ? { kind: "changed", version: await present(key) }
        : { kind: "written", version: written };
    },
    async delete(key, version) {
      check(key);
      if (!isVersion(version)) return (await read(key)) === undefined ? "deleted" : "changed";
      const answer = await ask("DELETE", names.object(key), { "If-Match": `"${version}"` });
      if (answer.status === 204 || answer.status === 200) return "deleted";
      if (answer.status === 404 && errorOf(answer).code === "NoSuchKey") return "deleted";
      if (answer.status !== 412) throw refusal(answer);
      // A lost answer's own delete: what is gone is deleted.
      return (await read(key)) === undefined ? "deleted" : "changed";
    },
  };
}

function textOf({ body }: AwsAnswer): string {
  return new TextDecoder().decode(body);
}

/** The objects on one page of a list. Our names have no character that XML would write otherwise; quotes of an ETag are. */
function objectsIn(page: string): readonly { readonly object: string; readonly version: Version }[] {
  return [...page.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, text = ""]) => {
    const object = /<Key>([^<]*)<\/Key>/.exec(text)?.[1];
    const version = /<ETag>(?:"|&quot;|&#34;)([^"&<]+)(?:"|&quot;|&#34;)<\/ETag>/.exec(text)?.[1];
    if (object === undefined || version === undefined)
      throw new StoreError("invalid", "S3 lists an object without name or version");
    return { object, version };
  });
}

function isVersion(version: Version): boolean {
  return /^[A-Za-z0-9-]+$/.test(version);
}

function versionOf({ headers }: AwsAnswer): Version {
  const version = /^"([^"]+)"$/.exec(headers.get("etag") ?? "")?.[1];
  if (version === undefined) throw new StoreError("invalid", "S3's answer bears no version");
  return version;
}

function refusal(answer: AwsAnswer): StoreError {
  const { code, message } = errorOf(answer);
  const kind = answer.status === 401 || answer.status === 403 ? "forbidden" : "invalid";
  return new StoreError(kind, `S3 answered ${answer.status} ${code}: ${message}`);
}
