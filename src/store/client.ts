import { type Clock, systemClock } from "../host/clock.ts";
import { absentVersion, check, checkWrite } from "./kept.ts";
import {
  type Requester,
  type StoreAnswer,
  type StorePlace,
  type StoreRequest,
  storeRequester,
  Unanswered,
} from "./requester.ts";
import {
  type Bytes,
  type ClusterStore,
  type Entry,
  type Key,
  StoreError,
  UnknownCaller,
  type Version,
} from "./store.ts";

export type HttpStoreOptions = (StorePlace | { readonly requester: Requester }) & {
  /** What an instance shows at first contact; sent only to a server that was verified. */
  readonly token?: { readonly instance: string; readonly token: string };
  /** What a machine shows that asks to join: `<id>.<secret>`. */
  readonly joinToken?: string;
  /** Milliseconds for one request (10,000); a call that has to ask again takes at most about twice that. */
  readonly timeout?: number;
  /** Ends every call. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
};

export interface HttpStore extends ClusterStore {
  /** Closes the kept connections; every later call is refused with `closed`. */
  close(): void;
}

type Ask = (request: StoreRequest) => Promise<{ readonly answer: StoreAnswer; readonly repeated: boolean }>;

const mostAttempts = 3;
const pauses = [0, 100, 400];

/**
 * The cluster store behind `storeHandler`. A request whose answer was lost is asked again (all of them can be), and a
 * conditional write that then fails is read back: when our own bytes stand there, it was ours that was written. An
 * `unreachable` from a write means that nobody knows whether it was done.
 */
export function httpStore(options: HttpStoreOptions): HttpStore {
  const { timeout = 10_000, clock = systemClock, token, joinToken } = options;
  const requester = "requester" in options ? options.requester : storeRequester(options, timeout, options.signal);
  const authorization: Readonly<Record<string, string>> =
    joinToken !== undefined
      ? { Authorization: `Slipway-Join ${joinToken}` }
      : token === undefined
        ? {}
        : { Authorization: `Slipway ${token.instance} ${token.token}` };

  const ask: Ask = async (request) => {
    const began = clock.now();
    let repeated = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return {
          answer: await requester.request({
            ...request,
            headers: { ...authorization, ...request.headers },
          }),
          repeated,
        };
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        // Time enough for one more attempt after one that timed out, and for no third.
        const late = clock.now() - began >= timeout * 1.5;
        if (!error.sent || attempt === mostAttempts || late)
          throw new StoreError("unreachable", `the store did not answer: ${error.message}`, {
            cause: error,
          });
        repeated = true;
        await clock.sleep(pauses[attempt] ?? 400, options.signal);
      }
    }
  };

  return {
    get: (key) => get(ask, key),
    async list(prefix) {
      const { answer } = await ask({
        method: "GET",
        path: `/v1/list?prefix=${encodeURIComponent(prefix)}`,
        headers: {},
      });
      if (answer.status !== 200) throw refusal(answer);
      return listOf(answer.body);
    },
    async putIfAbsent(key, value) {
      const put = await write(ask, key, value, { "If-None-Match": "*" });
      return { kind: put.written ? "written" : "exists", version: put.version };
    },
    async putIfUnchanged(key, value, version) {
      check(key);
      // Not a version that any store gave: nothing stands unchanged under it.
      if (!isVersion(version)) return { kind: "changed", version: (await get(ask, key))?.version ?? absentVersion };
      const put = await write(ask, key, value, { "If-Match": `"${version}"` });
      return { kind: put.written ? "written" : "changed", version: put.version };
    },
    async delete(key, version) {
      check(key);
      if (!isVersion(version)) return (await get(ask, key)) === undefined ? "deleted" : "changed";
      const { answer } = await ask({
        method: "DELETE",
        path: pathOf(key),
        headers: { "If-Match": `"${version}"` },
      });
      if (answer.status === 204) return "deleted";
      if (answer.status === 412) return "changed";
      throw refusal(answer);
    },
    close: () => requester.close(),
  };
}

async function get(ask: Ask, key: Key): Promise<Entry | undefined> {
  const { answer } = await ask({ method: "GET", path: pathOf(key), headers: {} });
  if (answer.status === 200) return { value: new Uint8Array(answer.body), version: versionOf(answer) };
  // A proxy, or another server, also says 404; only the store says that the record is absent.
  if (answer.status === 404 && problemOf(answer).error === "absent") return undefined;
  throw refusal(answer);
}

async function write(
  ask: Ask,
  key: Key,
  value: Bytes,
  condition: Readonly<Record<string, string>>,
): Promise<{ readonly written: boolean; readonly version: Version }> {
  checkWrite(key, value);
  const { answer, repeated } = await ask({
    method: "PUT",
    path: pathOf(key),
    headers: condition,
    body: value,
  });
  if (answer.status === 201 || answer.status === 204) return { written: true, version: versionOf(answer) };
  if (answer.status !== 412) throw refusal(answer);
  if (!repeated)
    return {
      written: false,
      version: answer.etag === undefined ? absentVersion : versionOf(answer),
    };
  const there = await get(ask, key);
  if (there === undefined) return { written: false, version: absentVersion };
  return { written: Buffer.compare(there.value, value) === 0, version: there.version };
}

function pathOf(key: Key): string {
  check(key);
  return `/v1/records/${key}`;
}

function isVersion(version: Version): boolean {
  return /^[A-Za-z0-9._-]+$/.test(version);
}

function versionOf({ etag }: StoreAnswer): Version {
  const version = /^"([^"]+)"$/.exec(etag ?? "")?.[1];
  if (version === undefined) throw new StoreError("invalid", "the store's answer bears no version");
  return version;
}

function listOf(body: Uint8Array): ReadonlyMap<Key, Version> {
  const found = parsed(body);
  if (Array.isArray(found) && found.every(isListed)) return new Map(found);
  throw new StoreError("invalid", "the store's list is not readable");
}

function isListed(found: unknown): found is readonly [Key, Version] {
  return Array.isArray(found) && found.length === 2 && found.every((part) => typeof part === "string");
}

function refusal(answer: StoreAnswer): StoreError {
  const { error, message } = problemOf(answer);
  const said = `the store answered ${answer.status} ${error}: ${message}`;
  // A proxy also says 401; only the store says that it knows nobody by what was shown.
  if (answer.status === 401 && (error === "unauthenticated" || error === "gone"))
    return new UnknownCaller(said, error === "gone");
  const kind =
    answer.status === 401 || answer.status === 403 ? "forbidden" : answer.status >= 500 ? "unreachable" : "invalid";
  return new StoreError(kind, said);
}

function problemOf({ body }: StoreAnswer): { readonly error: string; readonly message: string } {
  const problem = parsed(body);
  if (typeof problem === "object" && problem !== null && "error" in problem && "message" in problem) {
    return { error: String(problem.error), message: String(problem.message) };
  }
  return { error: "", message: "without a word of why" };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    // Not the store's own words; the caller says so.
    return undefined;
  }
}
