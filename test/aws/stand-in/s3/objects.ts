import { createHash } from "node:crypto";
import { type Answer, type Call, Refusal, xml } from "../call.ts";
import { at, escaped, listAt, parseXml, textAt } from "../xml.ts";

/** One version of an object, or a delete marker: then it has no body. */
type Version = {
  readonly id: string;
  readonly body: Uint8Array | undefined;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Virtual milliseconds since 1970. */
  readonly made: number;
};

/** What is in a bucket: for each key its versions, the newest first. */
export type Shelf = {
  versioning: "" | "Enabled" | "Suspended";
  readonly objects: Map<string, readonly Version[]>;
};

export function emptyShelf(): Shelf {
  return { versioning: "", objects: new Map() };
}

/** Whether anything is in it: a version that is not the newest, and a delete marker, count. */
export function anyObject({ objects }: Shelf): boolean {
  return objects.size > 0;
}

export type ShelfPorts = {
  readonly now: number;
  readonly id: (prefix: string) => string;
  /** A page has at most so many, whatever is asked. */
  readonly pageSize: number | undefined;
};

type Asked = ShelfPorts & { readonly call: Call; readonly bucket: string; readonly key: string; readonly shelf: Shelf };

export function bucketOf({ path }: Pick<Call, "path">): string {
  return path.slice(1).split("/")[0] ?? "";
}

const served: Readonly<Record<string, (asked: Asked) => Answer>> = {
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  ListObjectsV2: listObjects,
  ListObjectVersions: listVersions,
  GetBucketVersioning: ({ shelf: { versioning } }) =>
    xml(200, element("VersioningConfiguration", versioning === "" ? "" : element("Status", versioning))),
  PutBucketVersioning({ shelf, call }) {
    const status = textAt(parseXml(new TextDecoder().decode(call.body)), "Status");
    if (status !== "Enabled" && status !== "Suspended") throw malformed();
    shelf.versioning = status;
    return { status: 200, body: "" };
  },
};

/** Whether an action is about objects: moto is not asked, and what is not done here is not done at all. */
export function isOfObjects(action: string): boolean {
  return action in served || /Object(?!LockConfiguration)|Multipart|Part$|Parts$|Versioning/.test(action);
}

/** What S3 does with objects, in one step: nothing comes in between. */
export function serveObjects(call: Call, bucket: string, shelf: Shelf, ports: ShelfPorts): Answer {
  const serve = served[call.action];
  const unknown = ["delimiter", "encoding-type", "partNumber"].filter((name) => call.query.has(name));
  if (serve === undefined || unknown.length > 0 || call.headers.has("range"))
    throw new Refusal(
      "NotImplemented",
      `A header or query you provided implies functionality that is not implemented: ${call.action} ${unknown.join(" ")}`,
      501,
    );
  digestHolds(call);
  const key = decodeURIComponent(call.path.slice(bucket.length + 2));
  return serve({ ...ports, call, bucket, key, shelf });
}

/** The current version; a delete marker is none. */
function current({ shelf, key }: Asked): Version | undefined {
  const newest = shelf.objects.get(key)?.[0];
  return newest?.body === undefined ? undefined : newest;
}

function getObject(asked: Asked): Answer {
  const { shelf, key, call } = asked;
  const wanted = call.query.get("versionId");
  const versions = shelf.objects.get(key) ?? [];
  const version = wanted === null ? versions[0] : versions.find(({ id }) => id === wanted);
  if (version === undefined && wanted !== null)
    throw new Refusal("NoSuchVersion", "The specified version does not exist.", 404);
  if (version === undefined) throw absent();
  if (version.body === undefined) {
    if (wanted === null) throw absent();
    throw new Refusal("MethodNotAllowed", "The specified method is not allowed against this resource.", 405);
  }
  const mustBe = call.headers.get("if-match");
  if (mustBe !== null && !matches(mustBe, version)) throw failed();
  const headers = {
    ...version.headers,
    ...versionHeader(version, shelf),
    etag: version.etag,
    "last-modified": new Date(version.made).toUTCString(),
    "accept-ranges": "bytes",
  };
  const mustNotBe = call.headers.get("if-none-match");
  if (mustNotBe !== null && matches(mustNotBe, version)) return { status: 304, headers, body: "" };
  return {
    status: 200,
    headers: { ...headers, "content-length": String(version.body.length) },
    body: version.body,
  };
}

