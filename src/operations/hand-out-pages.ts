import type { Cluster } from "../cluster/cluster.ts";
import { components } from "../components/registry.ts";

/** What was written for one group; no file where it has all its nodes, or where no token was asked for. */
export type Handed = {
  readonly group: string;
  readonly role: "control" | "worker";
  readonly count: number;
  readonly came: number;
  readonly missing: number;
  readonly file: string | undefined;
  /** The id of its join token. */
  readonly token: string | undefined;
};

const whom = {
  control: "control nodes",
  nodes: "all nodes of the cluster",
  operators: "your own machines",
} as const;

/** Which port must be reachable on whom, and from whom. */
export function firewallTable(cluster: Cluster): string {
  const rows = cluster.groups.flatMap((group) =>
    components.flatMap((component) =>
      component
        .ports(cluster, group)
        .map(({ port, protocol, from, what }) => [group.name, `${port}/${protocol}`, whom[from], what] as const),
    ),
  );
  const services = cluster.services.flatMap(({ name, ports }) =>
    ports.map(
      ({ published, protocol }) => ["all", `${published}/${protocol}`, "whoever uses it", `service ${name}`] as const,
    ),
  );
  const { port, host } = new URL(cluster.files.store ?? "https://store.invalid:7443");
  const store = [`the store (${host})`, `${port || "443"}/tcp`, whom.nodes, "the cluster's store"] as const;
  const lines = [store, ...rows, ...services].map((cells) => `| ${cells.join(" | ")} |`);
  return `# Ports of ${cluster.name}

Everything else may be closed. Nothing here is meant for the whole world, but what your services publish.

| on | port | from | what |
| --- | --- | --- | --- |
${lines.join("\n")}
`;
}

/** What to do with the files beside this page. */
export function instructions(cluster: Cluster, groups: readonly Handed[]): string {
  const started = groups.filter(({ file }) => file !== undefined);
  const rest = groups.filter(({ file }) => file === undefined);
  const first = started.map(
    ({ group, missing, file, token }) =>
      `- **${group}**: start ${missing} machine${missing === 1 ? "" : "s"} with \`${file}\` as user data. Its token \`${token}\` lets in ${missing} and ends a day after it was made.`,
  );
  const others = rest.map(({ group, came, missing }) =>
    missing === 0
      ? `- **${group}**: all ${came} are there. For another machine: \`slipway store token create ${group}\`.`
      : `- **${group}**: ${missing} of ${came + missing} have not come, and no token is written because the cluster has control nodes. For one: \`slipway launch --on files --control-token -o .\``,
  );
  return `# ${cluster.name}: what to do with these files

The machines run ${cluster.os}. All machines of a group take the same user data; each gets its name when it joins.

${[...first, ...others].join("\n")}

1. Open the ports of \`firewall.md\`; nodes must reach the store at ${cluster.files.store ?? ""}.
2. Start the machines, by any means that gives them user data. Control nodes first, or all at once.
3. \`slipway status ${cluster.name}\` shows them as they come; \`slipway launch --on files -o .\` waits for those that are there once all have come.

The files hold join tokens: who has one can put a machine into its group. \`slipway store token revoke ID\` ends one at once.
A machine that is in needs no token any more. It leaves by \`slipway remove NODE\`, and not by being switched off.
`;
}
