import { createHash } from "node:crypto";
import { systemProcesses } from "../../src/host/processes.ts";
import { slipway } from "./harness.ts";

/** Where cloud-init looks for its data, and nowhere else. */
export const seedFolder = "/var/lib/cloud/seed/nocloud";

/** A node image with the programs of all file systems and Debian's own cloud-init in it, which looks at nothing but a seed on its disk. */
export async function cloudImage(): Promise<string> {
  const node = (await slipway(["image"])).stdout.trim();
  const settings = [
    "datasource_list: [NoCloud, None]",
    // The node's own name, network and sources stay as they are.
    "preserve_hostname: true",
    "manage_etc_hosts: false",
    "apt: { preserve_sources_list: true }",
    "network: { config: disabled }",
    "locale: C.UTF-8",
  ];
  const dockerfile = [
    `FROM ${node}`,
    "RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends cloud-init locales sudo fdisk xfsprogs btrfs-progs && rm -rf /var/lib/apt/lists/*",
    `RUN printf '%s\\n' ${settings.map((line) => `'${line}'`).join(" ")} >/etc/cloud/cloud.cfg.d/99-slipway.cfg`,
  ].join("\n");
  const tag = `slipway/node-cloud-init:${createHash("sha256").update(dockerfile).digest("hex").slice(0, 12)}`;
  const there = await systemProcesses.run(["docker", "image", "inspect", tag], { accept: [0, 1] });
  if (there.code !== 0)
    await systemProcesses.run(["docker", "build", "--network=host", "--quiet", "--tag", tag, "-"], {
      input: dockerfile,
      timeout: 400_000,
    });
  return tag;
}
