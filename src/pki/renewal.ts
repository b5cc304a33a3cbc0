import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

/** Certificates begin this long before they are made, for nodes whose clocks are behind. Milliseconds. */
export const backdating = hour;
/** How long certificates live from the moment they are made. Milliseconds. */
export const lives = { leaf: 90 * day, issuer: 5 * 365 * day, root: 10 * 365 * day } as const;

export type Validity = {
  /** Milliseconds since 1970, whole seconds: X.509 knows no fractions. */
  readonly notBefore: number;
  readonly notAfter: number;
};

/** The dates of a certificate that is made now; it never outlives its issuer. Milliseconds. */
export function validity(now: number, life: number, issuerNotAfter: number = Number.POSITIVE_INFINITY): Validity {
  const made = Math.floor(now / second) * second;
  const wanted = Math.floor((now + life) / second) * second;
  return { notBefore: made - backdating, notAfter: Math.min(wanted, issuerNotAfter) };
}

/**
 * When to renew: two thirds of the way from when the certificate was made (an hour after notBefore) to its
 * end. Counted from notBefore itself, a certificate of a few minutes would be due when it is born.
 */
export function renewAt(notBefore: number, notAfter: number): number {
  const made = notAfter - notBefore > backdating ? notBefore + backdating : notBefore;
  return made + Math.floor(((notAfter - made) * 2) / 3);
}

/** Whether a certificate should be renewed now, or is no longer valid at all. */
export function due(certificate: Validity, now: number): boolean {
  return now >= renewAt(certificate.notBefore, certificate.notAfter);
}

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates of a bundle, each as PEM of its own, in the bundle's order. */
export function certificatesIn(pem: string): readonly string[] {
  return [...pem.matchAll(block)].map(([text]) => `${text}\n`);
}

export type Description = Validity & {
  readonly commonName: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
  /** DNS names, sorted. */
  readonly names: readonly string[];
  /** IP addresses in their shortest form, sorted. */
  readonly addresses: readonly string[];
  readonly authority: boolean;
  /** Hex, lower case. */
  readonly serial: string;
  /** SHA-256 of the DER, lower-case hex without colons. */
  readonly fingerprint256: string;
};

/** What stands in the first certificate of a PEM text. Throws when there is none. */
export function describeCertificate(pem: string): Description {
  const certificate = new X509Certificate(pem);
  const subject = certificate.toLegacyObject().subject;
  const organization = first(subject.O);
  const organizationalUnit = first(subject.OU);
  return {
    ...dates(certificate),
    commonName: first(subject.CN) ?? "",
    ...(organization === undefined ? {} : { organization }),
    ...(organizationalUnit === undefined ? {} : { organizationalUnit }),
    ...alternativeNames(certificate.subjectAltName ?? ""),
    authority: certificate.ca,
    serial: certificate.serialNumber.toLowerCase(),
    fingerprint256: digest(certificate),
  };
}

/** Whether the first certificate of a PEM text is for this private key (PEM). Throws when either is unreadable. */
export function isForKey(pem: string, key: string): boolean {
  return new X509Certificate(pem).checkPrivateKey(createPrivateKey(key));
}

/** SHA-256 of the DER of the first certificate in a PEM text: lower-case hex, no colons. */
export function fingerprint(pem: string): string {
  return digest(new X509Certificate(pem));
}

export type CheckedChain =
  | { readonly kind: "good"; readonly leaf: string; readonly issuer: string; readonly root: string }
  | { readonly kind: "bad"; readonly why: string };

/**
 * Whether a bundle is exactly leaf, issuing authority and the pinned root, in this order, all valid now.
 * That there are three and no more is the path length: an authority below an authority has no place here.
 * Says nothing of the leaf's names and usages; a TLS connection that trusts `issuer` alone does.
 */
export function verifyChain(chainPem: string, rootFingerprint: string, now: number): CheckedChain {
  const bad = (why: string): CheckedChain => ({ kind: "bad", why });
  const pems = certificatesIn(chainPem);
  const [leafPem, issuerPem, rootPem, ...more] = pems;
  if (leafPem === undefined || issuerPem === undefined || rootPem === undefined || more.length > 0) {
    return bad(`the chain has ${pems.length} certificates, not leaf, issuing authority and root`);
  }
  const read = (pem: string): X509Certificate | undefined => {
    try {
      return new X509Certificate(pem);
    } catch {
      return undefined;
    }
  };
  const [leaf, issuer, root] = [read(leafPem), read(issuerPem), read(rootPem)];
  if (leaf === undefined || issuer === undefined || root === undefined) {
    return bad("a certificate of the chain is unreadable");
  }
  if (digest(root) !== rootFingerprint.toLowerCase().replaceAll(":", "")) {
    return bad(`the root is ${digest(root)}, expected ${rootFingerprint}`);
  }
  for (const [name, certificate, by] of [
    ["root", root, root],
    ["issuing authority", issuer, root],
    ["certificate", leaf, issuer],
  ] as const) {
    if (certificate !== leaf && !certificate.ca) return bad(`the ${name} is not an authority`);
    if (certificate === leaf && certificate.ca) return bad("the leaf is itself an authority");
    if (!certificate.checkIssued(by)) return bad(`the ${name} does not name the next one as its issuer`);
    if (!certificate.verify(by.publicKey)) return bad(`the ${name} is not signed by the next one`);
    const { notBefore, notAfter } = dates(certificate);
    if (now < notBefore) return bad(`the ${name} is not valid before ${new Date(notBefore).toISOString()}`);
    if (now > notAfter) return bad(`the ${name} has expired at ${new Date(notAfter).toISOString()}`);
  }
  return { kind: "good", leaf: leafPem, issuer: issuerPem, root: rootPem };
}

function dates(certificate: X509Certificate): Validity {
  return {
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}

function digest(certificate: X509Certificate): string {
  return createHash("sha256").update(certificate.raw).digest("hex");
}

/** A name's part that stands there twice comes as a list. */
function first(value: unknown): string | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" ? one : undefined;
}

/** Node's text of the alternative names; a value with a comma or a quote in it comes as a JSON string. */
function alternativeNames(text: string): {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
} {
  const names: string[] = [];
  const addresses: string[] = [];
  for (const [, kind, value = ""] of text.matchAll(/(DNS|IP Address|[A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    if (kind === "DNS") names.push(value);
    else if (kind === "IP Address") addresses.push(shortest(value));
  }
  return { names: names.toSorted(), addresses: addresses.toSorted() };
}

/** OpenSSL writes `FD00:0:0:0:0:0:0:1`; a URL's host is the shortest form. */
function shortest(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
