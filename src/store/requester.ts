import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import { likeSocket } from "../host/command.ts";
import { rootBehindPin } from "./pin.ts";
import { StoreError } from "./store.ts";

export type StoreRequest = {
  readonly method: "GET" | "PUT" | "DELETE";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};
export type StoreAnswer = {
  readonly status: number;
  readonly etag?: string;
  readonly body: Uint8Array;
};

/** One request and its whole answer; throws `Unanswered`, or `StoreError` when there is no point in asking again. */
export interface Requester {
  request(request: StoreRequest): Promise<StoreAnswer>;
  /** Ends what is under way and closes the kept connections. */
  close(): void;
}

/** No answer came; when `sent`, the server may have done what was asked. */
export class Unanswered extends Error {
  readonly sent: boolean;
  constructor(message: string, sent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = "Unanswered";
    this.sent = sent;
  }
}

/** PEM texts. `ca`: the root to trust; where it is not known yet, `pin` must be given. `cert` is a whole chain. */
export type ClientTls = { readonly ca?: string; readonly cert?: string; readonly key?: string };

export type StorePlace =
  | {
      /** `https://host:port` */
      readonly url: string;
      /** Asked before every request, so that renewed certificates are used by the next one. */
      readonly tls: () => ClientTls;
      /** SHA-256 of the root certificate's DER, hex: what is trusted while `tls` gives no `ca`. */
      readonly pin?: string;
      /** The name that the server's certificate must bear, where it is not the url's host. */
      readonly serverName?: string;
    }
  | { readonly socketPath: string }
  /** Any stream to a store's plain end, such as a process's stdin and stdout. `ref` and `unref` are used where it has them. */
  | { readonly connect: () => Duplex };

const mostAnswerBytes = 64 * 1024 * 1024;

/** Requests to one store over kept connections; `timeout` (milliseconds) is that of one request. */
export function storeRequester(place: StorePlace, timeout: number, signal?: AbortSignal): Requester {
  const { agent, optionsOf } = dialer(place, timeout);
  const pending = new Set<http.ClientRequest>();
  let closed = false;
  const stop = (): void => {
    closed = true;
    for (const request of pending) request.destroy(new StoreError("closed", "the store's client was closed"));
    agent.destroy();
  };
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  return {
    async request(request) {
      const options = await optionsOf();
      if (closed) throw new StoreError("closed", "the store's client is closed");
      if (agent instanceof StreamAgent) agent.widen();
      return exchange({ ...options, agent, method: request.method, path: request.path }, request, timeout, pending);
    },
    close() {
      signal?.removeEventListener("abort", stop);
      stop();
    },
  };
}

type Dialer = {
  readonly agent: http.Agent;
  readonly optionsOf: () => Promise<https.RequestOptions>;
};

function dialer(place: StorePlace, timeout: number): Dialer {
  if ("socketPath" in place) {
    const options = { socketPath: place.socketPath };
    return { agent: new http.Agent({ keepAlive: true }), optionsOf: async () => options };
  }
  if ("connect" in place) {
    const agent = new StreamAgent(place.connect);
    return { agent, optionsOf: async () => ({ host: "localhost" }) };
  }
  const url = new URL(place.url);
  if (url.protocol !== "https:") throw new StoreError("invalid", `a store's address begins with https: ${place.url}`);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const server = {
    host,
    port: Number(url.port || 443),
    ...(place.serverName === undefined ? {} : { servername: place.serverName }),
  };
  const { pin, serverName } = place;
  let found: Promise<string> | undefined;
  const root = async (): Promise<string> => {
    if (pin === undefined) throw new StoreError("invalid", "neither the store's root nor its hash is known");
    found ??= rootBehindPin({
      host,
      port: server.port,
      pin,
      timeout,
      ...(serverName === undefined ? {} : { serverName }),
    });
    try {
      return await found;
    } catch (error) {
      found = undefined;
      throw error;
    }
  };
  return {
    agent: new https.Agent({ keepAlive: true }),
    async optionsOf() {
      const { ca, cert, key } = place.tls();
      return {
        ...server,
        ca: ca ?? (await root()),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
        rejectUnauthorized: true,
        minVersion: "TLSv1.3",
      };
    },
  };
}

/** So many requests may wait behind each other before another connection is worth what it costs. */
const shortQueue = 16;

/**
 * An agent whose connections are any streams. Each may be a process here and another where it ends, a tenth of a second
 * of a core, and an answer takes milliseconds: there is one, and a second one only for many requests at once.
 */
class StreamAgent extends http.Agent {
  readonly #connect: () => Duplex;
  constructor(connect: () => Duplex) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#connect = connect;
  }
  /** To be called just before a request is handed over. */
  widen(): void {
    const waiting = Object.values(this.requests).reduce((sum, queue) => sum + (queue?.length ?? 0), 0);
    if (waiting >= shortQueue) this.maxSockets = 2;
  }
  override createConnection(): Duplex {
    return likeSocket(this.#connect());
  }
}

function exchange(
  options: https.RequestOptions,
  { headers, body }: StoreRequest,
  timeout: number,
  pending: Set<http.ClientRequest>,
): Promise<StoreAnswer> {
  return new Promise((resolve, reject) => {
    const secure = "ca" in options;
    const request = (secure ? https : http).request({
      ...options,
      headers: { ...headers, ...(body === undefined ? {} : { "Content-Length": body.length }) },
    });
    let connected = false;
    pending.add(request);
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout} ms`)), timeout);
    const over = (): void => {
      clearTimeout(timer);
      pending.delete(request);
    };
    const fail = (error: Error): void => {
      over();
      reject(error instanceof StoreError ? error : failureOf(error, connected));
    };
    request.on("socket", (socket) => {
      if (request.reusedSocket || !("connecting" in socket) || !socket.connecting) connected = true;
      else socket.once(secure ? "secureConnect" : "connect", () => (connected = true));
    });
    request.on("error", fail);
    request.on("response", (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on("data", (part: Buffer) => {
        size += part.length;
        if (size > mostAnswerBytes)
          request.destroy(new StoreError("invalid", `the answer is larger than ${mostAnswerBytes} bytes`));
        else parts.push(part);
      });
      response.on("error", fail);
      response.on("end", () => {
        over();
        const { etag } = response.headers;
        resolve({
          status: response.statusCode ?? 0,
          ...(etag === undefined ? {} : { etag }),
          body: Buffer.concat(parts),
        });
      });
      response.on("close", () => fail(new Error("the answer was cut off")));
    });
    request.end(body);
  });
}

/** Codes of OpenSSL and Node for a server that is not whom we trust: waiting does not help. */
const mistrust =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_.*|UNABLE_TO_.*|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH)$/;

function failureOf(error: Error, sent: boolean): Error {
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (mistrust.test(code))
    return new StoreError("invalid", `the server is not this cluster's store: ${error.message}`, {
      cause: error,
    });
  return new Unanswered(error.message, sent, { cause: error });
}
