/** What does the work of a unit of the old systems now, or why nothing does. */
export type Known = { readonly by: string; readonly why: string };

const etcd = {
  by: "Slipway's etcd",
  why: "mutual TLS on 2379 and 2380; etcd2's keys of the old API are not taken over",
};
const overlay = { by: "Swarm's overlay networks", why: "every service reaches every other by name" };
const ownEngine = { by: "the node's own engine", why: "Slipway brings and watches it" };
const kubernetes = {
  by: "",
  why: "Kubernetes is not there yet, and this release of 2014 can no longer be fetched; services run on Swarm",
};

const table: readonly (readonly [name: RegExp, known: Known])[] = [
  [/^etcd2?\.service$|^etcd-member\.service$/, etcd],
  [
    /^etcd-init\.service$|^etcd2?-(?:peers|proxy|aws-cluster)\.service$/,
    { by: "the cluster's store", why: "it names etcd's first members" },
  ],
  [
    /^fleet\.(?:service|socket)$/,
    {
      by: "services, and units of groups",
      why: "fleet ended in 2018; Swarm places services, systemd runs what belongs to a node",
    },
  ],
  [/^flannel(?:d)?(?:-download|-docker-opts)?\.service$|^early-docker\./, overlay],
  [/^docker-tcp\.socket$/, { by: "slipway env", why: "2375 let in everyone; control nodes answer on 2376 with TLS" }],
  [/^docker\.(?:service|socket)$|^containerd\.service$/, ownEngine],
  [/^locksmithd\.service$/, { by: "updates:", why: "see there when machines reboot" }],
  [/^update-engine(?:-stub)?\.(?:service|timer)$/, { by: "updates:", why: "see there where updates come from" }],
  [/^kube(?:-|let)[\w.-]*$/, kubernetes],
  [
    /^cluster-bootstrap\.service$/,
    { by: "Slipway's agent", why: "it joins etcd and the swarm at each boot, without a repository to clone" },
  ],
  [
    /^node-lifecycle\.service$/,
    {
      by: "Slipway's roster",
      why: "it says which nodes are there; slipway remove drains one, slipway events tells of it",
    },
  ],
  [
    /^vault(?:-init)?\.service$|^install-vault\.service$/,
    {
      by: "",
      why: "its storage, the old API of etcd, is gone; run OpenBao or Vault with its own storage as a service",
    },
  ],
  [
    /^vault-sk\.service$/,
    { by: "", why: "it watched Vault's seal and told Slack; a service's health: does the watching" },
  ],
  [
    /^git-sync\.(?:service|timer)$/,
    { by: "services:", why: "what runs stands in cluster.yml, and slipway launch applies it" },
  ],
  [
    /^post-provisioning\.service$/,
    { by: "units: and files:", why: "its scripts came from a repository; write what they did" },
  ],
  [
    /^coreos-(?:metadata|cloudinit)[\w@.-]*$|^(?:user|oem)-cloud(?:init|-config)[\w@.-]*$/,
    { by: "Slipway's agent", why: "it knows the node" },
  ],
];

/** What is known of a unit by its name. */
export function knownUnit(name: string): Known | undefined {
  return table.find(([pattern]) => pattern.test(name))?.[1];
}

const hosts: readonly (readonly [host: RegExp, why: string])[] = [
  [
    /storage\.googleapis\.com\/kubernetes/,
    "it fetches Kubernetes from storage.googleapis.com/kubernetes, which is gone",
  ],
  [/s3\.amazonaws\.com\/third-party-binaries/, "it fetches from s3.amazonaws.com/third-party-binaries, which is gone"],
  [/discovery\.etcd\.io/, "it asks discovery.etcd.io, which nobody runs any more"],
  [/\btoken:\/\//, "token:// asked Docker Hub for the swarm's members, which it no longer answers"],
];

/** Why a text cannot work any more because of a host that is gone. */
export function deadHost(text: string): string | undefined {
  return hosts.find(([host]) => host.test(text))?.[1];
}

const brought =
  "sh bash env true false test echo printf sleep cat touch mkdir rmdir ln cp mv rm chmod chown chgrp install date tee head tail sed grep find xargs sort tr cut wc dd sync mount umount hostname logger sysctl modprobe systemctl journalctl systemd-run systemd-tmpfiles ip iptables iptables-restore ip6tables curl docker tar gzip kill id mknod stat du df";
const programs = new Set(brought.split(" "));

/** Whether every node has a program of this path. */
export function isBrought(path: string): boolean {
  const name = /^\/(?:usr\/)?s?bin\/([\w.-]+)$/.exec(path)?.[1];
  return name !== undefined && programs.has(name);
}

/** Units of every node that a unit may ask for. */
export function isThere(unit: string): boolean {
  return (
    /\.(?:target|slice|device|mount|swap|scope)$/.test(unit) ||
    /^(?:docker\.(?:service|socket)|containerd\.service|dbus\.(?:service|socket)|systemd-[\w@-]+\.(?:service|socket|timer)|local-fs\.target)$/.test(
      unit,
    )
  );
}
