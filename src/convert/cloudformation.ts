import type { Cursor } from "./cursor.ts";
import type { Disk } from "./disks.ts";
import { linesIn, textOf, type Lookup } from "./intrinsic.ts";
import type { Lines } from "./lines.ts";
import { mappedDisks, sayRule } from "./op-conf.ts";
import type { Outcome } from "./outcome.ts";
import { sayParameters, valueOfParameter } from "./parameters.ts";

/** Machines of a template that are alike. */
export type TemplateGroup = {
  readonly name: string;
  readonly count: number;
  readonly at: string;
  readonly userData: Lines | undefined;
  readonly disks: readonly Disk[];
};

export type Template = { readonly groups: readonly TemplateGroup[]; readonly aws: readonly string[] };

type Reading = {
  readonly file: string;
  readonly resources: readonly Cursor[];
  readonly lookup: Lookup;
  readonly aws: string[];
  readonly outcome: Outcome;
};

/** Reads a CloudFormation template's groups of machines, and says what becomes of all else in it. */
export function readTemplate(root: Cursor, file: string, name: string, outcome: Outcome): Template {
  const aws: string[] = [];
  const parameters = root.get("Parameters")?.entries() ?? [];
  const lookup: Lookup = (wanted) => (wanted === "AWS::StackName" ? name : valueOfParameter(parameters, wanted));
  sayParameters(parameters, aws, outcome);
  for (const mapping of root.get("Mappings")?.entries() ?? [])
    outcome.dropped(
      `mapping ${mapping.key}`,
      mapping.at,
      "CoreOS's images are gone; a target knows the images of its system",
    );
  for (const section of ["Outputs", "Conditions"])
    for (const entry of root.get(section)?.entries() ?? [])
      outcome.dropped(
        `${section.toLowerCase()} ${entry.key}`,
        entry.at,
        "slipway status, ip, dns and env say what there is",
      );
  const resources = root.get("Resources")?.entries() ?? [];
  const reading = { file, resources, lookup, aws, outcome };
  return { groups: resources.flatMap((resource) => readResource(resource, reading)), aws };
}

function readResource(resource: Cursor, reading: Reading): TemplateGroup[] {
  const { outcome, lookup, aws } = reading;
  const type = resource.get("Type")?.text ?? "";
  const properties = resource.get("Properties");
  const what = `${type.replace(/^AWS::/, "")} ${resource.key}`;
  switch (type) {
    case "AWS::AutoScaling::AutoScalingGroup":
      return [readGroup(resource, reading)];
    case "AWS::EC2::Instance":
      outcome.kept(what, resource.at, `groups: ${groupName(resource.key)}`);
      return [{ name: groupName(resource.key), count: 1, at: resource.at, ...machineOf(properties, reading) }];
    case "AWS::AutoScaling::LaunchConfiguration":
    case "AWS::EC2::LaunchTemplate":
      outcome.replaced(what, resource.at, "groups:", "its user data is read, too; its image is the target's matter");
      return [];
    case "AWS::EC2::SecurityGroup":
      outcome.replaced(
        what,
        resource.at,
        "groups of Slipway's own",
        "ports are closed unless a service publishes them",
      );
      for (const rule of properties?.get("SecurityGroupIngress")?.list() ?? [])
        sayRule(what, rule.at, ruleOf(rule, lookup), aws, outcome);
      return [];
    case "AWS::EC2::SecurityGroupIngress":
      if (properties !== undefined) sayRule(what, resource.at, ruleOf(properties, lookup), aws, outcome);
      return [];
    case "AWS::CloudFormation::WaitCondition":
    case "AWS::CloudFormation::WaitConditionHandle":
      outcome.replaced(
        what,
        resource.at,
        "slipway launch",
        "it waits until every node and service is ready, or says why one is not",
      );
      return [];
    case "AWS::S3::Bucket":
      outcome.replaced(
        what,
        resource.at,
        "the cluster's store",
        "nodes make their own keys, and get certificates from it",
      );
      return [];
    default:
      outcome.dropped(what, resource.at, "a launch makes what its target needs, and nothing else");
      return [];
  }
}

function ruleOf(rule: Cursor, lookup: Lookup) {
  const value = (key: string): string => textOf(rule.get(key), lookup);
  return {
    from: Number(value("FromPort") || Number.NaN),
    to: Number(value("ToPort") || Number.NaN),
    protocol: value("IpProtocol"),
    source: value("CidrIp"),
  };
}

function readGroup(resource: Cursor, reading: Reading): TemplateGroup {
  const { outcome, lookup, resources } = reading;
  const properties = resource.get("Properties");
  const name = groupName(resource.key);
  const value = (key: string): string => textOf(properties?.get(key), lookup);
  const desired = [value("DesiredCapacity"), value("MinSize")].find((text) => /^[1-9]\d{0,3}$/.test(text));
  const count = Number(desired ?? "1");
  outcome.kept(
    `AutoScalingGroup ${resource.key}`,
    resource.at,
    `groups: ${name}`,
    `${count} nodes`.replace(/^1 nodes$/, "1 node"),
  );
  outcome.dropped(
    `${resource.key}: from ${value("MinSize")} to ${value("MaxSize")}`,
    properties?.get("MinSize")?.at ?? resource.at,
    "a group has exactly as many nodes as its count says; slipway launch brings back what is lost",
  );
  const used =
    value("LaunchConfigurationName") || textOf(properties?.get("LaunchTemplate")?.get("LaunchTemplateId"), lookup);
  const config = resources.find(({ key }) => used === `\${${key}}`)?.get("Properties");
  return { name, count, at: resource.at, ...machineOf(config?.get("LaunchTemplateData") ?? config, reading) };
}

function machineOf(
  properties: Cursor | undefined,
  { file, lookup, outcome }: Reading,
): Pick<TemplateGroup, "userData" | "disks"> {
  const userData = properties?.get("UserData");
  const mappings = properties?.get("BlockDeviceMappings");
  return {
    userData: userData === undefined ? undefined : linesIn(userData, file, lookup),
    disks: mappings === undefined ? [] : mappedDisks(mappings, outcome),
  };
}

function groupName(resource: string): string {
  const bare = resource.replace(/(?:AutoScal(?:e|ing)(?:Group)?|ASG|ServerGroup|Group)$/, "") || resource;
  return bare
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-");
}
