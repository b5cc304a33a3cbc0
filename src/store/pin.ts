import { X509Certificate } from "node:crypto";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { StoreError } from "./store.ts";

export type PinnedServer = {
  readonly host: string;
  readonly port: number;
  /** The name that the server's certificate must bear, where it is not the host. */
  readonly serverName?: string;
  /** SHA-256 of the root certificate's DER, hex. */
  readonly pin: string;
  /** Milliseconds until the attempt ends as `unreachable`. */
  readonly timeout: number;
};

/**
 * The root certificate (PEM) behind a pinned hash, taken from the chain that the server shows. The hash proves the
 * root and nothing else: the connection is closed with nothing said, and the caller trusts this root alone from then
 * on, so that every connection that carries a word is verified in full by TLS itself.
 */
export function rootBehindPin({ host, port, serverName, pin, timeout }: PinnedServer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
    });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout} ms`)), timeout);
    socket.once("secureConnect", () => {
      const root = rootOf(socket.getPeerCertificate(true), pin);
      socket.destroy();
      if (root === undefined)
        reject(new StoreError("invalid", `the server at ${host}:${port} does not show the pinned root ${pin}`));
      else resolve(root.toString());
    });
    socket.on("error", (error) =>
      reject(new StoreError("unreachable", `${host}:${port}: ${error.message}`, { cause: error })),
    );
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new StoreError("unreachable", `${host}:${port} ended the connection`));
    });
  });
}

function rootOf(leaf: DetailedPeerCertificate, pin: string): X509Certificate | undefined {
  const wanted = pin.toLowerCase();
  const seen = new Set<string>();
  let next: Partial<DetailedPeerCertificate> | undefined = leaf;
  // A root is its own issuer, so the walk would never end by itself.
  while (next?.raw !== undefined && next.fingerprint256 !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    const certificate = new X509Certificate(next.raw);
    if (certificate.fingerprint256.replaceAll(":", "").toLowerCase() === wanted) return certificate;
    next = next.issuerCertificate;
  }
  return undefined;
}
