import { etcdPrograms, etcdRelease } from "./release.ts";

export const installScript = "/etc/slipway/install-etcd";
export const installUnit = "slipway-etcd-install.service";

const architectures = Object.entries(etcdRelease.archives)
  .map(([name, { url, sha256 }]) => `  ${name === "amd64" ? "x86_64" : "aarch64"}) url=${url} sum=${sha256} ;;`)
  .join("\n");

/** Fetches the release by its pinned sum, once: the programs are complete when the mark bears their version. */
export const installText = (folder: string): string => `#!/bin/bash
set -eu -o pipefail
folder=${folder}
[ "$(cat "$folder/.slipway-etcd" 2>/dev/null || true)" = ${etcdRelease.version} ] && exit 0
case $(uname -m) in
${architectures}
  *) echo "<3>etcd ${etcdRelease.version} is not there for $(uname -m)" >&2; exit 1 ;;
esac
draft=$(mktemp -d)
trap 'rm -rf "$draft"' EXIT
curl -fsSL --retry 5 --retry-all-errors --max-time 600 -o "$draft/etcd.tar.gz" "$url"
echo "$sum  $draft/etcd.tar.gz" | sha256sum --quiet -c
tar -xzf "$draft/etcd.tar.gz" -C "$draft" --strip-components=1 --no-same-owner
mkdir -p "$folder"
for program in ${etcdPrograms.join(" ")}; do install -m 0755 "$draft/$program" "$folder/$program"; done
if command -v restorecon >/dev/null; then restorecon -R "$folder"; fi
echo ${etcdRelease.version} >"$folder/.slipway-etcd"
`;

export const installUnitText = `[Unit]
Description=Fetch etcd ${etcdRelease.version} by its pinned sum
Wants=network-online.target
After=network-online.target slipway-packages.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/bash ${installScript}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
`;
