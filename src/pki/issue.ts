import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto, type KeyObject } from "node:crypto";
import type { Extension, JsonNameParams, Name, PublicKey } from "@peculiar/x509";
import { systemRandom } from "../host/random.ts";
import type { Validity } from "./renewal.ts";

/** The library takes a tenth of a second to load, and only with the metadata shim before it. */
export async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

export const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A new P-256 private key: PKCS#8, PEM. */
export function makeKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Whether a key is on P-256, the only curve that we sign for. */
export function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
}

/** Both halves of a PEM private key, as WebCrypto wants them. Throws when it is not P-256. */
export async function keyPair(key: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = createPrivateKey(key);
  if (!isP256(privateKey)) throw new Error("not a P-256 key");
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const [own, shown] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", der, ecdsa, false, ["sign"]),
    webcrypto.subtle.importKey("spki", spki, ecdsa, true, ["verify"]),
  ]);
  return { privateKey: own, publicKey: shown };
}

/** A distinguished name; always UTF-8 text, or the library would read a value that begins with # as hex of DER. */
export function distinguishedName(parts: {
  readonly commonName: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
}): JsonNameParams {
  const { commonName, organization, organizationalUnit } = parts;
  return Object.entries({ O: organization, OU: organizationalUnit, CN: commonName }).flatMap(([type, value]) =>
    value === undefined ? [] : [{ [type]: [{ utf8String: value }] }],
  );
}

export type Issue = Validity & {
  readonly subject: JsonNameParams | Name;
  readonly issuer: JsonNameParams | Name;
  readonly publicKey: PublicKey | webcrypto.CryptoKey;
  readonly signer: webcrypto.CryptoKeyPair;
  readonly extensions: readonly Extension[];
};

/** One signed certificate, PEM, with both key identifiers and a random serial number of 128 bits. */
export async function issue(wanted: Issue): Promise<string> {
  const x509 = await loadX509();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: systemRandom.hex(16),
      subject: nameOf(x509, wanted.subject),
      issuer: nameOf(x509, wanted.issuer),
      notBefore: new Date(wanted.notBefore),
      notAfter: new Date(wanted.notAfter),
      publicKey: wanted.publicKey,
      signingKey: wanted.signer.privateKey,
      signingAlgorithm: ecdsa,
      extensions: [
        ...wanted.extensions,
        await x509.SubjectKeyIdentifierExtension.create(wanted.publicKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(wanted.signer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString("pem")}\n`;
}

function nameOf(x509: typeof import("@peculiar/x509"), name: JsonNameParams | Name): Name {
  return name instanceof x509.Name ? name : new x509.Name(name);
}
