import type { Inbound, OwnSecurityGroup } from "../../../cluster/aws-settings.ts";
import type { Cluster, Group } from "../../../cluster/cluster.ts";
import type { Port } from "../../../components/component.ts";
import { components } from "../../../components/registry.ts";
import type { Origin } from "../../../machine/machine.ts";
import type { AwsFacts } from "../facts/facts.ts";
import { clusterTags, idPart, nameOf, originOf, rangePart } from "./names.ts";
import { endpointGroup } from "./network.ts";
import type { Parameter, Resource } from "./resource.ts";
import { attributeOf, parameter, type Properties, type Value } from "./value.ts";

/** Worn by every node, and by nothing else; what all nodes may reach lets in those who wear it. */
export const everyNode = "EveryNode";

export function groupGuard(group: Group): string {
  return `${idPart(group.name)}Guard`;
}

export type Security = {
  readonly resources: readonly Resource[];
  readonly parameters: readonly Parameter[];
  /** Ids of the security groups that a group's nodes wear. */
  worn(group: Group): readonly Value[];
};

const sshPort = 22;

/** Who reaches which port of which nodes: what components name, what services publish where the file says so, and no more. */
export function securityOf(cluster: Cluster, vpc: Value, facts: AwsFacts): Security {
  const guard = (id: string, name: string, what: string, origin: Origin): Resource => ({
    id,
    type: "AWS::EC2::SecurityGroup",
    layer: "access",
    properties: {
      GroupName: name,
      GroupDescription: what,
      VpcId: vpc,
      // What services ask of the outside is not known here, and answers come back anyhow.
      SecurityGroupEgress: [{ IpProtocol: "-1", CidrIp: "0.0.0.0/0", Description: "everything that nodes ask for" }],
    },
    tags: clusterTags(cluster, name),
    origin,
  });
  const whole: Origin = { kind: "field", path: ["groups"] };
  const control = cluster.groups.find(({ role }) => role === "control");
  const privateEnds =
    cluster.aws.network.kind === "made" && cluster.aws.network.outbound === "endpoints"
      ? [
          guard(endpointGroup, nameOf(cluster, "endpoints"), "AWS by endpoints", {
            kind: "field",
            path: ["aws", "network", "outbound"],
          }),
          ingress(
            endpointGroup,
            "Tcp443FromNodes",
            { kind: "field", path: ["aws", "network", "outbound"] },
            {
              ...portOf({ port: 443, protocol: "tcp" }),
              SourceSecurityGroupId: attributeOf(everyNode, "GroupId"),
              Description: "AWS, for nodes",
            },
          ),
        ]
      : [];
  const own = ownGroups(cluster, vpc, facts);
  const resources = [
    guard(everyNode, nameOf(cluster, "nodes"), "every node of the cluster; opens nothing by itself", whole),
    ...openTo(
      everyNode,
      cluster.aws.sshFrom,
      [{ port: sshPort, protocol: "tcp", what: "SSH" }],
      ["aws", "allow_ssh_from"],
    ),
    ...openTo(
      everyNode,
      cluster.aws.servicesFrom,
      cluster.services.flatMap(({ name, ports }) =>
        ports.map(({ published, protocol }) => ({ port: published, protocol, what: `the service ${name}` })),
      ),
      ["aws", "allow_services_from"],
    ),
    ...cluster.groups.flatMap((group) => [
      guard(
        groupGuard(group),
        nameOf(cluster, group.name, "ports"),
        `ports of the group ${group.name}`,
        originOf(group),
      ),
      ...portsOf(cluster, group).flatMap((port) => portRules(cluster, group, port, control)),
    ]),
    ...privateEnds,
    ...own.resources,
  ];
  return {
    resources,
    parameters: [...callerParameters(cluster, facts), ...own.parameters],
    worn: (group) => [
      attributeOf(everyNode, "GroupId"),
      attributeOf(groupGuard(group), "GroupId"),
      ...group.aws.securityGroups.flatMap((name) => own.ids.get(name) ?? []),
    ],
  };
}

/** The ports that components name for a group, each once. */
export function portsOf(cluster: Cluster, group: Group): readonly Port[] {
  const named = components.flatMap((component) => component.ports(cluster, group));
  return [...new Map(named.map((port) => [`${port.port}/${port.protocol} ${port.from}`, port])).values()];
}

function portRules(cluster: Cluster, group: Group, port: Port, control: Group | undefined): readonly Resource[] {
  const name = `${port.protocol === "tcp" ? "Tcp" : "Udp"}${port.port}`;
  const said = { ...portOf(port), Description: port.what };
  const from = (who: string, guard: string): Resource =>
    ingress(groupGuard(group), `${name}From${who}`, originOf(group), {
      ...said,
      SourceSecurityGroupId: attributeOf(guard, "GroupId"),
    });
  switch (port.from) {
    case "control":
      return control === undefined ? [] : [from("Control", groupGuard(control))];
    case "nodes":
      return [from("Nodes", everyNode)];
    case "operators":
      return openTo(groupGuard(group), cluster.aws.apiFrom, [port], ["aws", "allow_api_from"]);
  }
}

const callerParameter = "CallerAddress";

