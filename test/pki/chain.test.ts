import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { makeIssuer, makeRoot } from "../../src/pki/authority.ts";
import { distinguishedName, issue, keyPair, loadX509 } from "../../src/pki/issue.ts";
import {
  backdating,
  certificatesIn,
  describeCertificate,
  due,
  fingerprint,
  renewAt,
  validity,
  verifyChain,
} from "../../src/pki/renewal.ts";
import { makeKey, makeRequest, signRequest } from "../../src/pki/request.ts";
import { template, testCluster, type TestCluster } from "./authorities.ts";

const now = Date.UTC(2026, 10, 21, 9, 30);
const minute = 60_000;
let cluster: TestCluster;
let stranger: TestCluster;
let parts: { readonly leaf: string; readonly issuer: string; readonly root: string };
let pin: string;

beforeAll(async () => {
  [cluster, stranger] = await Promise.all([testCluster("demo", now), testCluster("demo", now)]);
  parts = await chainOf(cluster);
  pin = fingerprint(cluster.root.certificate);
});

async function chainOf(from: TestCluster, life = 10 * minute): Promise<{ leaf: string; issuer: string; root: string }> {
  const wanted = template("store");
  const pem = await signRequest({
    csr: await makeRequest(makeKey(), wanted),
    issuer: from.issuers.store,
    template: wanted,
    now,
    life,
    root: from.root.certificate,
  });
  const [leaf = "", issuer = "", root = ""] = certificatesIn(pem);
  return { leaf, issuer, root };
}
function why(chain: string, at = now, root = pin): string {
  const checked = verifyChain(chain, root, at);
  return checked.kind === "good" ? "good" : checked.why;
}

