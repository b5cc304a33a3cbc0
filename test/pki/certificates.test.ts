import { execFileSync } from "node:child_process";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeIssuer, makeRoot, purposeOf } from "../../src/pki/authority.ts";
import { loadX509 } from "../../src/pki/issue.ts";
import { purposes, templateFaults } from "../../src/pki/purpose.ts";
import { certificatesIn, describeCertificate, fingerprint } from "../../src/pki/renewal.ts";
import { makeKey, makeRequest, RequestRefused, signRequest } from "../../src/pki/request.ts";
import { template, testCluster, type TestCluster } from "./authorities.ts";

const now = Date.UTC(2026, 10, 21, 9, 30, 0, 123);
const hour = 3_600_000;
const day = 24 * hour;
let cluster: TestCluster;
let folder: string;

beforeAll(async () => {
  cluster = await testCluster("demo", now);
  folder = mkdtempSync(join(tmpdir(), "pki-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
function openssl(...words: string[]): string {
  return execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
async function signed(more: Parameters<typeof template>[1] = {}, life?: number): Promise<string> {
  const wanted = template("store", more);
  const csr = await makeRequest(makeKey(), wanted);
  return signRequest({
    csr,
    issuer: cluster.issuers.store,
    template: wanted,
    now,
    ...(life === undefined ? {} : { life }),
  });
}

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
      expect(
        new X509Certificate(anchor).publicKey.equals(new X509Certificate(certificate).publicKey),
      ).toBe(true);
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
    expect(describeCertificate(issuer.certificate).notAfter).toBe(
      describeCertificate(root.certificate).notAfter,
    );
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
        expect(
          openssl("verify", ...at, "-purpose", use, "-CAfile", root, "-untrusted", issuer, leaf),
        ).toContain("OK");
      }
      for (const other of purposes) {
        const anchor = file(`${other}-anchor.pem`, cluster.issuers[other].anchor);
        const verify = (): string =>
          openssl("verify", ...at, "-no-CApath", "-no-CAstore", "-CAfile", anchor, leaf);
        if (other === purpose) expect(verify()).toContain("OK");
        else expect(verify).toThrow(/unable to get local issuer certificate/);
      }
    },
  );

  test("the text of a leaf: names, usages, constraints", async () => {
    const chain = await signed({
      organization: "demo",
      organizationalUnit: "control",
      names: ["localhost", "a.demo"],
      addresses: ["10.0.0.7", "fd00::1"],
    });
    const text = openssl("x509", "-noout", "-text", "-in", file("leaf.pem", chain));
    expect(text).toContain("Subject: O = demo, OU = control, CN = demo-control-1 store");
    expect(text).toContain("Issuer: O = demo, OU = store, CN = demo store");
    expect(text).toContain(
      "DNS:localhost, DNS:a.demo, IP Address:10.0.0.7, IP Address:FD00:0:0:0:0:0:0:1",
    );
    expect(text).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toContain("ecdsa-with-SHA256");
    const issuer = openssl(
      "x509",
      "-noout",
      "-text",
      "-in",
      file("issuer.pem", cluster.issuers.store.certificate),
    );
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
    const csr = openssl(
      "req",
      "-new",
      "-sha256",
      "-key",
      key,
      "-subj",
      "/CN=ca",
      "-config",
      config,
    );
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
    const inside = (at: number): boolean =>
      signedParts.some(({ from, length }) => at >= from && at < from + length);
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
      fc.asyncProperty(
        fc.nat(der.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          // The envelope's own lengths and the signature's padding are not signed.
          const outcome = await attempt(at, flip);
          if (inside(at)) expect(outcome).toBe("refused");
        },
      ),
      { numRuns: 60 },
    );
    for (const { from, length } of signedParts) {
      for (const at of [from, from + length - 1]) expect(await attempt(at, 1)).toBe("refused");
    }
  });

  test("a request signed by another key than the one it names is refused", async () => {
    const x509 = await loadX509();
    const one = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    const other = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
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
    const csr = openssl(
      "req",
      "-new",
      "-sha1",
      "-key",
      file("sha1.key", makeKey()),
      "-subj",
      "/CN=x",
    );
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
    const usual = describeCertificate(await signed());
    expect(usual.notBefore).toBe(Date.UTC(2026, 10, 21, 8, 30, 0));
    expect(usual.notAfter).toBe(Date.UTC(2026, 10, 21, 9, 30, 0) + 90 * day);
    expect(describeCertificate(await signed({}, 8000)).notAfter).toBe(
      Date.UTC(2026, 10, 21, 9, 30, 8),
    );
    const longest = describeCertificate(await signed({}, 9 * 365 * day));
    expect(longest.notAfter).toBe(describeCertificate(cluster.issuers.store.certificate).notAfter);
  });

  test("the chain is leaf, issuer and, where given, root", async () => {
    const wanted = template("store");
    const csr = await makeRequest(makeKey(), wanted);
    const issuer = cluster.issuers.store;
    expect(certificatesIn(await signRequest({ csr, issuer, template: wanted, now }))).toHaveLength(
      2,
    );
    const whole = certificatesIn(
      await signRequest({ csr, issuer, template: wanted, now, root: cluster.root.certificate }),
    );
    expect(whole.map(fingerprint).slice(1)).toEqual([
      fingerprint(issuer.certificate),
      fingerprint(cluster.root.certificate),
    ]);
  });
});

test("faults of templates", () => {
  expect(templateFaults(template("store"))).toEqual([]);
  expect(
    templateFaults(template("store", { names: ["*.demo", "a_b.demo"], addresses: ["::1"] })),
  ).toEqual([]);
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
  expect(
    templateFaults(template("store", { usages: ["client"], names: [], addresses: [] })),
  ).toEqual([]);
});

test("a name's text never becomes structure", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .constantFrom(
          "#0c0161",
          "a, O=admins",
          "a+OU=b",
          'say "hi"',
          "ü€",
          "a\\b",
          "a;b",
          "=x",
          " lead",
        )
        .chain((text) => fc.tuple(fc.constant(text), fc.constantFrom("x", "#04"))),
      async ([commonName, organization]) => {
        const leaf = describeCertificate(await signed({ commonName, organization }));
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
    const { serial } = describeCertificate(await signed());
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
  console.log(
    `root, authority and 20 × (key, request, certificate): ${Math.round(performance.now() - started)} ms`,
  );
  expect(signedOnes).toBe(20);
});
