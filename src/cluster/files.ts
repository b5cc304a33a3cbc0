import type { ClusterSpec } from "../spec/cluster.ts";
import type { FilesSettings, Os } from "./cluster.ts";

/** Who may log in to a system's usual cloud image. */
const userOf: Readonly<Record<Os, string>> = {
  debian: "debian",
  ubuntu: "ubuntu",
  flatcar: "core",
  "fedora-coreos": "core",
};

/** Where the store is, and who logs in to nodes. */
export function resolveFiles(files: NonNullable<ClusterSpec["files"]>, os: Os): FilesSettings {
  return {
    store: files.store,
    data: files.data ?? "/srv/slipway",
    ssh: files.ssh,
    user: files.user ?? userOf[os],
  };
}
