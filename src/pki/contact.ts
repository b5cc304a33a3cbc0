import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { purposeOf } from "./authority.ts";
import { TlsError, HttpError, failureOf } from "./failure.ts";
import type { Purpose } from "./purpose.ts";
import { verifyChain } from "./renewal.ts";

/**
 * First contact: asks a server, of which only the root's fingerprint is known, for its chain, and gives back the
 * issuing authority (PEM) to trust from then on. Nothing is sent on this connection; the next one, which trusts
 * that authority alone, checks the server's names and usages as always.
 */
export function authorityOf(wanted: {
  readonly url: string | URL;
  /** SHA-256 of the root's DER, hex. */
  readonly root: string;
  readonly purpose: Purpose;
  readonly now: number;
  /** The name to ask for (SNI) where the URL has only an address. */
  readonly name?: string;
  /** Milliseconds; 10 seconds by default. */
  readonly timeout?: number;
}): Promise<string> {
  const url = new URL(wanted.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const name = wanted.name ?? host;
  const timeout = wanted.timeout ?? 10_000;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port === "" ? 443 : url.port),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      // The chain is checked below, against the pinned root, before anything is sent.
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
    });
    const timer = setTimeout(() => {
      socket.destroy(new HttpError("timeout", "CONNECT", url, `no handshake within ${timeout} ms`));
    }, timeout);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new HttpError("unreachable", "CONNECT", url, "closed before the handshake was over"));
    });
    socket.once("error", (error) => reject(failureOf(error, "CONNECT", url, false)));
    socket.once("secureConnect", () => {
      const checked = verifyChain(
        chainPem(socket.getPeerCertificate(true)),
        wanted.root,
        wanted.now,
      );
      if (checked.kind === "bad")
        reject(new TlsError("CONNECT", url, `not the cluster: ${checked.why}`));
      else if (purposeOf(checked.issuer) !== wanted.purpose) {
        reject(
          new TlsError("CONNECT", url, `its certificate is not of the ${wanted.purpose} authority`),
        );
      } else resolve(checked.issuer);
      socket.destroy();
    });
  });
}

/** Leaf to root; the root of Node's linked list points to itself. */
function chainPem(leaf: DetailedPeerCertificate): string {
  const pems: string[] = [];
  const seen = new Set<string>();
  for (
    let next: DetailedPeerCertificate | undefined = leaf;
    next?.raw !== undefined;
    next = next.issuerCertificate
  ) {
    if (seen.has(next.fingerprint256)) break;
    seen.add(next.fingerprint256);
    pems.push(new X509Certificate(next.raw).toString());
  }
  return pems.join("");
}
