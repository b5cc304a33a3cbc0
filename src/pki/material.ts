import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { certificatesIn } from "./renewal.ts";

/** What one side of a connection needs, all PEM. */
export type Material = {
  /** Whom we trust: one issuing authority or more, never the root. A server needs their anchors (`makeAnchor`). */
  readonly authority: string;
  /** Who we are; without it a client shows no certificate. */
  readonly identity?: {
    /** The leaf, then the authorities that the other side may lack. */
    readonly certificate: string;
    readonly key: string;
  };
};

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

function common(material: Material, minVersion: TlsVersion): SecureContextOptions {
  const authorities = certificatesIn(material.authority);
  // Without any, Node would trust the public web's authorities.
  if (authorities.length === 0) throw new Error("no authority to trust: its PEM has no certificate");
  return {
    ca: [...authorities],
    minVersion,
    ...(material.identity === undefined ? {} : { cert: material.identity.certificate, key: material.identity.key }),
  };
}

/** A client's TLS context. Throws when a PEM is unreadable or the key is not the certificate's. */
export function clientContext(material: Material, minVersion: TlsVersion = "TLSv1.2"): SecureContext {
  return createSecureContext({ ...common(material, minVersion), allowPartialTrustChain: true });
}

/**
 * The options of a TLS server and of its `setSecureContext`. Throws when a PEM is unreadable, the key is not the
 * certificate's, or the authority has not signed itself: then every client would be refused.
 */
export function serverContext(material: Material, minVersion: TlsVersion = "TLSv1.3"): SecureContextOptions {
  if (material.identity === undefined) throw new Error("a server needs a certificate");
  const options = common(material, minVersion);
  for (const pem of certificatesIn(material.authority)) {
    const authority = new X509Certificate(pem);
    if (!authority.verify(authority.publicKey)) {
      throw new Error(
        `a server trusts only authorities that signed themselves (makeAnchor): ${authority.subject.replaceAll("\n", ", ")}`,
      );
    }
  }
  createSecureContext(options);
  return options;
}

/** The same text for the same material. */
export function materialText(material: Material): string {
  return JSON.stringify([material.authority, material.identity?.certificate, material.identity?.key]);
}
