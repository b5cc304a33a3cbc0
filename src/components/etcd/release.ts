/** Processor architectures that nodes exist for, by the names that Docker, Debian and Go share. */
export type Architecture = "amd64" | "arm64";

/** One release of etcd; archives are used only when their SHA-256 is the one written here. */
export type EtcdRelease = {
  readonly version: string;
  readonly archives: Readonly<Record<Architecture, { readonly url: string; readonly sha256: string }>>;
};

const version = "3.6.14";
const archive = (architecture: Architecture): string =>
  `https://github.com/etcd-io/etcd/releases/download/v${version}/etcd-v${version}-linux-${architecture}.tar.gz`;

/**
 * The etcd of nodes; `image/etcd/go.mod` names the same version. 3.6.11 and later have the fix of
 * CVE-2026-44283. The sums are those of the release's SHA256SUMS as pinned independently by several public
 * projects (amd64 by more than ten, arm64 beside it in a script that pins all four platforms).
 */
export const etcdRelease: EtcdRelease = {
  version,
  archives: {
    amd64: {
      url: archive("amd64"),
      sha256: "ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5",
    },
    arm64: {
      url: archive("arm64"),
      sha256: "fa1b80565ee6fc2df1ae6f57a508b221f3ecc7d591c317c581cd8281b0842b3e",
    },
  },
};

/** The programs of etcd that a node has in /usr/local/bin. */
export const etcdPrograms = ["etcd", "etcdctl", "etcdutl"] as const;

/** Whether a version is one that clusters are tested with, 3.6 or later; older ones work with a warning. */
export function isCurrentEtcd(release: string): boolean {
  const [major = 0, minor = 0] = release.split(".").map(Number);
  return major > 3 || (major === 3 && minor >= 6);
}
