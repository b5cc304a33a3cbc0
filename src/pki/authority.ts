import { createPrivateKey, X509Certificate, type webcrypto } from "node:crypto";
import type { Extension, Name } from "@peculiar/x509";
import { distinguishedName, issue, keyPair, loadX509, makeKey } from "./issue.ts";
import { isPurpose, type Purpose } from "./purpose.ts";
import { describeCertificate, lives, validity, type Description } from "./renewal.ts";

/** A certificate and its private key, both PEM (the key PKCS#8). */
export type Authority = { readonly certificate: string; readonly key: string };

/** An authority that is ready to sign. */
export type Signer = {
  readonly subject: Name;
  readonly pair: webcrypto.CryptoKeyPair;
  readonly described: Description;
  /** Undefined for a root and for a stranger's authority. */
  readonly purpose: Purpose | undefined;
};

/** Parsing a key takes longer than signing with it, and one authority signs for every node. */
const signers = new WeakMap<Authority, Promise<Signer>>();

/** The authority, parsed; once for each object. Throws when its key is not P-256 or not its certificate's. */
export function signerOf(authority: Authority): Promise<Signer> {
  const known = signers.get(authority);
  if (known !== undefined) return known;
  const made = parse(authority);
  signers.set(authority, made);
  return made;
}

async function parse(authority: Authority): Promise<Signer> {
  const x509 = await loadX509();
  if (!new X509Certificate(authority.certificate).checkPrivateKey(createPrivateKey(authority.key))) {
    throw new Error("the authority's key is not its certificate's");
  }
  return {
    subject: new x509.X509Certificate(authority.certificate).subjectName,
    pair: await keyPair(authority.key),
    described: describeCertificate(authority.certificate),
    purpose: purposeOf(authority.certificate),
  };
}

/** The cluster's root: made once, signs only the issuing authorities. `life` in milliseconds, 10 years by default. */
export async function makeRoot(wanted: {
  readonly name: string;
  readonly now: number;
  readonly life?: number;
}): Promise<Authority> {
  const key = makeKey();
  const signer = await keyPair(key);
  const name = distinguishedName({ commonName: `${wanted.name} root`, organization: wanted.name });
  const certificate = await issue({
    ...validity(wanted.now, wanted.life ?? lives.root),
    subject: name,
    issuer: name,
    publicKey: signer.publicKey,
    signer,
    extensions: await authorityExtensions(1),
  });
  return { certificate, key };
}

/** The issuing authority of one purpose, which signs leaves and nothing else. `life` in milliseconds, 5 years by default. */
export async function makeIssuer(wanted: {
  readonly purpose: Purpose;
  readonly root: Authority;
  readonly now: number;
  readonly life?: number;
}): Promise<Authority> {
  const root = await signerOf(wanted.root);
  const cluster = root.described.organization ?? root.described.commonName;
  const key = makeKey();
  const certificate = await issue({
    ...validity(wanted.now, wanted.life ?? lives.issuer, root.described.notAfter),
    subject: distinguishedName({
      commonName: `${cluster} ${wanted.purpose}`,
      organization: cluster,
      organizationalUnit: wanted.purpose,
    }),
    issuer: root.subject,
    publicKey: (await keyPair(key)).publicKey,
    signer: root.pair,
    extensions: await authorityExtensions(0),
  });
  return { certificate, key };
}

/**
 * The same authority (name, key, dates), signed by itself: what a TLS *server* trusts. All authorities hang
 * from one root, so the root must not be trusted for a purpose, and OpenSSL ends a chain only at a certificate
 * that signed itself; Node's clients can be told otherwise (`allowPartialTrustChain`), its servers cannot.
 * Go's programs (etcd, Docker) take either form.
 */
export async function makeAnchor(authority: Authority): Promise<string> {
  const { subject, pair, described } = await signerOf(authority);
  return issue({
    notBefore: described.notBefore,
    notAfter: described.notAfter,
    subject,
    issuer: subject,
    publicKey: pair.publicKey,
    signer: pair,
    extensions: await authorityExtensions(0),
  });
}

/** The purpose that an issuing authority's certificate names; undefined for a root and for a stranger's. */
export function purposeOf(issuerPem: string): Purpose | undefined {
  const { organizationalUnit, authority } = describeCertificate(issuerPem);
  return authority && organizationalUnit !== undefined && isPurpose(organizationalUnit)
    ? organizationalUnit
    : undefined;
}

async function authorityExtensions(pathLength: number): Promise<readonly Extension[]> {
  const x509 = await loadX509();
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}
