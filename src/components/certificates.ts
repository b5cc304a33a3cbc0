import type { CertificateTemplate } from "../pki/purpose.ts";
import type { RosterEntry } from "./roster.ts";

/** etcd's user of the control group's agents; with authentication on, it may do everything. */
export const etcdRoot = "root";
/** etcd's user of workers: the shared prefix and nothing else. */
export const etcdWorker = "worker";

/**
 * etcd cannot take a certificate back: to a user that it knows no more it still tells who its members are. So those that
 * leave the control group end soon. Milliseconds.
 */
const workerLife = 7 * 24 * 3_600_000;

/**
 * The certificates of one instance. The signer derives them from the roster, so that no request can name
 * anything that its instance is not.
 */
export function certificatesOf(
  entry: Pick<RosterEntry, "instance" | "node" | "group" | "role" | "address">,
  options: { readonly share: boolean },
): readonly CertificateTemplate[] {
  const { instance, node, group, role, address } = entry;
  const own = { commonName: node, names: [node], addresses: [address] };
  const local = { commonName: node, names: [node, "localhost"], addresses: [address, "127.0.0.1"] };
  const store: CertificateTemplate = {
    purpose: "store",
    issuer: "store",
    usages: ["client"],
    commonName: instance,
    organization: group,
    organizationalUnit: role,
    names: [],
    addresses: [],
  };
  const etcdClient = (user: string): CertificateTemplate => ({
    purpose: "etcd-client",
    issuer: "etcd-client",
    usages: ["client"],
    commonName: user,
    organization: group,
    organizationalUnit: instance,
    names: [],
    addresses: [],
  });
  if (role === "worker") return options.share ? [store, { ...etcdClient(etcdWorker), life: workerLife }] : [store];
  return [
    store,
    { purpose: "etcd-peer", issuer: "etcd-peer", usages: ["server", "client"], ...own },
    // etcd's JSON gateway calls its own server with this certificate, so it is a client's too.
    { purpose: "etcd-server", issuer: "etcd-client", usages: ["server", "client"], ...local },
    etcdClient(etcdRoot),
    { purpose: "docker-server", issuer: "docker", usages: ["server"], ...local },
  ];
}

/** The name under which the gateway asks for its certificate and stands in it. */
export const gatewayInstance = "gateway";

/** The certificate of the store's server, for the address at which the nodes reach it. */
export function gatewayCertificate(address: string): CertificateTemplate {
  return {
    purpose: "store-server",
    issuer: "store",
    usages: ["server"],
    commonName: gatewayInstance,
    organizationalUnit: "gateway",
    names: ["localhost"],
    addresses: [address, "127.0.0.1"],
  };
}
