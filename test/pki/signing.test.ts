import { createPrivateKey, createPublicKey, generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadX509 } from "../../src/pki/issue.ts";
import { certificatesIn, describeCertificate, fingerprint } from "../../src/pki/renewal.ts";
import { makeKey, makeRequest, RequestRefused, signRequest } from "../../src/pki/request.ts";
import { template, testCluster, type TestCluster } from "./authorities.ts";
import { day, file, now, openssl, removeFiles, signed } from "./judge.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster("demo", now);
});
afterAll(removeFiles);

describe("signing a request", () => {
  test("names, organisation and usages come from the template, never from the request", async () => {
    const key = makeKey();
    const csr = await makeRequest(
      key,
      template("store", {
        commonName: "root of all",
        organization: "admins",
        names: ["evil.example"],
        addresses: ["6.6.6.6"],
      }),
    );
    const chain = await signRequest({
      csr,
      issuer: cluster.issuers.store,
      template: template("store", { usages: ["client"] }),
      now,
    });
    const leaf = describeCertificate(chain);
    expect(leaf).toMatchObject({
      commonName: "demo-control-1 store",
      names: ["localhost"],
      addresses: ["127.0.0.1"],
      authority: false,
    });
    expect(leaf.organization).toBeUndefined();
    expect(new X509Certificate(chain).keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(new X509Certificate(chain).toString()).not.toContain("evil");
  });

  test("a request that asks to be an authority does not become one", async () => {
    const key = file("ca.key", makeKey());
    const config = file(
      "ca.cnf",
      "[req]\ndistinguished_name=dn\nreq_extensions=e\n[dn]\n[e]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n",
    );
    const csr = openssl("req", "-new", "-sha256", "-key", key, "-subj", "/CN=ca", "-config", config);
    const chain = await signRequest({
      csr,
      issuer: cluster.issuers.store,
      template: template("store"),
      now,
    });
    expect(new X509Certificate(chain).ca).toBe(false);
  });

  test("a changed name or key is refused; any other changed byte too, or it changes nothing", async () => {
    const x509 = await loadX509();
    const key = makeKey();
    const csr = await makeRequest(key, template("store"));
    const der = Buffer.from(new x509.Pkcs10CertificateRequest(csr).rawData);
    const spki = createPublicKey(key).export({ type: "spki", format: "der" });
    const signedParts = [
      { from: der.indexOf("demo-control-1"), length: 14 },
      { from: der.indexOf(spki), length: spki.length },
      { from: der.indexOf("localhost"), length: 9 },
    ];
    expect(signedParts.every(({ from }) => from > 0)).toBe(true);
    const inside = (at: number): boolean => signedParts.some(({ from, length }) => at >= from && at < from + length);
    const attempt = async (at: number, flip: number): Promise<"refused" | "same key"> => {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ flip;
      const text = x509.PemConverter.encode(changed, "CERTIFICATE REQUEST");
      try {
        const chain = await signRequest({
          csr: text,
          issuer: cluster.issuers.store,
          template: template("store"),
          now,
        });
        expect(new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))).toBe(true);
        return "same key";
      } catch (error) {
        expect(error).toBeInstanceOf(RequestRefused);
        return "refused";
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        // The envelope's own lengths and the signature's padding are not signed.
        const outcome = await attempt(at, flip);
        if (inside(at)) expect(outcome).toBe("refused");
      }),
      { numRuns: 60 },
    );
    for (const { from, length } of signedParts) {
      for (const at of [from, from + length - 1]) expect(await attempt(at, 1)).toBe("refused");
    }
  });

  test("a request signed by another key than the one it names is refused", async () => {
    const x509 = await loadX509();
    const one = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const other = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const stolen = await x509.Pkcs10CertificateRequestGenerator.create({
      name: "CN=x",
      keys: { publicKey: one.publicKey, privateKey: other.privateKey },
      signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    });
    await expect(
      signRequest({
        csr: stolen.toString("pem"),
        issuer: cluster.issuers.store,
        template: template("store"),
        now,
      }),
    ).rejects.toMatchObject({ kind: "signature" });
  });

  test.each([
    ["RSA 1024", () => generateKeyPairSync("rsa", { modulusLength: 1024 })],
    ["RSA 4096", () => generateKeyPairSync("rsa", { modulusLength: 4096 })],
    ["P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["secp256k1", () => generateKeyPairSync("ec", { namedCurve: "secp256k1" })],
    ["Ed25519", () => generateKeyPairSync("ed25519")],
  ] as const)("a request with a key that is %s is refused", async (name, make) => {
    const key = file(
      `${name.replace(" ", "")}.key`,
      make().privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    );
    const csr = openssl("req", "-new", "-key", key, "-subj", "/CN=x");
    await expect(
      signRequest({ csr, issuer: cluster.issuers.store, template: template("store"), now }),
    ).rejects.toMatchObject({ name: "RequestRefused", kind: "weak-key" });
  });

  test("a request signed with SHA-1 is refused", async () => {
    const csr = openssl("req", "-new", "-sha1", "-key", file("sha1.key", makeKey()), "-subj", "/CN=x");
    await expect(
      signRequest({ csr, issuer: cluster.issuers.store, template: template("store"), now }),
    ).rejects.toMatchObject({ kind: "signature" });
  });

  test.each([
    "",
    "hello",
    "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    "x".repeat(20_000),
  ])("what is no request is refused: %#", async (csr) => {
    await expect(
      signRequest({ csr, issuer: cluster.issuers.store, template: template("store"), now }),
    ).rejects.toMatchObject({ kind: "unreadable" });
  });

  test("another purpose's authority, the root and an expired authority sign nothing", async () => {
    const csr = await makeRequest(makeKey(), template("store"));
    const sign = (issuer: { certificate: string; key: string }, at: number): Promise<string> =>
      signRequest({ csr, issuer, template: template("store"), now: at });
    await expect(sign(cluster.issuers.docker, now)).rejects.toMatchObject({ kind: "issuer" });
    await expect(sign(cluster.root, now)).rejects.toMatchObject({ kind: "issuer" });
    await expect(sign(cluster.issuers.store, now + 6 * 365 * day)).rejects.toMatchObject({
      kind: "issuer",
    });
  });

  test("a certificate lives 90 days, or as long as is said, never longer than its authority", async () => {
    const usual = describeCertificate(await signed(cluster));
    expect(usual.notBefore).toBe(Date.UTC(2026, 10, 21, 8, 30, 0));
    expect(usual.notAfter).toBe(Date.UTC(2026, 10, 21, 9, 30, 0) + 90 * day);
    expect(describeCertificate(await signed(cluster, {}, 8000)).notAfter).toBe(Date.UTC(2026, 10, 21, 9, 30, 8));
    const longest = describeCertificate(await signed(cluster, {}, 9 * 365 * day));
    expect(longest.notAfter).toBe(describeCertificate(cluster.issuers.store.certificate).notAfter);
  });

  test("the chain is leaf, issuer and, where given, root", async () => {
    const wanted = template("store");
    const csr = await makeRequest(makeKey(), wanted);
    const issuer = cluster.issuers.store;
    expect(certificatesIn(await signRequest({ csr, issuer, template: wanted, now }))).toHaveLength(2);
    const whole = certificatesIn(
      await signRequest({ csr, issuer, template: wanted, now, root: cluster.root.certificate }),
    );
    expect(whole.map(fingerprint).slice(1)).toEqual([
      fingerprint(issuer.certificate),
      fingerprint(cluster.root.certificate),
    ]);
  });
});
