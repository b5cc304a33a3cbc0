import { describe, expect, test } from "vitest";
import { awsRequester } from "../../src/host/aws/request.ts";
import { objectKey, recordKey } from "../../src/records/objects.ts";
import { s3Store } from "../../src/store/s3.ts";
import { type Answer, dropped, refused, scriptedFetch, type Sent } from "./scripted-fetch.ts";
import { seededRandom } from "./seeded.ts";

const names = { object: objectKey, key: recordKey };
function storeOver(...script: readonly Answer[]) {
  const { fetch, sent } = scriptedFetch(...script);
  const random = seededRandom(3);
  const request = awsRequester({
    region: "eu-central-1",
    credentials: async () => ({ accessKeyId: "AKID", secretAccessKey: "secret" }),
    clock: { now: () => 0, sleep: async () => {} },
    random,
    fetch,
  });
  const url = "https://demo-store.s3.eu-central-1.amazonaws.com";
  return { store: s3Store({ url, owner: "012345678901", request, random, names }), sent };
}
const written = (etag: string) => () => new Response("", { headers: { etag: `"${etag}"` } });
const page = (keys: readonly string[], next?: string) => () =>
  new Response(
    `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`}${keys
      .map((key) => `<Contents><Key>records/${key}</Key><ETag>&quot;e1&quot;</ETag></Contents>`)
      .join("")}</ListBucketResult>`,
  );
const value = new TextEncoder().encode("value");

describe("the store in a bucket", () => {
  test("takes a write for its own when its answer was lost and its own nonce stands there", async () => {
    let first: Sent | undefined;
    const { store } = storeOver(
      (sent) => {
        first = sent;
        return dropped();
      },
      refused(412, "PreconditionFailed"),
      () => new Response(first?.body.slice(), { headers: { etag: '"one"' } }),
    );
    expect(await store.putIfAbsent("a", value)).toEqual({ kind: "written", version: "one" });
  });

  test("takes a write of the same bytes by somebody else for somebody else's", async () => {
    const theirs = () => new Response(`${"0".repeat(32)}value`, { headers: { etag: '"two"' } });
    const { store } = storeOver(dropped, refused(412, "PreconditionFailed"), theirs);
    expect(await store.putIfAbsent("a", value)).toEqual({ kind: "exists", version: "two" });
  });

  test("writes the same bytes with another content each time, so that the ETag is a version", async () => {
    const { store, sent } = storeOver(written("one"), written("two"));
    await store.putIfAbsent("a", value);
    await store.putIfUnchanged("a", value, "one");
    const bodies = sent.map(({ body }) => Buffer.from(body).toString());
    expect(new Set(bodies).size).toBe(2);
    expect(bodies.every((body) => body.endsWith("value"))).toBe(true);
    expect(sent[1]?.headers.get("if-match")).toBe('"one"');
  });

  test("names the account that must own the bucket with every request", async () => {
    const { store, sent } = storeOver(refused(403, "AccessDenied"));
    await expect(store.get("a")).rejects.toMatchObject({ kind: "forbidden" });
    await expect(store.list("")).rejects.toMatchObject({ kind: "forbidden" });
    expect(new Set(sent.map(({ headers }) => headers.get("x-amz-expected-bucket-owner")))).toEqual(
      new Set(["012345678901"]),
    );
  });

  test("learns from a list that a record is absent where S3 refuses to say so", async () => {
    const denied = refused(403, "AccessDenied");
    const { store, sent } = storeOver(denied, page(["other"]), denied, page(["a"]), denied, denied);
    expect(await store.get("a")).toBeUndefined();
    expect(new URL(sent[1]?.url ?? "").searchParams.get("prefix")).toBe("records/a");
    await expect(store.get("a")).rejects.toMatchObject({ kind: "forbidden" });
    await expect(store.get("a")).rejects.toMatchObject({ kind: "forbidden" });
  });

  test("reads a list to its last page, and takes none for whole that says it goes on", async () => {
    const { store, sent } = storeOver(page(["a"], "x&amp;y="), page(["b", "c"]));
    expect([...(await store.list("")).keys()]).toEqual(["a", "b", "c"]);
    expect(new URL(sent[1]?.url ?? "").searchParams.get("continuation-token")).toBe("x&y=");
    const lost = () => new Response("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
    await expect(storeOver(lost).store.list("")).rejects.toMatchObject({ kind: "invalid" });
  });

  test("takes a missing bucket for no missing record", async () => {
    await expect(storeOver(refused(404, "NoSuchBucket")).store.get("a")).rejects.toMatchObject({ kind: "invalid" });
    expect(await storeOver(refused(404, "NoSuchKey")).store.get("a")).toBeUndefined();
  });

  test("refuses an object that is no record of ours", async () => {
    const other = () => new Response("something", { headers: { etag: '"one"' } });
    await expect(storeOver(other).store.get("a")).rejects.toMatchObject({ kind: "invalid" });
  });

  test("is unreachable when S3 stays busy, which says nothing about the write", async () => {
    await expect(storeOver(refused(503, "SlowDown")).store.putIfAbsent("a", value)).rejects.toMatchObject({
      kind: "unreachable",
    });
  });
});