function putObject(asked: Asked): Answer {
  const { shelf, key, call, now } = asked;
  const there = current(asked);
  const mustBe = call.headers.get("if-match");
  if (mustBe !== null && there === undefined) throw absent();
  if (mustBe !== null && there !== undefined && !matches(mustBe, there)) throw failed();
  const none = call.headers.get("if-none-match");
  if (none !== null && none !== "*")
    throw new Refusal("NotImplemented", "A header you provided implies functionality that is not implemented", 501);
  if (none !== null && there !== undefined) throw failed();
  const kept = [...call.headers].filter(([name]) => /^(?:x-amz-meta-.+|content-type|cache-control)$/.test(name));
  const body = call.body.slice();
  const version: Version = {
    id: newId(asked),
    body,
    etag: `"${createHash("md5").update(body).digest("hex")}"`,
    headers: { "content-type": "binary/octet-stream", ...Object.fromEntries(kept) },
    made: now,
  };
  place(shelf, key, version);
  return { status: 200, headers: { etag: version.etag, ...versionHeader(version, shelf) }, body: "" };
}

function deleteObject(asked: Asked): Answer {
  const mustBe = asked.call.headers.get("if-match");
  if (mustBe !== null) {
    const there = current(asked);
    if (there === undefined) throw absent();
    if (!matches(mustBe, there)) throw failed();
  }
  const { id, marker } = removed(asked, asked.call.query.get("versionId") ?? undefined);
  return {
    status: 204,
    headers: {
      ...(id === undefined ? {} : { "x-amz-version-id": id }),
      ...(marker ? { "x-amz-delete-marker": "true" } : {}),
    },
    body: "",
  };
}

function deleteObjects(asked: Asked): Answer {
  const root = parseXml(new TextDecoder().decode(asked.call.body));
  const objects = listAt(root).filter(({ name }) => name === "Object");
  if (root.name !== "Delete" || objects.length === 0 || objects.length > 1_000) throw malformed();
  const quiet = textAt(root, "Quiet") === "true";
  const said = objects.map((object) => {
    const key = textAt(object, "Key");
    const version = at(object, "VersionId") === undefined ? undefined : textAt(object, "VersionId");
    const { id, marker } = removed({ ...asked, key }, version);
    if (quiet) return "";
    const words = [element("Key", escaped(key))];
    if (version !== undefined) words.push(element("VersionId", escaped(version)));
    if (marker) words.push(element("DeleteMarker", "true"), element("DeleteMarkerVersionId", id ?? ""));
    return element("Deleted", words.join(""));
  });
  return xml(200, element("DeleteResult", said.join("")));
}

/** Takes a version away, or sets a marker where versions are kept; what is not there is gone already. */
function removed(asked: Asked, version: string | undefined): { readonly id?: string; readonly marker: boolean } {
  const { shelf, key, now } = asked;
  const versions = shelf.objects.get(key) ?? [];
  if (version !== undefined) {
    const gone = versions.find(({ id }) => id === version);
    keep(
      shelf,
      key,
      versions.filter((one) => one !== gone),
    );
    return { id: version, marker: gone !== undefined && gone.body === undefined };
  }
  if (shelf.versioning === "") {
    shelf.objects.delete(key);
    return { marker: false };
  }
  const marker: Version = { id: newId(asked), body: undefined, etag: "", headers: {}, made: now };
  place(shelf, key, marker);
  return { id: marker.id, marker: true };
}

function listObjects({ call: { query }, bucket, shelf, pageSize = 1_000 }: Asked): Answer {
  const prefix = query.get("prefix") ?? "";
  const token = query.get("continuation-token");
  const most = Math.min(countIn(query), pageSize);
  if (token === "") throw invalid("The continuation token provided is incorrect");
  const after = token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64url").toString("utf8");
  const found = keysOf(shelf, prefix).filter(
    (key) => compare(key, after) > 0 && shelf.objects.get(key)?.[0]?.body !== undefined,
  );
  const page = found.slice(0, most);
  const more = found.length > page.length && most > 0;
  const words = [
    element("Name", bucket),
    element("Prefix", escaped(prefix)),
    element("MaxKeys", String(most)),
    element("KeyCount", String(page.length)),
    element("IsTruncated", String(more)),
    ...page.map((key) => element("Contents", entryOf(key, shelf.objects.get(key)?.[0]))),
  ];
  if (more) words.push(element("NextContinuationToken", Buffer.from(page.at(-1) ?? "").toString("base64url")));
  return xml(200, element("ListBucketResult", words.join("")));
}