describe("a chain against the pinned root", () => {
  test("leaf, issuer, root is good, however the fingerprint is written", () => {
    const pem = parts.leaf + parts.issuer + parts.root;
    expect(verifyChain(pem, pin, now)).toEqual({ kind: "good", ...parts });
    expect(why(pem, now, pin.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:"))).toBe("good");
  });

  test("another root, though of the same name, is refused", async () => {
    const other = await chainOf(stranger);
    expect(why(other.leaf + other.issuer + other.root)).toMatch(/^the root is [0-9a-f]{64}, expected/);
    expect(why(other.leaf + other.issuer + parts.root)).toBe(
      "the issuing authority does not name the next one as its issuer",
    );
    expect(why(other.leaf + parts.issuer + parts.root)).toBe(
      "the certificate does not name the next one as its issuer",
    );
  });

  test("dates: before, after, and an issuer that has expired", async () => {
    const pem = parts.leaf + parts.issuer + parts.root;
    expect(why(pem, now - 61 * minute)).toMatch(/^the root is not valid before 2026-11-21T08:30/);
    expect(why(pem, now + 11 * minute)).toBe("the certificate has expired at 2026-11-21T09:40:00.000Z");
    const short = await makeIssuer({ purpose: "store", root: cluster.root, now, life: minute });
    const wanted = template("store");
    const leaf = await signRequest({
      csr: await makeRequest(makeKey(), wanted),
      issuer: short,
      template: wanted,
      now,
      root: cluster.root.certificate,
    });
    expect(why(leaf, now + 2 * minute)).toMatch(/^the issuing authority has expired/);
  });

  test("too few, too many, in another order, or none", () => {
    expect(why("")).toMatch(/^the chain has 0 certificates/);
    expect(why(parts.leaf + parts.issuer)).toMatch(/^the chain has 2 certificates/);
    expect(why(parts.leaf + parts.issuer + parts.root + parts.root)).toMatch(/^the chain has 4 certificates/);
    expect(why(parts.issuer + parts.leaf + parts.root)).toBe("the issuing authority is not an authority");
    expect(why(parts.issuer + parts.root + parts.root)).toBe("the leaf is itself an authority");
    expect(why(parts.leaf + parts.root + parts.root)).toBe("the certificate does not name the next one as its issuer");
  });

  test("a leaf signed by a leaf is refused", async () => {
    const key = makeKey();
    const wanted = template("store");
    const bundle = await signRequest({
      csr: await makeRequest(key, wanted),
      issuer: cluster.issuers.store,
      template: wanted,
      now,
    });
    const [middle = ""] = certificatesIn(bundle);
    const library = await loadX509();
    const forged = await issue({
      ...validity(now, minute),
      subject: distinguishedName({ commonName: "forged" }),
      issuer: new library.X509Certificate(middle).subjectName,
      publicKey: (await keyPair(makeKey())).publicKey,
      signer: await keyPair(key),
      extensions: [],
    });
    expect(why(forged + middle + parts.root)).toBe("the issuing authority is not an authority");
    expect(why(forged + middle + parts.issuer + parts.root)).toMatch(/^the chain has 4 certificates/);
  });

  test("no changed byte of leaf or issuer passes", () => {
    const der = [parts.leaf, parts.issuer].map((pem) => Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64"));
    fc.assert(
      fc.property(fc.constantFrom(0, 1), fc.nat(100_000), fc.integer({ min: 1, max: 255 }), (which, at, flip) => {
        const pems = der.map((bytes, n) => {
          const changed = Buffer.from(bytes);
          const place = at % changed.length;
          if (n === which) changed[place] = (changed[place] ?? 0) ^ flip;
          return `-----BEGIN CERTIFICATE-----\n${changed.toString("base64").replaceAll(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE-----\n`;
        });
        expect(why(`${pems.join("")}${parts.root}`)).not.toBe("good");
      }),
      { numRuns: 300 },
    );
  });
});

describe("dates", () => {
  const moment = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2049, 0) });
  const life = fc.integer({ min: 1000, max: 10 * 365 * 86_400_000 });

  test("whole seconds, one hour back, never past the issuer's end", () => {
    fc.assert(
      fc.property(moment, life, moment, (at, lives, end) => {
        const limit = Math.floor(end / 1000) * 1000;
        const dates = validity(at, lives, limit);
        expect(dates.notBefore % 1000 === 0 && dates.notAfter % 1000 === 0).toBe(true);
        expect(at - dates.notBefore - backdating).toBeGreaterThanOrEqual(0);
        expect(at - dates.notBefore - backdating).toBeLessThan(1000);
        expect(dates.notAfter).toBeLessThanOrEqual(Math.min(limit, at + lives));
      }),
    );
  });

  test("renewed at two thirds of the life after it was made, never when it is born, always before it ends", () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 3000, max: 10 * 365 * 86_400_000 }), (at, lives) => {
        const dates = validity(at, lives);
        const when = renewAt(dates.notBefore, dates.notAfter);
        expect(Math.abs(when - (at + (lives * 2) / 3))).toBeLessThan(2000);
        expect(when).toBeLessThan(dates.notAfter);
        expect(due(dates, when)).toBe(true);
        expect(due(dates, when - 1)).toBe(false);
        expect(due(dates, Math.floor(at / 1000) * 1000)).toBe(false);
        expect(due(dates, dates.notAfter + 1)).toBe(true);
      }),
    );
  });

  test("what is signed says what was reckoned", async () => {
    await fc.assert(
      fc.asyncProperty(moment, fc.integer({ min: 3000, max: 4 * 365 * 86_400_000 }), async (at, lives) => {
        const root = await makeRoot({ name: "demo", now: at });
        const long = await makeIssuer({ purpose: "store", root, now: at });
        const wanted = template("store");
        const pem = await signRequest({
          csr: await makeRequest(makeKey(), wanted),
          issuer: long,
          template: wanted,
          now: at,
          life: lives,
        });
        const { notBefore, notAfter } = describeCertificate(pem);
        expect({ notBefore, notAfter }).toEqual(validity(at, lives));
      }),
      { numRuns: 8 },
    );
  });
});

test("a certificate's description: addresses in their shortest form, sorted", async () => {
  const wanted = template("store", {
    names: ["b.demo", "a.demo"],
    addresses: ["fd00:0:0::01", "10.0.0.2", "10.0.0.10"],
    organization: "demo",
    organizationalUnit: "control",
  });
  const pem = await signRequest({
    csr: await makeRequest(makeKey(), wanted),
    issuer: cluster.issuers.store,
    template: wanted,
    now,
  });
  expect(describeCertificate(pem)).toMatchObject({
    commonName: wanted.commonName,
    organization: "demo",
    organizationalUnit: "control",
    names: ["a.demo", "b.demo"],
    addresses: ["10.0.0.10", "10.0.0.2", "fd00::1"],
    fingerprint256: fingerprint(pem),
  });
  expect(() => describeCertificate("nothing")).toThrow();
});
