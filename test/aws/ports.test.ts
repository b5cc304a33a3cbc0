import { describe, expect, test } from "vitest";
import { nodePorts } from "../../src/cluster/network.ts";
import { isReference, type Value } from "../../src/targets/aws/graph/value.ts";
import type { Resource } from "../../src/targets/aws/graph/resource.ts";
import { portsOf } from "../../src/targets/aws/graph/security.ts";
import { awsCluster, compiled, scenarios, type Scenario } from "./scenarios.ts";

/** Everything that nodes say to one another: no rule may open it to addresses, whoever owns them. */
const clusterPorts = Object.keys(nodePorts).map((key) => {
  const [port, protocol] = key.split("/");
  return { port: Number(port), protocol };
});

function opens(
  { properties: { IpProtocol: protocol, FromPort: from, ToPort: to } }: Resource,
  port: number,
  its: string | undefined,
): boolean {
  if (protocol === "-1") return true;
  return protocol === its && typeof from === "number" && typeof to === "number" && from <= port && port <= to;
}

const rulesOf = ({ compiled: { graph } }: Pick<Scenario, "compiled">) =>
  graph.resources.filter(({ type }) => type === "AWS::EC2::SecurityGroupIngress");

/** Ids of the security groups in the stack that rules of a graph let in. */
function source(value: Value | undefined): string | undefined {
  return value !== undefined && isReference(value) && value.$ === "attribute" ? value.of : undefined;
}

describe("cluster ports are reachable only from own groups", () => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (_name, scenario) => {
    const rules = rulesOf(scenario);
    expect(rules.length).toBeGreaterThan(0);
    const own = new Set(
      scenario.compiled.graph.resources.filter(({ type }) => type === "AWS::EC2::SecurityGroup").map(({ id }) => id),
    );
    for (const rule of rules)
      for (const { port, protocol } of clusterPorts) {
        if (!opens(rule, port, protocol)) continue;
        expect(rule.properties["CidrIp"], rule.id).toBeUndefined();
        const from = source(rule.properties["SourceSecurityGroupId"]);
        // A found group that lets its own wearers in names itself, by its id.
        const itself =
          JSON.stringify(rule.properties["SourceSecurityGroupId"]) === JSON.stringify(rule.properties["GroupId"]);
        expect(itself || own.has(from ?? ""), rule.id).toBe(true);
      }
    // Nothing opens by the security groups themselves.
    for (const { properties, type } of scenario.compiled.graph.resources)
      if (type === "AWS::EC2::SecurityGroup") expect(properties).not.toHaveProperty("SecurityGroupIngress");
  });

  test("each port that a component names is open to whom it names, and to no one else", () => {
    for (const scenario of scenarios) {
      for (const group of scenario.cluster.groups) {
        const guard = `${scenario.compiled.graph.resources.find(({ type, origin, id }) => type === "AWS::EC2::SecurityGroup" && origin.kind === "field" && origin.path[1] === group.name && id.endsWith("Guard"))?.id}`;
        const rules = rulesOf(scenario).filter(({ properties }) => source(properties["GroupId"]) === guard);
        const named = portsOf(scenario.cluster, group).filter(({ from }) => from !== "operators");
        const pairs = rules
          .filter(({ properties }) => properties["CidrIp"] === undefined)
          .map(({ properties: p }) => `${String(p["FromPort"])}/${String(p["IpProtocol"])}`);
        expect(pairs.toSorted()).toEqual(named.map(({ port, protocol }) => `${port}/${protocol}`).toSorted());
      }
    }
  });

  test("etcd's peers are control nodes alone, and its clients too where nothing is shared", () => {
    const etcd = (text: string) =>
      rulesOf({ compiled: compiled(awsCluster(text)) })
        .filter(({ properties: p }) => p["FromPort"] === 2380 || p["FromPort"] === 2379)
        .map(({ id, properties }) => [id, source(properties["SourceSecurityGroupId"])]);
    const file = "name: demo\ngroups: { control: { role: control, count: 3 }, worker: {} }\n";
    expect(etcd(file)).toEqual([
      ["ControlGuardTcp2380FromControl", "ControlGuard"],
      ["ControlGuardTcp2379FromControl", "ControlGuard"],
    ]);
    expect(etcd(`${file}etcd: { share: /apps }\n`)).toEqual([
      ["ControlGuardTcp2380FromControl", "ControlGuard"],
      ["ControlGuardTcp2379FromNodes", "EveryNode"],
    ]);
  });

  test("nothing is open to addresses unless the file says so", () => {
    const open = (text: string) =>
      rulesOf({ compiled: compiled(awsCluster(text)) }).flatMap(({ properties: p }) =>
        p["CidrIp"] === undefined
          ? []
          : [`${String(p["FromPort"])}/${String(p["IpProtocol"])} ${JSON.stringify(p["CidrIp"])}`],
      );
    const file = "name: demo\ngroups: { control: {} }\nservices: { web: { image: a/b, ports: ['80:80'] } }\n";
    expect(open(file)).toEqual([]);
    expect(
      open(
        `${file}aws: { allow_ssh_from: 203.0.113.0/24, allow_api_from: 203.0.113.7/32, allow_services_from: 0.0.0.0/0 }\n`,
      ),
    ).toEqual(['22/tcp "203.0.113.0/24"', '80/tcp "0.0.0.0/0"', '2376/tcp "203.0.113.7/32"']);
  });
});
