import { createPrivateKey, X509Certificate } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeIssuer, makeRoot, purposeOf } from "../../src/pki/authority.ts";
import { purposes, templateFaults } from "../../src/pki/purpose.ts";
import { certificatesIn, describeCertificate } from "../../src/pki/renewal.ts";
import { makeKey, makeRequest, signRequest } from "../../src/pki/request.ts";
import { template, testCluster, type TestCluster } from "./authorities.ts";
import { day, file, hour, now, openssl, removeFiles, signed } from "./judge.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster("demo", now);
});
afterAll(removeFiles);

describe("authorities", () => {
  test("a root and an issuing authority per purpose, which name the cluster and the purpose", () => {
    const root = describeCertificate(cluster.root.certificate);
    expect(root).toMatchObject({ commonName: "demo root", organization: "demo", authority: true });
    expect(root.notBefore).toBe(Date.UTC(2026, 10, 21, 8, 30, 0));
    expect(root.notAfter).toBe(Date.UTC(2026, 10, 21, 9, 30, 0) + 10 * 365 * day);
    expect(purposeOf(cluster.root.certificate)).toBeUndefined();
    for (const purpose of purposes) {
      const { certificate, anchor } = cluster.issuers[purpose];
      const issuer = describeCertificate(certificate);
      expect(issuer).toMatchObject({
        commonName: `demo ${purpose}`,
        organizationalUnit: purpose,
        authority: true,
      });
      expect(issuer.notAfter - issuer.notBefore).toBe(5 * 365 * day + hour);
      expect(purposeOf(certificate)).toBe(purpose);
      expect(describeCertificate(anchor)).toMatchObject({
        commonName: `demo ${purpose}`,
        notAfter: issuer.notAfter,
      });
      expect(new X509Certificate(anchor).publicKey.equals(new X509Certificate(certificate).publicKey)).toBe(true);
    }
  });

  test("keys are P-256 in PKCS#8, and belong to their certificates", () => {
    for (const { certificate, key } of [cluster.root, ...Object.values(cluster.issuers)]) {
      expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
      expect(createPrivateKey(key).asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
      expect(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))).toBe(true);
    }
  });

  test("an issuing authority does not outlive its root", async () => {
    const root = await makeRoot({ name: "demo", now, life: day });
    const issuer = await makeIssuer({ purpose: "store", root, now });
    expect(describeCertificate(issuer.certificate).notAfter).toBe(describeCertificate(root.certificate).notAfter);
  });
});

describe("openssl as the judge", () => {
  test.each(purposes)(
    "a %s chain verifies against the root, against its own anchor, and against no other",
    async (purpose) => {
      const wanted = template(purpose);
      const chain = await signRequest({
        csr: await makeRequest(makeKey(), wanted),
        issuer: cluster.issuers[purpose],
        template: wanted,
        now,
      });
      const leaf = file(`${purpose}.pem`, chain);
      const issuer = file(`${purpose}-issuer.pem`, cluster.issuers[purpose].certificate);
      const root = file("root.pem", cluster.root.certificate);
      const at = ["-attime", String(Math.floor(now / 1000) + 60), "-x509_strict"];
      for (const use of ["sslserver", "sslclient"]) {
        expect(openssl("verify", ...at, "-purpose", use, "-CAfile", root, "-untrusted", issuer, leaf)).toContain("OK");
      }
      for (const other of purposes) {
        const anchor = file(`${other}-anchor.pem`, cluster.issuers[other].anchor);
        const verify = (): string => openssl("verify", ...at, "-no-CApath", "-no-CAstore", "-CAfile", anchor, leaf);
        if (other === purpose) expect(verify()).toContain("OK");
        else expect(verify).toThrow(/unable to get local issuer certificate/);
      }
    },
  );

  test("the text of a leaf: names, usages, constraints", async () => {
    const chain = await signed(cluster, {
      organization: "demo",
      organizationalUnit: "control",
      names: ["localhost", "a.demo"],
      addresses: ["10.0.0.7", "fd00::1"],
    });
    const text = openssl("x509", "-noout", "-text", "-in", file("leaf.pem", chain));
    expect(text).toContain("Subject: O = demo, OU = control, CN = demo-control-1 store");
    expect(text).toContain("Issuer: O = demo, OU = store, CN = demo store");
    expect(text).toContain("DNS:localhost, DNS:a.demo, IP Address:10.0.0.7, IP Address:FD00:0:0:0:0:0:0:1");
    expect(text).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toContain("ecdsa-with-SHA256");
    const issuer = openssl("x509", "-noout", "-text", "-in", file("issuer.pem", cluster.issuers.store.certificate));
    expect(issuer).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(issuer).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  });

  test("an authority below an issuing authority is refused for its path length", async () => {
    // Of another purpose: an authority with its issuer's own name does not count for the path's length.
    const below = await makeIssuer({ purpose: "docker", root: cluster.issuers.store, now });
    const wanted = template("docker");
    const chain = await signRequest({
      csr: await makeRequest(makeKey(), wanted),
      issuer: below,
      template: wanted,
      now,
    });
    const untrusted = file("below.pem", below.certificate + cluster.issuers.store.certificate);
    const verify = (): string =>
      openssl(
        "verify",
        "-attime",
        String(Math.floor(now / 1000) + 60),
        "-CAfile",
        file("root.pem", cluster.root.certificate),
        "-untrusted",
        untrusted,
        file("deep.pem", chain),
      );
    expect(verify).toThrow(/path length constraint exceeded/);
  });

  test("openssl accepts our request, and we sign openssl's", async () => {
    const csr = await makeRequest(makeKey(), template("store"));
    expect(openssl("req", "-noout", "-verify", "-subject", "-in", file("ours.csr", csr))).toContain(
      "CN = demo-control-1 store",
    );
    const key = file("theirs.key", makeKey());
    const theirs = openssl("req", "-new", "-sha256", "-key", key, "-subj", "/CN=whoever");
    const chain = await signRequest({
      csr: theirs,
      issuer: cluster.issuers.store,
      template: template("store"),
      now,
    });
    expect(describeCertificate(chain).commonName).toBe("demo-control-1 store");
  });
});