function listVersions({ call: { query }, bucket, shelf, pageSize = 1_000 }: Asked): Answer {
  const [key, id] = [query.get("key-marker") ?? "", query.get("version-id-marker") ?? ""];
  const most = Math.min(countIn(query), pageSize);
  const prefix = query.get("prefix") ?? "";
  const all = keysOf(shelf, prefix).flatMap((name) =>
    (shelf.objects.get(name) ?? []).map((version, index) => ({ name, version, latest: index === 0 })),
  );
  const passed = all.findIndex(({ name, version }) => name === key && version.id === id);
  const from = id !== "" && passed >= 0 ? passed + 1 : all.findIndex(({ name }) => compare(name, key) > 0);
  const rest = from < 0 ? [] : all.slice(from);
  const page = rest.slice(0, most);
  const more = rest.length > page.length && most > 0;
  const last = page.at(-1);
  const words = [
    element("Name", bucket),
    element("Prefix", escaped(prefix)),
    element("KeyMarker", escaped(key)),
    element("VersionIdMarker", escaped(id)),
    element("MaxKeys", String(most)),
    element("IsTruncated", String(more)),
  ];
  if (more && last !== undefined)
    words.push(element("NextKeyMarker", escaped(last.name)), element("NextVersionIdMarker", last.version.id));
  for (const { name, version, latest } of page)
    words.push(
      element(
        version.body === undefined ? "DeleteMarker" : "Version",
        entryOf(name, version, element("VersionId", version.id) + element("IsLatest", String(latest))),
      ),
    );
  return xml(200, element("ListVersionsResult", words.join("")));
}

function entryOf(key: string, version: Version | undefined, more = ""): string {
  const made = element("LastModified", new Date(version?.made ?? 0).toISOString());
  const common = element("Key", escaped(key)) + more + made;
  if (version?.body === undefined) return common;
  return `${common}${element("ETag", escaped(version.etag))}${element("Size", String(version.body.length))}${element("StorageClass", "STANDARD")}`;
}

/** S3 lists in the order of the keys' bytes. */
function keysOf({ objects }: Shelf, prefix: string): readonly string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).toSorted(compare);
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Versions that are kept have ids; elsewhere there is one, which is called null. */
function newId({ shelf, id }: Asked): string {
  return shelf.versioning === "Enabled" ? id("v-") : "null";
}

function versionHeader({ id }: Version, { versioning }: Shelf): Readonly<Record<string, string>> {
  return versioning === "" ? {} : { "x-amz-version-id": id };
}

function place(shelf: Shelf, key: string, version: Version): void {
  const before = shelf.objects.get(key) ?? [];
  keep(shelf, key, [version, ...before.filter(({ id }) => id !== version.id)]);
}

function keep(shelf: Shelf, key: string, versions: readonly Version[]): void {
  if (versions.length === 0) shelf.objects.delete(key);
  else shelf.objects.set(key, versions);
}

/** S3 takes an ETag with quotation marks and without. */
function matches(wanted: string, { etag }: Version): boolean {
  return wanted === "*" || wanted.replaceAll('"', "") === etag.slice(1, -1);
}

function digestHolds({ action, headers, body }: Call): void {
  const said = headers.get("content-md5");
  if (said !== null && said !== createHash("md5").update(body).digest("base64"))
    throw new Refusal("BadDigest", "The Content-MD5 you specified did not match what we received.", 400);
  if (
    action === "DeleteObjects" &&
    said === null &&
    ![...headers.keys()].some((one) => one.startsWith("x-amz-checksum"))
  )
    throw new Refusal(
      "InvalidRequest",
      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
      400,
    );
}

function countIn(query: URLSearchParams): number {
  const said = query.get("max-keys") ?? "1000";
  if (!/^\d+$/.test(said)) throw invalid("Provided max-keys not an integer or within integer range");
  return Math.min(1_000, Number(said));
}

function element(name: string, inner: string): string {
  return `<${name}>${inner}</${name}>`;
}

function absent(): Refusal {
  return new Refusal("NoSuchKey", "The specified key does not exist.", 404);
}

function failed(): Refusal {
  return new Refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412);
}

function malformed(): Refusal {
  return new Refusal(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
    400,
  );
}

function invalid(message: string): Refusal {
  return new Refusal("InvalidArgument", message, 400);
}
