import { readCluster } from "../src/cluster/read.ts";
import type { Cluster, Os } from "../src/cluster/cluster.ts";
import { components } from "../src/components/registry.ts";
import type { Format } from "../src/machine/formats/format.ts";
import { formats } from "../src/machine/formats/registry.ts";
import { emptyMachine, type MachineConfig } from "../src/machine/machine.ts";
import { mergeMachines } from "../src/machine/merge.ts";

type System = { readonly os: Os; readonly title: string; readonly about: string };

const systems: readonly System[] = [
  {
    os: "flatcar",
    title: "Flatcar Container Linux",
    about:
      "Reads Ignition at its first boot, or a CoreOS cloud-config at every boot where no Ignition config was given. /usr is read-only, so programs go to /opt/bin. Its coreos-cloudinit takes keys with underscores only, since 2024.",
  },
  {
    os: "fedora-coreos",
    title: "Fedora CoreOS",
    about:
      "Reads Ignition at its first boot, and nothing else. SELinux is enforcing. Docker waits for a first call on its socket, and Fedora's own options for it are replaced: they name a log driver and `live-restore`, which Swarm refuses.",
  },
  {
    os: "debian",
    title: "Debian",
    about:
      "Reads cloud-init. Docker comes from Debian's own package; etcd is the project's release, since Debian's is older than 3.6. Nodes on Docker (`--on docker`) are Debian too, from an image that has it all.",
  },
  { os: "ubuntu", title: "Ubuntu", about: "Reads cloud-init. As Debian, with Ubuntu's packages." },
];

/** A cluster with a bit of everything that systems treat differently. */
const file = `name: demo
updates: { window: { start: "04:00", length: 2h } }
groups:
  control: { count: 3 }
  worker: { volumes: { data: { device: /dev/vdb, mount: /srv/data } } }
`;

const origin = { kind: "component", component: "probe" } as const;
const owned = { mode: "0644", user: "root", group: "root", origin } as const;
/** One thing of each kind, to ask every format whether it can say it. */
const probes: readonly (readonly [string, Partial<MachineConfig>])[] = [
  ["a text file", { files: [{ path: "/etc/x", contents: { kind: "text", text: "x" }, ...owned }] }],
  ["a binary file", { files: [{ path: "/etc/x", contents: { kind: "bytes", base64: "/w==" }, ...owned }] }],
  [
    "a file that is fetched by its sum",
    {
      files: [
        {
          path: "/etc/x",
          contents: { kind: "remote", url: "https://h/x", hash: `sha256-${"0".repeat(64)}`, compression: "none" },
          ...owned,
        },
      ],
    },
  ],
  ["a file below /usr", { files: [{ path: "/usr/x", contents: { kind: "text", text: "x" }, ...owned }] }],
  ["a directory", { directories: [{ path: "/srv/x", ...owned }] }],
  ["set-user-id and sticky bits", { directories: [{ path: "/srv/x", ...owned, mode: "1777" }] }],
  ["a link", { links: [{ path: "/srv/x", target: "y", origin }] }],
  [
    "a user with keys",
    {
      users: [{ name: "x", keys: ["ssh-ed25519 AA"], comment: "", home: "/home/x", groups: [], system: false, origin }],
    },
  ],
  [
    "a user's number",
    { users: [{ name: "x", keys: [], uid: 42, comment: "", home: "/home/x", groups: [], system: false, origin }] },
  ],
  ["a group of users", { groups: [{ name: "x", system: false, origin }] }],
  [
    "a unit with drop-ins",
    { units: [{ name: "x.service", dropIns: [{ name: "1.conf", content: "x", origin }], state: "on", origin }] },
  ],
  ["a masked unit", { units: [{ name: "x.service", dropIns: [], state: "masked", origin }] }],
  ["kernel arguments", { kernelArguments: [{ argument: "quiet", origin }] }],
];

function says(format: Format, os: Os, probe: Partial<MachineConfig>): string {
  const { problems } = format.render({ ...emptyMachine, ...probe }, { system: os });
  return problems.length === 0 ? "yes" : "no";
}

function clusterFor(os: Os): Cluster {
  const read = readCluster(file, "cluster.yml", { on: "files", os });
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

/** What each component puts on a control node and on a worker of the example. */
function parts(cluster: Cluster): readonly string[][] {
  return components.flatMap((component) =>
    cluster.groups.flatMap((group) => {
      const { machine } = mergeMachines([component.machine(cluster, group)]);
      const files = machine.files.map(({ path }) => `\`${path}\``);
      const units = machine.units.map(({ name }) => `\`${name}\``);
      const links = machine.links.map(({ path }) => `\`${path}\``);
      if (files.length + units.length + links.length === 0) return [];
      return [[component.name, group.name, [...files, ...links].join(", "), units.join(", ")]];
    }),
  );
}

function updateFile(cluster: Cluster): string {
  const found = components
    .flatMap((component) => component.machine(cluster, cluster.groups[0] ?? fail()).files)
    .find((one) => one.origin.kind === "field" && one.origin.path[0] === "updates");
  const { contents, path } = found ?? fail();
  return `\`${path}\`:\n\n\`\`\`ini\n${contents.kind === "text" ? contents.text : ""}\`\`\`\n`;
}

function fail(): never {
  throw new Error("the example has no such part");
}

/** A page for each operating system: what it reads, what its formats can say, what Slipway puts on it. */
export function systemPages(
  table: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
  written: string,
): readonly { readonly path: string; readonly text: string }[] {
  return systems.map(({ os, title, about }) => {
    const cluster = clusterFor(os);
    const own = Object.values(formats).filter(({ name, systems: readers }) => name !== "agent" && readers.includes(os));
    return {
      path: `docs/systems/${os}.md`,
      text: `${written}

# ${title}

${about}

In cluster.yml: \`os: ${os}\`. User data: \`slipway render --os ${os} --group worker\`, as ${own.map(({ name }) => name).join(" or ")}.

## What can be said

By each format in user data; the agent applies the same machine config on a node that runs. What a format cannot say is an error at
the field that asks for it, before anything is made.

${table(
  ["", ...own.map(({ name }) => name)],
  probes.map(([what, probe]) => [what, ...own.map((format) => says(format, os, probe))]),
)}
## What Slipway puts there

For a cluster of control nodes and workers with Docker Swarm, a disk for data and a window for updates:

${table(["component", "group", "files", "units"], parts(cluster))}
## Updates

\`updates: { window: { start: "04:00", length: 2h } }\` becomes ${updateFile(cluster)}`,
    };
  });
}
