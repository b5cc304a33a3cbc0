import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Answer } from "./call.ts";
import { seededRandom } from "../seeded.ts";
import { useStandIn } from "./started.ts";
import { listAt, parseXml, textAt } from "./xml.ts";

const started = useStandIn();
const bucket = "compared";
const made =
  "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";

type Step = {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};
/** Whoever answers a step: moto, or the layer's own objects. */
type Side = (step: Step) => Promise<Answer>;

const pathOf = ({ key, query = {} }: Step): string => {
  const asked = new URLSearchParams(query).toString();
  return `${key === undefined ? "" : `/${encodeURIComponent(key)}`}${asked === "" ? "" : `?${asked}`}`;
};

function sides(): { readonly moto: Side; readonly ours: Side } {
  const { standIn } = started;
  const { fetch: send, credentials } = standIn.client();
  const { backend } = standIn.place().place;
  return {
    moto: (step) =>
      backend.forward({
        service: "s3",
        method: step.method,
        path: `/${bucket}${pathOf(step)}`,
        headers: { ...step.headers },
        body: step.body ?? "",
      }),
    async ours(step) {
      const answer = await send(`https://${bucket}.s3.eu-central-1.amazonaws.com${pathOf(step) || "/"}`, {
        method: step.method,
        headers: {
          ...step.headers,
          authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/20261121/eu-central-1/s3/aws4_request`,
        },
        ...(step.method === "GET" || step.method === "HEAD" ? {} : { body: step.body ?? "" }),
      });
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: await answer.text(),
      };
    },
  };
}

const textOf = ({ body }: Answer): string => (typeof body === "string" ? body : new TextDecoder().decode(body));
const headerOf = ({ headers = {} }: Answer, name: string): string =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? "";

/** What of an answer has to be the same; versions are called by their turn. */
function judged(step: Step, answer: Answer, names: Map<string, string>): unknown {
  const name = (id: string): string => {
    // Of a version from before there were versions S3 says "null" in a header, and moto nothing.
    if (id === "" || id === "null") return "";
    if (!names.has(id)) names.set(id, `version ${names.size + 1}`);
    return names.get(id) ?? "";
  };
  const common = {
    status: answer.status,
    etag: headerOf(answer, "etag"),
    version: name(headerOf(answer, "x-amz-version-id")),
    marker: headerOf(answer, "x-amz-delete-marker"),
  };
  const text = textOf(answer);
  if (answer.status >= 400)
    return { status: answer.status, code: step.method === "HEAD" ? "" : /<Code>(.*?)</.exec(text)?.[1] };
  if (step.method === "HEAD") return common;
  if (!text.startsWith("<?xml")) return { ...common, text };
  const root = parseXml(text);
  const entries = listAt(root)
    .filter((one) => /^(?:Contents|Version|DeleteMarker|Deleted)$/.test(one.name))
    .map((one) =>
      [
        one.name,
        textAt(one, "Key"),
        name(textAt(one, "VersionId")),
        textAt(one, "IsLatest"),
        textAt(one, "ETag"),
        textAt(one, "Size"),
        name(textAt(one, "DeleteMarkerVersionId")),
      ].join(" "),
    );
  return {
    ...common,
    // S3 lists markers among versions; moto after them.
    entries: step.query?.["versions"] === undefined ? entries : entries.toSorted(),
    more: textAt(root, "IsTruncated"),
    count: textAt(root, "KeyCount"),
    state: textAt(root, "Status"),
  };
}

/** The keys of a list of pages of two. */
async function pagesOf(side: Side): Promise<readonly (readonly string[])[]> {
  const pages: string[][] = [];
  for (let token: string | undefined; pages.length < 9;) {
    const query = {
      "list-type": "2",
      "max-keys": "2",
      ...(token === undefined ? {} : { "continuation-token": token }),
    };
    const text = textOf(await side({ method: "GET", query }));
    pages.push([...text.matchAll(/<Key>(.*?)</g)].map(([, key = ""]) => key));
    token = /<NextContinuationToken>(.*?)</.exec(text)?.[1];
    if (token === undefined) break;
  }
  return pages;
}

test.each([1, 2, 3])("answers requests as moto's S3 does, whatever they are: history %i", async (seed) => {
  const { moto, ours } = sides();
  const random = seededRandom(seed * 7919);
  const one = <Value>(values: readonly [Value, ...Value[]]): Value =>
    values[Math.floor(random.fraction() * values.length)] ?? values[0];
  const named = { moto: new Map<string, string>(), ours: new Map<string, string>() };
  const both = async (step: Step): Promise<void> => {
    const [theirs, own] = [await moto(step), await ours(step)];
    expect(judged(step, own, named.ours), JSON.stringify(step)).toEqual(judged(step, theirs, named.moto));
    const etag = headerOf(own, "etag");
    if (etag !== "") etags.push(etag);
  };
  const etags: string[] = ['"00000000000000000000000000000000"'];
  // The bucket itself is moto's, and is made on the way through.
  expect((await ours({ method: "PUT", body: made })).status).toBe(200);
  const keys = ["a", "a/b", "b c", "z&<é", "records/x%3Ay"] as const;
  for (let turn = 0; turn < 90; turn++) {
    const key = one(keys);
    const etag = etags[Math.floor(random.fraction() * etags.length)] ?? "";
    const body = one(["", "one", "two", "three"]);
    const prefix = one(["", "a", "a/", "none"]);
    const removal = `<Delete>${keys
      .slice(0, 2)
      .map((name) => `<Object><Key>${name}</Key></Object>`)
      .join("")}</Delete>`;
    await both(
      one<Step>([
        { method: "PUT", key, body },
        { method: "PUT", key, body, headers: { "if-none-match": "*" } },
        { method: "PUT", key, body, headers: { "if-match": etag } },
        { method: "GET", key },
        { method: "GET", key, headers: { "if-none-match": etag } },
        { method: "HEAD", key },
        { method: "DELETE", key },
        { method: "DELETE", key, headers: { "if-match": etag } },
        { method: "GET", query: { "list-type": "2", prefix } },
        { method: "GET", query: { versions: "", prefix } },
        { method: "GET", query: { versioning: "" } },
        {
          method: "POST",
          query: { delete: "" },
          body: removal,
          headers: { "content-md5": createHash("md5").update(removal).digest("base64") },
        },
      ]),
    );
    if (turn !== 40) continue;
    // moto sets no marker where there has never been anything; S3 does.
    for (const there of keys) await both({ method: "PUT", key: there, body: "there" });
    await both({
      method: "PUT",
      query: { versioning: "" },
      body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    });
  }
  expect(await pagesOf(ours)).toEqual(await pagesOf(moto));
  // What has been written is given back version by version, and taken away version by version, until nothing is left.
  const ids = (names: Map<string, string>): Map<string, string> => new Map([...names].map(([id, name]) => [name, id]));
  await both({ method: "GET", query: { versions: "" } });
  const [theirs, own] = [ids(named.moto), ids(named.ours)];
  expect(own.size).toBeGreaterThan(10);
  for (const [name, versionId] of own)
    for (const key of keys) {
      const step = { method: "DELETE", key } as const;
      const at = [
        await moto({ ...step, query: { versionId: theirs.get(name) ?? "" } }),
        await ours({ ...step, query: { versionId } }),
      ];
      expect(at[1]?.status).toBe(at[0]?.status);
    }
  for (const key of keys) {
    await moto({ method: "DELETE", key, query: { versionId: "null" } });
    await ours({ method: "DELETE", key, query: { versionId: "null" } });
  }
  await both({ method: "GET", query: { versions: "" } });
  expect((await ours({ method: "DELETE" })).status).toBe(204);
});

test("refuses what it has no objects for, and digests that are wrong", async () => {
  const { ours } = sides();
  await ours({ method: "PUT", body: made });
  const refusals = await Promise.all(
    (
      [
        { method: "POST", key: "a", query: { uploads: "" } },
        { method: "GET", query: { "list-type": "2", delimiter: "/" } },
        { method: "GET", key: "a", headers: { range: "bytes=0-1" } },
        { method: "PUT", key: "a", body: "x", headers: { "content-md5": "AAAA" } },
        { method: "POST", query: { delete: "" }, body: "<Delete><Object><Key>a</Key></Object></Delete>" },
      ] satisfies readonly Step[]
    ).map(async (step) => /<Code>(.*?)</.exec(textOf(await ours(step)))?.[1]),
  );
  expect(refusals).toEqual(["NotImplemented", "NotImplemented", "NotImplemented", "BadDigest", "InvalidRequest"]);
});
