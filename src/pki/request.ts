import { createPublicKey, webcrypto } from "node:crypto";
import type { Extension, JsonGeneralName, Pkcs10CertificateRequest } from "@peculiar/x509";
import { signerOf, type Authority } from "./authority.ts";
import { distinguishedName, ecdsa, isP256, issue, keyPair, loadX509, makeKey } from "./issue.ts";
import { templateFaults, type CertificateTemplate } from "./purpose.ts";
import { lives, validity } from "./renewal.ts";

export { makeKey };

export type RefusalKind = "unreadable" | "signature" | "weak-key" | "template" | "issuer";

/** A certificate request was not signed; `kind` says which check it failed. */
export class RequestRefused extends Error {
  readonly kind: RefusalKind;
  constructor(kind: RefusalKind, message: string, options?: ErrorOptions) {
    super(`certificate request refused: ${message}`, options);
    this.name = "RequestRefused";
    this.kind = kind;
  }
}

/** A request (PEM) for the template's certificate, signed by the key that asks. Its names are for people's eyes. */
export async function makeRequest(key: string, template: CertificateTemplate): Promise<string> {
  checkTemplate(template);
  const x509 = await loadX509();
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: new x509.Name(distinguishedName(template)),
      keys: await keyPair(key),
      signingAlgorithm: ecdsa,
      extensions: [...(await alternativeNames(template))],
    },
    webcrypto,
  );
  return `${request.toString("pem")}\n`;
}

/** More than any P-256 request with a few names; an attacker's megabytes are never parsed. Characters. */
const longestRequest = 16_384;

/**
 * Signs a request: takes from it the public key alone, once the request's own signature has proven that the
 * asker holds the private one; names and usages come from the template. The certificate's life is in
 * milliseconds (90 days by default) and ends with the issuer's at the latest. Gives leaf, issuer and (where
 * given) root as one PEM bundle; throws `RequestRefused`.
 */
export async function signRequest(wanted: {
  readonly csr: string;
  readonly issuer: Authority;
  readonly template: CertificateTemplate;
  readonly now: number;
  readonly life?: number;
  /** The root's certificate: sent along where the other side knows only its fingerprint. */
  readonly root?: string;
}): Promise<string> {
  const { issuer, template, now } = wanted;
  checkTemplate(template);
  const signer = await signerOf(issuer);
  const { purpose } = signer;
  if (purpose !== template.issuer) {
    throw new RequestRefused(
      "issuer",
      `${template.purpose} is signed by the ${template.issuer} authority, not by ${purpose ?? "this one"}`,
    );
  }
  const { notAfter } = signer.described;
  if (now >= notAfter) {
    throw new RequestRefused("issuer", `the ${purpose} authority has expired at ${new Date(notAfter).toISOString()}`);
  }
  const request = await readRequest(wanted.csr);
  const leaf = await issue({
    ...validity(now, wanted.life ?? lives.leaf, notAfter),
    subject: distinguishedName(template),
    issuer: signer.subject,
    publicKey: request.publicKey,
    signer: signer.pair,
    extensions: await leafExtensions(template),
  });
  return [leaf, issuer.certificate, ...(wanted.root === undefined ? [] : [wanted.root])]
    .map((pem) => `${pem.trim()}\n`)
    .join("");
}

async function readRequest(csr: string): Promise<Pkcs10CertificateRequest> {
  const x509 = await loadX509();
  if (csr.length > longestRequest) throw new RequestRefused("unreadable", `it has ${csr.length} characters`);
  if (!csr.startsWith("-----BEGIN CERTIFICATE REQUEST-----")) throw new RequestRefused("unreadable", "it is not PEM");
  let request: Pkcs10CertificateRequest;
  let strong: boolean;
  let hash: string;
  try {
    request = new x509.Pkcs10CertificateRequest(csr);
    strong = isP256(createPublicKey({ key: Buffer.from(request.publicKey.rawData), type: "spki", format: "der" }));
    // The library's types promise a hash; an unknown algorithm has none.
    const algorithm: { readonly hash?: { readonly name: string } } = request.signatureAlgorithm;
    hash = algorithm.hash?.name ?? "an unknown algorithm";
  } catch (cause) {
    throw new RequestRefused("unreadable", "it cannot be parsed", { cause });
  }
  if (!strong) throw new RequestRefused("weak-key", "its key is not P-256");
  if (hash !== "SHA-256") throw new RequestRefused("signature", `it is signed with ${hash}, not SHA-256`);
  let proven: boolean;
  try {
    proven = await request.verify(webcrypto);
  } catch (cause) {
    throw new RequestRefused("signature", "its signature cannot be checked", { cause });
  }
  if (!proven) throw new RequestRefused("signature", "it is not signed by the key that it names");
  return request;
}

function checkTemplate(template: CertificateTemplate): void {
  const faults = templateFaults(template);
  if (faults.length > 0) throw new RequestRefused("template", `template ${template.purpose}: ${faults.join("; ")}`);
}

async function leafExtensions(template: CertificateTemplate): Promise<readonly Extension[]> {
  const x509 = await loadX509();
  const oids = {
    server: x509.ExtendedKeyUsage.serverAuth,
    client: x509.ExtendedKeyUsage.clientAuth,
  };
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([...new Set(template.usages)].map((usage) => oids[usage])),
    ...(await alternativeNames(template)),
  ];
}

async function alternativeNames(template: CertificateTemplate): Promise<readonly Extension[]> {
  const x509 = await loadX509();
  const names: JsonGeneralName[] = [
    ...template.names.map((value) => ({ type: "dns" as const, value })),
    ...template.addresses.map((value) => ({ type: "ip" as const, value })),
  ];
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)];
}