/** Who launches is a fact, or says it; no node's config contains it. */
function callerParameters({ aws }: Cluster, { caller }: AwsFacts): readonly Parameter[] {
  if (!aws.sshFrom.includes("caller")) return [];
  return [
    {
      name: callerParameter,
      type: "String",
      description: "The network from which SSH is reached, such as 203.0.113.7/32",
      pattern: "^\\d{1,3}(\\.\\d{1,3}){3}/\\d{1,2}$",
      ...(caller === undefined ? {} : { default: caller }),
    },
  ];
}

type Open = { readonly port: number; readonly protocol: "tcp" | "udp"; readonly what: string };

function openTo(
  guard: string,
  ranges: readonly string[],
  ports: readonly Open[],
  path: readonly string[],
): readonly Resource[] {
  return [...new Set(ranges)].flatMap((range) =>
    ports.map((port) =>
      ingress(
        guard,
        `${port.protocol === "tcp" ? "Tcp" : "Udp"}${port.port}From${range === "caller" ? "Caller" : rangePart(range)}`,
        { kind: "field", path },
        {
          ...portOf(port),
          CidrIp: range === "caller" ? parameter(callerParameter) : range,
          Description: port.what,
        },
      ),
    ),
  );
}

function portOf({ port, protocol }: Pick<Open, "port" | "protocol">): Properties {
  return { IpProtocol: protocol, FromPort: port, ToPort: port };
}

/** A rule is a resource of its own: groups that let each other in would otherwise wait for each other. */
function ingress(guard: string, name: string, origin: Origin, rule: Properties): Resource {
  return {
    id: `${guard}${name}`,
    type: "AWS::EC2::SecurityGroupIngress",
    layer: "access",
    properties: { GroupId: attributeOf(guard, "GroupId"), ...rule },
    tags: {},
    origin,
  };
}

type Own = {
  readonly resources: readonly Resource[];
  readonly parameters: readonly Parameter[];
  readonly ids: ReadonlyMap<string, Value>;
};

/** The file's own security groups: found ones stay as they are, and of those found or created the rules are ours. */
function ownGroups(cluster: Cluster, vpc: Value, facts: AwsFacts): Own {
  const ids = new Map<string, Value>();
  const resources: Resource[] = [];
  const parameters: Parameter[] = [];
  for (const group of cluster.aws.securityGroups) {
    const id = `Own${idPart(group.name)}Group`;
    const origin: Origin = { kind: "field", path: group.at };
    const known = group.name.startsWith("sg-") ? group.name : facts.securityGroups?.[group.name];
    const found = group.action === "find" || (group.action === "find_or_create" && known !== undefined);
    if (found && known === undefined)
      parameters.push({
        name: `${id}Id`,
        type: "AWS::EC2::SecurityGroup::Id",
        description: `The security group ${group.name}`,
      });
    const value = found ? (known ?? parameter(`${id}Id`)) : attributeOf(id, "GroupId");
    ids.set(group.name, value);
    if (!found)
      resources.push({
        id,
        type: "AWS::EC2::SecurityGroup",
        layer: "access",
        properties: {
          GroupName: group.name,
          GroupDescription: `security group of the cluster ${cluster.name}`,
          VpcId: vpc,
          SecurityGroupEgress: [
            { IpProtocol: "-1", CidrIp: "0.0.0.0/0", Description: "everything that nodes ask for" },
          ],
        },
        tags: clusterTags(cluster, group.name),
        origin,
      });
    if (group.action !== "find") resources.push(...ownRules(group, id, value, origin));
  }
  return { resources, parameters, ids };
}

function ownRules(group: OwnSecurityGroup, id: string, value: Value, origin: Origin): readonly Resource[] {
  const rule = (name: string, properties: Properties, at: Origin): Resource => ({
    id: `${id}${name}`,
    type: "AWS::EC2::SecurityGroupIngress",
    layer: "access",
    properties: { GroupId: value, ...properties },
    tags: {},
    origin: at,
  });
  const ranges = new Map(
    group.inbound.map((inbound) => {
      const { range, at } = inbound;
      const ports = portsIn(inbound);
      return [
        `${inbound.protocol} ${inbound.from ?? ""}-${inbound.to ?? ""} ${range}`,
        rule(
          `${ports.name}From${rangePart(range)}`,
          { ...ports.properties, CidrIp: range, Description: "named in the cluster's file" },
          { kind: "field", path: at },
        ),
      ];
    }),
  );
  return [
    ...(group.allowAllOwnTraffic
      ? [rule("Own", { IpProtocol: "-1", SourceSecurityGroupId: value, Description: "those who wear it" }, origin)]
      : []),
    ...ranges.values(),
  ];
}

function portsIn({ protocol, from = -1, to = -1 }: Inbound): {
  readonly name: string;
  readonly properties: Properties;
} {
  switch (protocol) {
    case "all":
      return { name: "All", properties: { IpProtocol: "-1" } };
    case "icmp":
      return { name: "Icmp", properties: { IpProtocol: "icmp", FromPort: -1, ToPort: -1 } };
    case "tcp":
    case "udp":
      return {
        name: `${protocol === "tcp" ? "Tcp" : "Udp"}${from}${to === from ? "" : `To${to}`}`,
        properties: { IpProtocol: protocol, FromPort: from, ToPort: to },
      };
  }
}
