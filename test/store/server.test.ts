import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { chmod, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemRandom } from "../../src/host/random.ts";
import type { Caller, StoreRules } from "../../src/store/caller.ts";
import { type ServedStore, serveStore } from "../../src/store/listen.ts";
import { memoryStore, type StoreFault } from "../../src/store/memory.ts";
import { mostBytes } from "../../src/store/kept.ts";
import { StoreError } from "../../src/store/store.ts";
import { temporaryFolder } from "./places.ts";

// The operator may do all, but: `secret/…` may not be read, `fixed/…` not be updated, and values that begin with "bad" do not fit.
const rules: StoreRules<Caller> = {
  authenticate: async (caller) => {
    if (known === "gone") return { kind: "gone", why: "you have left" };
    return caller.kind === "local" && known
      ? { kind: "known", principal: caller }
      : { kind: "unknown", why: "who are you" };
  },
  authorise: (_, verb, key) => {
    const refused =
      (key.startsWith("secret/") && (verb === "get" || verb === "list")) ||
      (key.startsWith("fixed/") && verb !== "create");
    return refused ? { allowed: false, why: `no ${verb} of ${key}` } : { allowed: true };
  },
  permit: async (_, key) => (key.startsWith("later/") ? { allowed: false, why: "not now" } : { allowed: true }),
  checkWrite: (_, key, value) => {
    const text = new TextDecoder().decode(value);
    if (text.startsWith("bad")) return { kind: "invalid", why: `${key} does not fit` };
    return text.startsWith("foreign") ? { kind: "forbidden", why: "not yours" } : { kind: "good" };
  },
};

let known: boolean | "gone" = true;
let fault: StoreFault | undefined;
let errors: unknown[];
let socketPath: string;
let served: ServedStore;
let remove: () => Promise<void>;
beforeEach(async () => {
  known = true;
  fault = undefined;
  errors = [];
  const made = await temporaryFolder();
  remove = made.remove;
  socketPath = join(made.folder, "store.sock");
  served = await serveStore({
    store: memoryStore(systemRandom, () => fault),
    rules,
    unixSocket: socketPath,
    onError: (error) => errors.push(error),
  });
});
afterEach(async () => {
  await served.close(0);
  await remove();
});

type Heard = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

function call(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  write: (request: ClientRequest) => void = (request) => request.end(),
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on("error", reject);
    write(request);
  });
}
const put = (key: string, value: string, headers: Record<string, string> = { "If-None-Match": "*" }): Promise<Heard> =>
  call("PUT", `/v1/records/${key}`, headers, (request) => request.end(value));

