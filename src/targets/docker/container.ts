import { createHash } from "node:crypto";
import type { ClusterName } from "../../cluster/cluster.ts";
import {
  dataVolume,
  dockerApiPort,
  dockerVolume,
  etcdPort,
  gatewayName,
  label,
  networkName,
  runtimeVolume,
  storePort,
  storeVolume,
} from "./names.ts";
import { gatewayAddress } from "./network.ts";
import type { Rights } from "./rights.ts";
import type { GatewayContainer, NodeContainer } from "./work.ts";

/** Where runtime and programs lie in every container: a volume, read-only in the nodes. */
export const runtimeFolder = "/opt/slipway";
/** The gateway's unix socket on which every request is the operator's. */
export const operatorSocket = "/run/slipway/operator.sock";
export const storeFolder = "/var/lib/slipway-store";

function hash(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}

/** Hash of what only a new container can change; the instance is not part of it. */
export function nodeShape(node: NodeContainer): string {
  const { instance: _, ...rest } = node;
  return hash({ version: 1, ...rest });
}

export function gatewayShape(gateway: GatewayContainer): string {
  return hash({ version: 1, ...gateway });
}

/**
 * `etcdctl` works without flags on control nodes, and on workers where a prefix is shared with them, also in `docker exec`,
 * which reads no profile. Elsewhere these files are not there.
 */
const etcdctlEnvironment = [
  "ETCDCTL_ENDPOINTS=https://127.0.0.1:2379",
  "ETCDCTL_CACERT=/var/lib/slipway/pki/etcd-client.ca.crt",
  "ETCDCTL_CERT=/var/lib/slipway/pki/etcd-client.crt",
  "ETCDCTL_KEY=/var/lib/slipway/pki/etcd-client.key",
];

/** The engine's description of a node's container. */
export function nodeOptions(cluster: ClusterName, node: NodeContainer, rights: Rights) {
  return {
    Hostname: node.name,
    Image: node.image,
    Env: ["container=docker", ...etcdctlEnvironment],
    Labels: {
      [label.cluster]: cluster,
      [label.part]: "node",
      [label.node]: node.name,
      [label.group]: node.group,
      [label.role]: node.role,
      [label.instance]: node.instance,
      [label.address]: node.address,
      [label.shape]: nodeShape(node),
    },
    StopSignal: "SIGRTMIN+3",
    StopTimeout: 60,
    HostConfig: {
      ...(rights.kind === "privileged"
        ? { Privileged: true }
        : {
            CapAdd: [...rights.add],
            SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
            // What the docker command calls systempaths=unconfined.
            MaskedPaths: [],
            ReadonlyPaths: [],
            DeviceCgroupRules: ["a *:* rwm"],
          }),
      CgroupnsMode: "private" as const,
      Tmpfs: { "/run": "", "/tmp": "" },
      RestartPolicy: { Name: "unless-stopped" as const },
      Mounts: [
        { Type: "volume" as const, Source: dataVolume(node.name), Target: "/var/lib/slipway" },
        { Type: "volume" as const, Source: dockerVolume(node.name), Target: "/var/lib/docker" },
        { Type: "volume" as const, Source: runtimeVolume(cluster), Target: runtimeFolder, ReadOnly: true },
      ],
    },
    NetworkingConfig: {
      EndpointsConfig: { [networkName(cluster)]: { IPAMConfig: { IPv4Address: node.address } } },
    },
  };
}

// OpenSSL uses the processor's own instructions: 0.1 s where the 100 MB of Node.js are among the files, sha256sum takes 0.7.
const checkedStart = [
  `cd ${runtimeFolder}`,
  "openssl dgst -sha256 -r $(cut -c67- SHA256SUMS) | sed 's/ [*]/  /' | diff - SHA256SUMS",
  "exec ./node gateway.js",
].join(" && ");

/** The engine's description of the gateway: store, published ports and nothing else; no rights beyond its own files. */
export function gatewayOptions(cluster: ClusterName, gateway: GatewayContainer) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {
    // The managers' API and etcd answer only to certificates; any free port on the engine's loopback will do.
    [`${dockerApiPort}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "" }],
    [`${etcdPort}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: "" }],
  };
  for (const { port, protocol } of gateway.ports) {
    bindings[`${port}/${protocol}`] = [{ HostIp: gateway.publishOn, HostPort: String(port) }];
  }
  return {
    Hostname: gatewayName(cluster),
    Image: gateway.image,
    Entrypoint: ["/bin/sh", "-c", checkedStart],
    Cmd: [],
    Env: [
      `SLIPWAY_STORE=${storeFolder}`,
      `SLIPWAY_SOCKET=${operatorSocket}`,
      `SLIPWAY_LISTEN=${gatewayAddress(gateway.subnet)}:${storePort}`,
      `SLIPWAY_FORWARD=${gateway.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(",")}`,
    ],
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])),
    Labels: {
      [label.cluster]: cluster,
      [label.part]: "gateway",
      [label.shape]: gatewayShape(gateway),
    },
    StopSignal: "SIGTERM",
    StopTimeout: 10,
    HostConfig: {
      Init: true,
      CapDrop: ["ALL"],
      CapAdd: ["NET_BIND_SERVICE", "DAC_OVERRIDE"],
      SecurityOpt: ["no-new-privileges"],
      RestartPolicy: { Name: "unless-stopped" as const },
      Tmpfs: { "/run": "" },
      PortBindings: bindings,
      Mounts: [
        { Type: "volume" as const, Source: storeVolume(cluster), Target: storeFolder },
        { Type: "volume" as const, Source: runtimeVolume(cluster), Target: runtimeFolder },
      ],
    },
    NetworkingConfig: {
      EndpointsConfig: { [networkName(cluster)]: { IPAMConfig: { IPv4Address: gatewayAddress(gateway.subnet) } } },
    },
  };
}
