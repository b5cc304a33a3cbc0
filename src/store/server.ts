import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Caller, Decision, StoreRules, StoreVerb } from "./caller.ts";
import { absentVersion, mostBytes } from "./kept.ts";
import { type Bytes, type ClusterStore, isKey, type Key, StoreError, type Version } from "./store.ts";

export type StoreHandlerOptions<Principal> = {
  readonly store: ClusterStore;
  readonly rules: StoreRules<Principal>;
  /** What the connection and the headers show of the caller. */
  readonly caller: (request: IncomingMessage) => Caller;
  /** Told of every failure that is not the caller's. */
  readonly onError?: (error: unknown) => void;
};

/** An answer that is not a success; its message goes to the caller. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};
type Asked<Principal> = StoreHandlerOptions<Principal> & {
  readonly principal: Principal;
  readonly request: IncomingMessage;
};

/**
 * The store's protocol over node's http: GET, PUT and DELETE of `/v1/records/<key>` with the version as ETag, writes
 * only with `If-None-Match: *` or `If-Match`, and GET `/v1/list?prefix=`, JSON `[[key, version], …]`. Errors are JSON
 * `{error, message}`.
 */
export function storeHandler<Principal>(options: StoreHandlerOptions<Principal>): RequestListener {
  return (request, response) => {
    answer(options, request).then(
      (good) => send(response, good),
      (error: unknown) => send(response, refusalOf(error, options.onError)),
    );
  };
}

async function answer<Principal>(options: StoreHandlerOptions<Principal>, request: IncomingMessage): Promise<Answer> {
  const known = await options.rules.authenticate(options.caller(request));
  if (known.kind !== "known") throw new Refusal(401, known.kind === "gone" ? "gone" : "unauthenticated", known.why);
  const asked = { ...options, principal: known.principal, request };
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  if (path === "/v1/list") return list(asked, query);
  const key = path.startsWith("/v1/records/") ? path.slice("/v1/records/".length) : undefined;
  if (key === undefined) throw new Refusal(404, "no-such-path", `there is nothing at ${path}`);
  if (!isKey(key)) throw new Refusal(400, "invalid", "not a record key");
  switch (request.method) {
    case "GET":
      return get(asked, key);
    case "PUT":
      return put(asked, key);
    case "DELETE":
      return remove(asked, key);
    default:
      throw new Refusal(405, "no-such-method", "records take GET, PUT and DELETE", {
        Allow: "GET, PUT, DELETE",
      });
  }
}

async function list<Principal>({ rules, store, principal, request }: Asked<Principal>, query: string): Promise<Answer> {
  if (request.method !== "GET") throw new Refusal(405, "no-such-method", "the list takes GET", { Allow: "GET" });
  const prefix = new URLSearchParams(query).get("prefix") ?? "";
  demand(rules.authorise(principal, "list", prefix));
  const found = [...(await store.list(prefix))].filter(([key]) => rules.authorise(principal, "get", key).allowed);
  return {
    status: 200,
    headers: { "Content-Type": "application/json" },
    body: Buffer.from(JSON.stringify(found)),
  };
}

async function get<Principal>({ rules, store, principal }: Asked<Principal>, key: Key): Promise<Answer> {
  demand(rules.authorise(principal, "get", key));
  const entry = await store.get(key);
  if (entry === undefined) throw new Refusal(404, "absent", `there is no record ${key}`);
  return {
    status: 200,
    headers: { ...etag(entry.version), "Content-Type": "application/octet-stream" },
    body: entry.value,
  };
}

async function put<Principal>({ rules, store, principal, request }: Asked<Principal>, key: Key): Promise<Answer> {
  const condition = conditionOf(request);
  const verb: StoreVerb = condition.kind === "absent" ? "create" : "update";
  demand(rules.authorise(principal, verb, key));
  if (rules.permit !== undefined) demand(await rules.permit(principal, key));
  const value = await bodyOf(request);
  const check = rules.checkWrite(principal, key, value);
  if (check.kind !== "good") throw new Refusal(check.kind === "invalid" ? 400 : 403, check.kind, check.why);
  const written =
    condition.kind === "absent"
      ? await store.putIfAbsent(key, value)
      : await store.putIfUnchanged(key, value, condition.version);
  if (written.kind === "written") return { status: verb === "create" ? 201 : 204, headers: etag(written.version) };
  throw new Refusal(412, written.kind, `record ${key} is not as the condition says`, etag(written.version));
}

async function remove<Principal>({ rules, store, principal, request }: Asked<Principal>, key: Key): Promise<Answer> {
  const condition = conditionOf(request);
  if (condition.kind === "absent") throw new Refusal(400, "invalid", "DELETE takes If-Match");
  demand(rules.authorise(principal, "delete", key));
  if ((await store.delete(key, condition.version)) === "deleted") return { status: 204, headers: {} };
  throw new Refusal(412, "changed", `record ${key} has changed`);
}

function demand(decision: Decision): void {
  if (!decision.allowed) throw new Refusal(403, "forbidden", decision.why);
}

type Condition = { readonly kind: "absent" } | { readonly kind: "version"; readonly version: Version };

function conditionOf({ headers }: IncomingMessage): Condition {
  const match = headers["if-match"];
  const none = headers["if-none-match"];
  if (match === undefined && none === undefined) {
    throw new Refusal(428, "condition-required", "a write needs If-None-Match: * or If-Match: <version>");
  }
  if (match === undefined && none === "*") return { kind: "absent" };
  const version = none === undefined ? /^"([A-Za-z0-9._-]+)"$/.exec(match ?? "")?.[1] : undefined;
  if (version === undefined)
    throw new Refusal(400, "invalid", "the condition is neither If-None-Match: * nor one version in If-Match");
  return { kind: "version", version };
}

async function bodyOf(request: IncomingMessage): Promise<Bytes> {
  const tooLarge = (): Refusal =>
    new Refusal(413, "too-large", `a record holds at most ${mostBytes} bytes`, {
      Connection: "close",
    });
  if (Number(request.headers["content-length"] ?? 0) > mostBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    request.on("data", (part: Buffer) => {
      size += part.length;
      if (size > mostBytes) {
        request.pause();
        reject(tooLarge());
      } else parts.push(part);
    });
    request.on("end", () => resolve(Buffer.concat(parts)));
    // A body that was cut off must never be taken for a whole one.
    request.on("close", () => reject(new Refusal(400, "invalid", "the body was cut off")));
    request.on("error", reject);
  });
}

function etag(version: Version): Readonly<Record<string, string>> {
  return version === absentVersion ? {} : { ETag: `"${version}"` };
}

function refusalOf(error: unknown, onError: ((error: unknown) => void) | undefined): Answer {
  const refusal = error instanceof Refusal ? error : unexpected(error);
  if (refusal.status >= 500) onError?.(error);
  return {
    status: refusal.status,
    headers: { ...refusal.headers, "Content-Type": "application/json" },
    body: Buffer.from(JSON.stringify({ error: refusal.code, message: refusal.message })),
  };
}

function unexpected(error: unknown): Refusal {
  if (error instanceof StoreError && error.kind === "invalid") return new Refusal(400, "invalid", error.message);
  if (error instanceof StoreError) return new Refusal(503, "unreachable", error.message);
  // What went wrong inside is for the log, not for the network.
  return new Refusal(500, "failed", "the store failed; its log says why");
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, {
    "Cache-Control": "no-store",
    ...headers,
    ...(status === 204 ? {} : { "Content-Length": String(body?.length ?? 0) }),
  });
  response.end(body);
}
