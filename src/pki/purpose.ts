import { isIP } from "node:net";

/** What an issuing authority is for. One authority is one trust domain: each refuses the others' certificates. */
export const purposes = ["store", "etcd-peer", "etcd-client", "docker"] as const;
export type Purpose = (typeof purposes)[number];

export function isPurpose(text: string): text is Purpose {
  return purposes.some((purpose) => purpose === text);
}

export type Usage = "server" | "client";

/**
 * All that stands in a certificate but its key and dates. The signer derives it itself, from the roster
 * and the cluster; what a request says of names is never read.
 */
export type CertificateTemplate = {
  /** The certificate's own name among a node's, such as "etcd-server". */
  readonly purpose: string;
  readonly issuer: Purpose;
  /**
   * etcd's server certificates need "client" too: etcd's JSON gateway calls its own server with it, and
   * without it every call fails with code 14 while `/health` says true (etcd#9785, etcd#16590).
   */
  readonly usages: readonly Usage[];
  /** At most 64 characters (RFC 5280, ub-common-name). */
  readonly commonName: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
  /** DNS names. */
  readonly names: readonly string[];
  /** IPv4 and IPv6 addresses. */
  readonly addresses: readonly string[];
  /** How long it may live at most, where that is less than others, milliseconds. */
  readonly life?: number;
};

// Underscores are no host names, but containers and Compose projects bear them.
const dnsName =
  /^(?=.{1,253}$)(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
const printable = /^[^\p{Cc}\p{Cf}\p{Cs}]{1,64}$/u;

/** Everything wrong with a template, as sentences; empty when it can be signed. */
export function templateFaults(template: CertificateTemplate): readonly string[] {
  const { commonName, organization, organizationalUnit } = template;
  const faults: string[] = [];
  for (const [field, value] of Object.entries({ commonName, organization, organizationalUnit })) {
    if (value !== undefined && !printable.test(value)) {
      faults.push(`${field} ${JSON.stringify(value)} is not 1 to 64 printable characters`);
    }
  }
  if (template.usages.length === 0) faults.push("it is for neither server nor client");
  for (const name of template.names) {
    if (isIP(name) !== 0) faults.push(`${name} is an address, not a DNS name`);
    else if (!dnsName.test(name)) faults.push(`${JSON.stringify(name)} is not a DNS name`);
  }
  for (const address of template.addresses) {
    if (isIP(address) === 0) faults.push(`${JSON.stringify(address)} is not an IP address`);
  }
  if (template.usages.includes("server") && template.names.length + template.addresses.length === 0) {
    faults.push("a server's certificate needs a name or an address");
  }
  return faults;
}