describe("the protocol", () => {
  test("create, read, update, delete, with the version as ETag", async () => {
    const created = await put("a/b", "one");
    expect(created).toMatchObject({
      status: 201,
      headers: { etag: expect.stringMatching(/^"[\w-]+"$/) },
    });
    const read = await call("GET", "/v1/records/a/b");
    expect(read).toMatchObject({
      status: 200,
      body: "one",
      headers: { etag: created.headers.etag, "cache-control": "no-store" },
    });
    const updated = await put("a/b", "two", { "If-Match": created.headers.etag ?? "" });
    expect(updated.status).toBe(204);
    expect(updated.headers.etag).not.toBe(created.headers.etag);
    const stale = await put("a/b", "three", { "If-Match": created.headers.etag ?? "" });
    expect(stale).toMatchObject({ status: 412, headers: { etag: updated.headers.etag } });
    expect(JSON.parse(stale.body)).toEqual({
      error: "changed",
      message: "record a/b is not as the condition says",
    });
    expect(await put("a/b", "four")).toMatchObject({
      status: 412,
      headers: { etag: updated.headers.etag },
    });
    expect((await call("DELETE", "/v1/records/a/b", { "If-Match": created.headers.etag ?? "" })).status).toBe(412);
    expect((await call("DELETE", "/v1/records/a/b", { "If-Match": updated.headers.etag ?? "" })).status).toBe(204);
    expect(await call("GET", "/v1/records/a/b")).toMatchObject({
      status: 404,
      body: '{"error":"absent","message":"there is no record a/b"}',
    });
  });

  test("lists hold what may be read, and a prefix that may not is refused", async () => {
    const tags = new Map<string, string | undefined>();
    for (const key of ["a/1", "a/2", "secret/1"]) tags.set(key, (await put(key, "x")).headers.etag);
    const listed = ["a/1", "a/2"].map((key) => [key, tags.get(key)?.replaceAll('"', "")]);
    expect(JSON.parse((await call("GET", "/v1/list?prefix=a%2F")).body)).toEqual(listed);
    expect(JSON.parse((await call("GET", "/v1/list")).body)).toEqual(listed);
    expect((await call("GET", "/v1/list?prefix=secret/")).status).toBe(403);
    expect((await call("GET", "/v1/list?prefix=a%20b")).status).toBe(400);
  });

  test("a write without a condition is refused, and so is an unclear one", async () => {
    expect((await put("a", "x", {})).status).toBe(428);
    expect((await call("DELETE", "/v1/records/a")).status).toBe(428);
    const unclear: Record<string, string>[] = [
      { "If-Match": "*" },
      { "If-Match": 'W/"v"' },
      { "If-Match": '"v", "w"' },
      { "If-Match": "v" },
      { "If-None-Match": '"v"' },
      { "If-Match": '"v"', "If-None-Match": "*" },
    ];
    for (const headers of unclear) expect((await put("a", "x", headers)).status, JSON.stringify(headers)).toBe(400);
    expect((await call("DELETE", "/v1/records/a", { "If-None-Match": "*" })).status).toBe(400);
    expect((await call("GET", "/v1/records/a")).status).toBe(404);
  });

  test("what the rules refuse is 403 with their reason, what does not fit is 400", async () => {
    expect(await call("GET", "/v1/records/secret/1")).toMatchObject({
      status: 403,
      body: '{"error":"forbidden","message":"no get of secret/1"}',
    });
    expect((await put("fixed/1", "x")).status).toBe(201);
    expect((await put("fixed/1", "x", { "If-Match": '"v"' })).status).toBe(403);
    expect((await call("DELETE", "/v1/records/fixed/1", { "If-Match": '"v"' })).status).toBe(403);
    expect(await put("later/1", "x")).toMatchObject({ status: 403, body: '{"error":"forbidden","message":"not now"}' });
    expect(await put("a", "bad value")).toMatchObject({
      status: 400,
      body: '{"error":"invalid","message":"a does not fit"}',
    });
    expect(await put("a", "foreign value")).toMatchObject({
      status: 403,
      body: '{"error":"forbidden","message":"not yours"}',
    });
  });

  test("a caller that is out for good is told so", async () => {
    known = "gone";
    expect(await call("GET", "/v1/records/a")).toMatchObject({
      status: 401,
      body: '{"error":"gone","message":"you have left"}',
    });
  });

  test("a caller that is nobody learns nothing", async () => {
    known = false;
    for (const [method, path] of [
      ["GET", "/v1/records/a"],
      ["GET", "/v1/list"],
      ["GET", "/nothing"],
      ["PUT", "/v1/records/a"],
    ] as const) {
      expect(await call(method, path)).toMatchObject({
        status: 401,
        body: '{"error":"unauthenticated","message":"who are you"}',
      });
    }
  });

  test("paths and methods that are not there", async () => {
    expect((await call("GET", "/")).status).toBe(404);
    expect((await call("GET", "/v1/records")).status).toBe(404);
    for (const key of ["", "a//b", "../list", "a%2Fb", "a b".replace(" ", "%20"), "a/"])
      expect((await call("GET", `/v1/records/${key}`)).status, key).toBe(400);
    expect(await call("POST", "/v1/records/a")).toMatchObject({
      status: 405,
      headers: { allow: "GET, PUT, DELETE" },
    });
    expect((await call("DELETE", "/v1/list")).status).toBe(405);
  });

  test("a body of 8 MB is taken, one byte more is not, announced or not", async () => {
    const whole = Buffer.alloc(mostBytes, 65);
    expect(
      (await call("PUT", "/v1/records/large", { "If-None-Match": "*" }, (request) => request.end(whole))).status,
    ).toBe(201);
    const announced = await call(
      "PUT",
      "/v1/records/b",
      { "If-None-Match": "*", "Content-Length": String(mostBytes + 1), Connection: "close" },
      (request) => request.flushHeaders(),
    );
    expect(announced).toMatchObject({ status: 413, headers: { connection: "close" } });
    const streamed = await call(
      "PUT",
      "/v1/records/b",
      { "If-None-Match": "*", "Transfer-Encoding": "chunked", Connection: "close" },
      (request) => {
        request.write(whole);
        request.write("x");
      },
    );
    expect(streamed.status).toBe(413);
    expect((await call("GET", "/v1/records/b")).status).toBe(404);
  });

  test("a body that is cut off is not written", async () => {
    const headers = { "If-None-Match": "*", "Content-Length": "10" };
    await expect(
      call("PUT", "/v1/records/cut", headers, (request) => {
        request.write("half", () => request.destroy());
      }),
    ).rejects.toThrow();
    expect((await call("GET", "/v1/records/cut")).status).toBe(404);
  });

  test("a store out of reach is 503 and told; what went wrong inside stays inside", async () => {
    fault = "unreachable";
    expect((await call("GET", "/v1/records/a")).status).toBe(503);
    expect(errors).toEqual([expect.any(StoreError)]);
  });
});

describe("the operator's socket", () => {
  test("is its owner's alone, and goes with the server", async () => {
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    await served.close(0);
    await expect(stat(socketPath)).rejects.toThrow("ENOENT");
  });

  test("replaces what a killed server left behind", async () => {
    await served.close(0);
    await writeFile(socketPath, "");
    await chmod(socketPath, 0o644);
    served = await serveStore({ store: memoryStore(systemRandom), rules, unixSocket: socketPath });
    expect((await call("GET", "/v1/list")).status).toBe(200);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  });
});
