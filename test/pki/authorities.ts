import { makeAnchor, makeIssuer, makeRoot, type Authority } from "../../src/pki/authority.ts";
import type { Material } from "../../src/pki/material.ts";
import type { CertificateTemplate, Purpose } from "../../src/pki/purpose.ts";
import { makeKey, makeRequest, signRequest } from "../../src/pki/request.ts";

export type TestAuthority = Authority & { readonly anchor: string };
export type TestCluster = {
  readonly root: Authority;
  readonly issuers: { readonly [Name in Purpose]: TestAuthority };
};

/** A root with all its issuing authorities. */
export async function testCluster(name: string, now: number): Promise<TestCluster> {
  const root = await makeRoot({ name, now });
  const make = async (purpose: Purpose): Promise<TestAuthority> => {
    const issuer = await makeIssuer({ purpose, root, now });
    return { ...issuer, anchor: await makeAnchor(issuer) };
  };
  return {
    root,
    issuers: {
      store: await make("store"),
      "etcd-peer": await make("etcd-peer"),
      "etcd-client": await make("etcd-client"),
      docker: await make("docker"),
    },
  };
}

/** A template for a server and client on this machine. */
export function template(issuer: Purpose, more: Partial<CertificateTemplate> = {}): CertificateTemplate {
  return {
    purpose: `${issuer}-test`,
    issuer,
    usages: ["server", "client"],
    commonName: `demo-control-1 ${issuer}`,
    names: ["localhost"],
    addresses: ["127.0.0.1"],
    ...more,
  };
}

/** What one side of a connection needs, for a new key. */
export async function material(
  cluster: TestCluster,
  purpose: Purpose,
  side: "server" | "client",
  now: number,
  more: Partial<CertificateTemplate> & { readonly life?: number } = {},
): Promise<Material> {
  const { life, ...fields } = more;
  const wanted = template(purpose, fields);
  const key = makeKey();
  const issuer = cluster.issuers[purpose];
  const certificate = await signRequest({
    csr: await makeRequest(key, wanted),
    issuer,
    template: wanted,
    now,
    root: cluster.root.certificate,
    ...(life === undefined ? {} : { life }),
  });
  return {
    authority: side === "server" ? issuer.anchor : issuer.certificate,
    identity: { certificate, key },
  };
}