test("faults of templates", () => {
  expect(templateFaults(template("store"))).toEqual([]);
  expect(templateFaults(template("store", { names: ["*.demo", "a_b.demo"], addresses: ["::1"] }))).toEqual([]);
  expect(
    templateFaults(
      template("store", {
        commonName: "",
        usages: [],
        names: ["10.0.0.1", "a b"],
        addresses: ["nowhere"],
      }),
    ),
  ).toEqual([
    'commonName "" is not 1 to 64 printable characters',
    "it is for neither server nor client",
    "10.0.0.1 is an address, not a DNS name",
    '"a b" is not a DNS name',
    '"nowhere" is not an IP address',
  ]);
  expect(templateFaults(template("store", { names: [], addresses: [] }))).toEqual([
    "a server's certificate needs a name or an address",
  ]);
  expect(templateFaults(template("store", { usages: ["client"], names: [], addresses: [] }))).toEqual([]);
});

test("a name's text never becomes structure", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .constantFrom("#0c0161", "a, O=admins", "a+OU=b", 'say "hi"', "ü€", "a\\b", "a;b", "=x", " lead")
        .chain((text) => fc.tuple(fc.constant(text), fc.constantFrom("x", "#04"))),
      async ([commonName, organization]) => {
        const leaf = describeCertificate(await signed(cluster, { commonName, organization }));
        expect([leaf.commonName, leaf.organization]).toEqual([commonName, organization]);
      },
    ),
    { numRuns: 20 },
  );
});

test("serial numbers are unique, positive and use all of 128 bits", async () => {
  const serials = new Set<string>();
  const bits = { high: 0, low: 0 };
  const count = 60;
  for (let n = 0; n < count; n++) {
    const { serial } = describeCertificate(await signed(cluster));
    serials.add(serial);
    const value = BigInt(`0x${serial}`);
    expect(value > 0n && value < 1n << 128n).toBe(true);
    if (value >> 127n === 1n) bits.high += 1;
    if ((value & 1n) === 1n) bits.low += 1;
  }
  expect(serials.size).toBe(count);
  // The chance that a fair bit is always the same in 60 draws is 2^-59.
  for (const bit of Object.values(bits)) expect(bit > 0 && bit < count).toBe(true);
});

test("how long an authority and twenty nodes take (printed, not judged)", async () => {
  const started = performance.now();
  const root = await makeRoot({ name: "fast", now });
  const issuer = await makeIssuer({ purpose: "store", root, now });
  let signedOnes = 0;
  for (let n = 0; n < 20; n++) {
    const wanted = template("store", { commonName: `fast-${n}`, addresses: [`10.0.0.${n}`] });
    const chain = await signRequest({
      csr: await makeRequest(makeKey(), wanted),
      issuer,
      template: wanted,
      now,
    });
    signedOnes += certificatesIn(chain).length - 1;
  }
  console.log(`root, authority and 20 × (key, request, certificate): ${Math.round(performance.now() - started)} ms`);
  expect(signedOnes).toBe(20);
});
