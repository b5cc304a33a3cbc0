import "reflect-metadata";
import { createHash, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hour = 3_600_000;

/** A certificate with its key, as PEM. */
export type Issued = {
  readonly certificate: x509.X509Certificate;
  readonly cert: string;
  readonly key: string;
  readonly keys: webcrypto.CryptoKeyPair;
};

/** SHA-256 of a certificate's DER, hex. */
export function pinOf({ certificate }: Issued): string {
  return createHash("sha256").update(Buffer.from(certificate.rawData)).digest("hex");
}

type Wish = {
  readonly subject: string;
  readonly issuer?: Issued;
  readonly extensions: x509.Extension[];
  readonly notAfter?: Date;
};

async function issue({ subject, issuer, extensions, notAfter }: Wish): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const signingKey = issuer?.keys.privateKey ?? keys.privateKey;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: createHash("sha256")
      .update(subject)
      .update(String(process.hrtime.bigint()))
      .digest("hex")
      .slice(2, 32),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: new Date(Date.now() - 2 * hour),
    notAfter: notAfter ?? new Date(Date.now() + 24 * hour),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions,
  });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { certificate, cert: certificate.toString("pem"), key, keys };
}

export function authority(name: string, issuer?: Issued): Promise<Issued> {
  return issue({
    subject: `CN=${name}`,
    ...(issuer === undefined ? {} : { issuer }),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
}

export function serverCertificate(
  issuer: Issued,
  names: readonly x509.JsonGeneralName[],
  notAfter?: Date,
): Promise<Issued> {
  return issue({
    subject: "CN=store",
    issuer,
    ...(notAfter === undefined ? {} : { notAfter }),
    extensions: [
      new x509.SubjectAlternativeNameExtension([...names]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });
}

export function clientCertificate(issuer: Issued, subject: string, notAfter?: Date): Promise<Issued> {
  return issue({
    subject,
    issuer,
    ...(notAfter === undefined ? {} : { notAfter }),
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
}

/** A root, the store's issuing authority, and a server for 127.0.0.1 with its whole chain. */
export async function trust(): Promise<{
  root: Issued;
  issuer: Issued;
  server: Issued;
  chain: string;
}> {
  const root = await authority("root");
  const issuer = await authority("store authority", root);
  const server = await serverCertificate(issuer, [{ type: "ip", value: "127.0.0.1" }]);
  return { root, issuer, server, chain: [server.cert, issuer.cert, root.cert].join("\n") };
}
