import type { ClusterName } from "../cluster/cluster.ts";
import { etcdRoot } from "../components/certificates.ts";
import { systemPrivateFiles, type PrivateFiles } from "../host/private-files.ts";
import { isoTime } from "../host/time.ts";
import type { Observed } from "../plan/plan.ts";
import type { CertificateTemplate } from "../pki/purpose.ts";
import { readRecord } from "../records/access.ts";
import type { ClusterStore } from "../store/store.ts";
import { OperationError, type Context } from "./context.ts";
import { observePresent, withStore } from "./look.ts";

export type EnvInput = {
  readonly cluster: ClusterName;
  /** Absolute path of a folder for keys and certificates; made with mode 0700. */
  readonly folder: string;
};
export type Env = {
  readonly cluster: ClusterName;
  /** DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, ETCDCTL_…, as far as the cluster publishes those ports. */
  readonly variables: Readonly<Record<string, string>>;
  /** When the certificates end, ISO 8601. */
  readonly expires: string;
};

/** An operator's certificate ends after a day: a lost folder opens nothing tomorrow. Milliseconds. */
const life = 24 * 3_600_000;
/** Under these ports the gateway publishes the managers' API and etcd, on host ports that the engine chooses. */
const ports = { docker: 2376, etcd: 2379 } as const;
type Api = keyof typeof ports;
const issuers = { docker: "docker", etcd: "etcd-client" } as const;

/** What a shell needs to speak to the cluster's Docker and etcd: certificates for 24 hours, written to the folder. */
export async function env(context: Context, input: EnvInput, files: PrivateFiles = systemPrivateFiles): Promise<Env> {
  if (!input.folder.startsWith("/")) throw new OperationError(`the folder's path must be absolute: ${input.folder}`);
  const observed = await observePresent(context, input.cluster);
  const docker = publishedAt(observed, "docker");
  const etcd = publishedAt(observed, "etcd");
  if (docker === undefined && etcd === undefined) {
    throw new OperationError(`cluster ${input.cluster} publishes neither its managers' API nor etcd`, `slipway launch`);
  }
  const now = context.clock.now();
  const credentials = await withStore(context, input.cluster, async (store) => ({
    docker: docker === undefined ? undefined : await makeCredentials(context, store, "docker", now),
    etcd: etcd === undefined ? undefined : await makeCredentials(context, store, "etcd", now),
  }));
  const variables: Record<string, string> = {};
  if (docker !== undefined && credentials.docker !== undefined) {
    // The Docker client looks for these three names in DOCKER_CERT_PATH.
    await writeAll(files, input.folder, {
      "ca.pem": credentials.docker.authority,
      "cert.pem": credentials.docker.certificate,
      "key.pem": credentials.docker.key,
    });
    Object.assign(variables, {
      DOCKER_HOST: `tcp://${docker}`,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: input.folder,
    });
  }
  if (etcd !== undefined && credentials.etcd !== undefined) {
    const [authority, certificate, key] = await writeAll(files, input.folder, {
      "etcd-ca.pem": credentials.etcd.authority,
      "etcd-cert.pem": credentials.etcd.certificate,
      "etcd-key.pem": credentials.etcd.key,
    });
    Object.assign(variables, {
      ETCDCTL_ENDPOINTS: `https://${etcd}`,
      ETCDCTL_CACERT: authority,
      ETCDCTL_CERT: certificate,
      ETCDCTL_KEY: key,
    });
  }
  return { cluster: input.cluster, variables, expires: isoTime(now + life) };
}

function publishedAt(observed: Observed, api: Api): string | undefined {
  return observed.published.find((place) => place.port === ports[api] && place.protocol === "tcp")?.address;
}

type Credentials = {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
};

/** A new key and its certificate; the certificate library is loaded only here, for it is slow to load. */
async function makeCredentials(context: Context, store: ClusterStore, api: Api, now: number): Promise<Credentials> {
  const purpose = issuers[api];
  const issuer = await readRecord(store, "issuer", { purpose });
  if (issuer === undefined)
    throw new OperationError(`the cluster has no authority for ${purpose} yet`, "slipway launch");
  const { makeKey, makeRequest, signRequest } = await import("../pki/request.ts");
  const template: CertificateTemplate = {
    purpose: `operator-${purpose}`,
    issuer: purpose,
    usages: ["client"],
    // etcd reads the user out of the common name.
    commonName: api === "etcd" ? etcdRoot : "operator",
    organizationalUnit: `${context.owner.user}@${context.owner.host}`.slice(0, 64),
    names: [],
    addresses: [],
  };
  const key = makeKey();
  const csr = await makeRequest(key, template);
  const certificate = await signRequest({ csr, issuer: issuer.value, template, now, life });
  return { authority: issuer.value.anchor, certificate, key };
}

async function writeAll(
  files: PrivateFiles,
  folder: string,
  contents: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  return Promise.all(Object.entries(contents).map(([name, content]) => files.write(folder, name, content)));
}
