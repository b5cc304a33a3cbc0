import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { env } from "../../src/operations/env.ts";
import { makeAnchor, makeIssuer, makeRoot } from "../../src/pki/authority.ts";
import { certificatesIn, describeCertificate } from "../../src/pki/renewal.ts";
import { demo, put, start, world, type World } from "./fake-target.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "slipway-env-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

async function withIssuers(): Promise<World> {
  const made = world();
  const root = await makeRoot({ name: "demo", now: start });
  for (const purpose of ["docker", "etcd-client"] as const) {
    const issuer = await makeIssuer({ purpose, root, now: start });
    await put(made.store, "issuer", { purpose }, { ...issuer, anchor: await makeAnchor(issuer) });
  }
  made.target.published = [
    { port: 2376, protocol: "tcp", address: "127.0.0.1:40001" },
    { port: 2379, protocol: "tcp", address: "127.0.0.1:40002" },
  ];
  return made;
}

describe("env", () => {
  it("points at the published ports and writes keys that only the user can read", async () => {
    const made = await withIssuers();
    const folder = join(parent, "demo");
    const result = await env(made.context, { cluster: demo, folder });
    expect(result.variables).toEqual({
      DOCKER_HOST: "tcp://127.0.0.1:40001",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: folder,
      ETCDCTL_ENDPOINTS: "https://127.0.0.1:40002",
      ETCDCTL_CACERT: join(folder, "etcd-ca.pem"),
      ETCDCTL_CERT: join(folder, "etcd-cert.pem"),
      ETCDCTL_KEY: join(folder, "etcd-key.pem"),
    });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of ["ca.pem", "cert.pem", "key.pem", "etcd-ca.pem", "etcd-cert.pem", "etcd-key.pem"]) {
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    }
    expect(JSON.stringify([result, made.events])).not.toContain("PRIVATE KEY");
  });

  it("makes certificates of one day, of the right authority", async () => {
    const made = await withIssuers();
    const result = await env(made.context, { cluster: demo, folder: parent });
    expect(result.expires).toBe("2023-11-15T22:13:20.000Z");
    const [leaf = "", issuer = ""] = certificatesIn(readFileSync(join(parent, "etcd-cert.pem"), "utf8"));
    expect(describeCertificate(leaf)).toMatchObject({
      commonName: "root",
      organizationalUnit: "ann@test",
      notAfter: start + 86_400_000,
    });
    expect(describeCertificate(issuer).organizationalUnit).toBe("etcd-client");
    expect(describeCertificate(readFileSync(join(parent, "cert.pem"), "utf8")).commonName).toBe("operator");
  });

  it("names only what is published, and refuses when nothing is", async () => {
    const made = await withIssuers();
    made.target.published = made.target.published.slice(1);
    expect(Object.keys((await env(made.context, { cluster: demo, folder: parent })).variables)).toEqual([
      "ETCDCTL_ENDPOINTS",
      "ETCDCTL_CACERT",
      "ETCDCTL_CERT",
      "ETCDCTL_KEY",
    ]);
    made.target.published = [];
    await expect(env(made.context, { cluster: demo, folder: parent })).rejects.toThrow("publishes neither");
  });
});
