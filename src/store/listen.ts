import { X509Certificate } from "node:crypto";
import { chmod, rename, unlink } from "node:fs/promises";
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps, type Server as HttpsServer } from "node:https";
import { type TlsOptions, TLSSocket } from "node:tls";
import { type Clock, systemClock } from "../host/clock.ts";
import type { Caller, CertificateFacts, StoreRules } from "./caller.ts";
import { storeHandler } from "./server.ts";
import type { ClusterStore } from "./store.ts";

/**
 * PEM texts: the server's key; its whole chain (leaf, issuer, root: clients that know only the root's hash need it);
 * the issuing authority of the clients, followed by what leads to its root where that is not in the chain.
 */
export type ServerTls = { readonly key: string; readonly cert: string; readonly clientCa: string };

export type ServeOptions<Principal> = {
  readonly store: ClusterStore;
  readonly rules: StoreRules<Principal>;
  /** The network's end; port 0 takes a free one. */
  readonly network?: { readonly tls: ServerTls; readonly port: number; readonly host: string };
  /** The operator's end: who can open this file (0600) is the operator. */
  readonly unixSocket?: string;
  readonly clock?: Clock;
  readonly onError?: (error: unknown) => void;
  /** Asked before the records' protocol, on both ends; true when the request was its own. */
  readonly beside?: (request: IncomingMessage, response: ServerResponse) => boolean;
};

export interface ServedStore {
  /** The port that was taken; `undefined` without a network end. */
  readonly port: number | undefined;
  /** New key, chain and authority for the connections to come; those that are open go on. */
  reload(tls: ServerTls): void;
  /** Takes no new connection, lets requests under way finish for at most so many milliseconds (5,000), then ends. */
  close(grace?: number): Promise<void>;
}

const limits = {
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 60_000,
  maxHeaderSize: 16_384,
};

/** Serves a store to the network over TLS and to the operator over a unix socket. Rejects when an end cannot be opened. */
export async function serveStore<Principal>(options: ServeOptions<Principal>): Promise<ServedStore> {
  const { store, rules, network, unixSocket, onError, beside, clock = systemClock } = options;
  let closing = false;
  const underWay = new Set<ServerResponse>();
  const handle = (
    caller: (request: IncomingMessage) => Caller,
  ): ((request: IncomingMessage, response: ServerResponse) => void) => {
    const handler = storeHandler({
      store,
      rules,
      caller,
      ...(onError === undefined ? {} : { onError }),
    });
    return (request, response) => {
      response.shouldKeepAlive &&= !closing;
      underWay.add(response);
      response.once("close", () => underWay.delete(response));
      if (beside?.(request, response) === true) return;
      handler(request, response);
    };
  };

  let clients = network === undefined ? undefined : new X509Certificate(network.tls.clientCa);
  const https =
    network === undefined
      ? undefined
      : createHttps(
          { ...limits, ...secure(network.tls), handshakeTimeout: 10_000 },
          handle(remoteCaller(clock, () => clients)),
        );
  const local =
    unixSocket === undefined
      ? undefined
      : createHttp(
          limits,
          handle(() => ({ kind: "local" })),
        );
  const servers = [https, local].filter((server) => server !== undefined);
  try {
    if (https !== undefined && network !== undefined) await listen(https, { port: network.port, host: network.host });
    if (local !== undefined && unixSocket !== undefined) await listenLocally(local, unixSocket);
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  const address = https?.address();

  return {
    port: typeof address === "object" && address !== null ? address.port : undefined,
    reload(tls) {
      clients = new X509Certificate(tls.clientCa);
      https?.setSecureContext(secure(tls));
    },
    async close(grace = 5_000) {
      closing = true;
      // Else their connections would be kept, idle, until the grace is over.
      for (const response of underWay) response.shouldKeepAlive = false;
      await Promise.all(servers.map((server) => end(server, grace)));
      if (unixSocket !== undefined) await removeSocket(unixSocket);
    },
  };
}

function secure({ key, cert, clientCa }: ServerTls): TlsOptions {
  // A first contact has no certificate yet; whether one is good is looked up per request (`socket.authorized`).
  return {
    key,
    cert,
    ca: [clientCa, cert],
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
  };
}

type Shown = { readonly facts: CertificateFacts; readonly expires: number };

/** What a request over TLS shows; a certificate that its authority did not sign, or that has expired since, counts as none. */
function remoteCaller(clock: Clock, clients: () => X509Certificate | undefined): (request: IncomingMessage) => Caller {
  const shown = new WeakMap<TLSSocket, Shown | "nothing">();
  return ({ socket, headers }) => {
    if (!(socket instanceof TLSSocket)) throw new Error("a request without TLS on the network's end");
    const seen = shown.get(socket) ?? certificateOf(socket, clients()) ?? "nothing";
    shown.set(socket, seen);
    const certificate = seen === "nothing" || seen.expires <= clock.now() ? undefined : seen.facts;
    const authorization = headers.authorization;
    // An IPv4 peer of a socket for both families bears this prefix.
    const address = socket.remoteAddress?.replace(/^::ffff:/, "");
    return {
      kind: "remote",
      ...(certificate === undefined ? {} : { certificate }),
      ...(authorization === undefined ? {} : { authorization }),
      ...(address === undefined ? {} : { address }),
    };
  };
}

function certificateOf(socket: TLSSocket, authority: X509Certificate | undefined): Shown | undefined {
  // A resumed session counts as authorised even when no certificate was shown in it: then there is none here.
  const leaf = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  // TLS trusts all that leads to the root; but there are other authorities under the same root, and theirs open nothing here.
  if (
    leaf === undefined ||
    authority === undefined ||
    !leaf.checkIssued(authority) ||
    !leaf.verify(authority.publicKey)
  )
    return undefined;
  const { subject, valid_to: validTo } = socket.getPeerCertificate();
  // A name part that is there twice is a list, whatever the types say; such a subject names nobody.
  const parts: readonly unknown[] = [subject.CN, subject.OU, subject.O];
  const [name, unit, organisation] = parts;
  if (typeof name !== "string" || typeof unit !== "string" || typeof organisation !== "string") return undefined;
  return { facts: { name, unit, organisation }, expires: Date.parse(validTo) };
}

function listen(
  server: HttpServer | HttpsServer,
  where: { port: number; host: string } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

/** The socket gets its name only once it is closed to others; the rename also replaces what a killed server left. */
async function listenLocally(server: HttpServer, path: string): Promise<void> {
  const draft = `${path}.new`;
  await removeSocket(draft);
  await listen(server, { path: draft });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

async function removeSocket(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

function end(server: HttpServer | HttpsServer, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    // The one error there is: it was not listening.
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
