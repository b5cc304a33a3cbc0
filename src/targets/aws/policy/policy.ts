import type { Cluster, Group } from "../../../cluster/cluster.ts";
import { tagNames } from "../../../records/tags.ts";
import { bucketName } from "../bucket/name.ts";
import type { AwsFacts } from "../facts/facts.ts";
import { nameOf } from "../graph/names.ts";
import type { Graph } from "../graph/resource.ts";
import { nodeStatements, rolePath } from "../graph/roles.ts";
import { document, policyText, type Statement } from "../graph/statements.ts";
import { logGroup } from "../graph/store.ts";
import { isList, isReference, type Properties, type Value } from "../graph/value.ts";
import { addressIds } from "../graph/workers.ts";
import { calls, type Calls, type Purpose } from "./calls.ts";
import { handlers, type Handler } from "./handlers.ts";

/** Where a policy is to hold; what is not known is a wildcard. */
type Place = { readonly partition: string; readonly region: string; readonly account: string };

function placeOf(cluster: Cluster, facts: AwsFacts): Place {
  const region = cluster.aws.region ?? facts.region ?? "*";
  const [only, ...others] = cluster.aws.accounts;
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return { partition, region, account: facts.account ?? (others.length === 0 ? (only ?? "*") : "*") };
}

/** The bucket that the file names or a launch makes; where account or region is not known, how its name begins. */
function bucketOf({ name, aws }: Cluster, { account, region }: Place): string {
  if (aws.bucket !== undefined) return aws.bucket;
  if (account !== "*" && region !== "*") return bucketName(name, account, region);
  // A long name is cut.
  return name.length > uncut ? `slipway-${name.slice(0, uncut)}*` : `slipway-${name}-*`;
}

/** What a cluster's name keeps of itself in the longest of regions. */
const uncut = 16;

/** The smallest policy for what Slipway does to this cluster, from the resources that it has. */
export function operatorPolicy(cluster: Cluster, graph: Graph, facts: AwsFacts, purpose: Purpose): Properties {
  const place = placeOf(cluster, facts);
  const types = [...new Set(graph.resources.map(({ type }) => type))];
  const of = (part: keyof Handler): readonly string[] => types.flatMap((type) => handlers[type][part]);
  const made = purpose === "operate" ? [] : [...(purpose === "launch" ? of("change") : []), ...of("remove")];
  const own = calls[purpose];
  const arn = (service: string, rest: string, { region = place.region } = {}): string =>
    `arn:${place.partition}:${service}:${region}:${place.account}:${rest}`;
  const begins = (prefix: string, ...lists: readonly (readonly string[])[]): readonly string[] =>
    sorted(lists.flat().filter((action) => action.startsWith(prefix)));
  const ours = { StringEquals: { [`aws:ResourceTag/${tagNames.cluster}`]: cluster.name } };
  const here = place.region === "*" ? undefined : { StringEquals: { "aws:RequestedRegion": place.region } };
  const statements: readonly (Statement | undefined)[] = [
    one("See", sorted([...own.see, ...(purpose === "operate" ? [] : of("see"))]), ["*"]),
    purpose === "launch" ? one("Make", sorted(of("make")), ["*"], here) : undefined,
    one("ChangeOwn", begins("ec2:", made, own.instances), ["*"], ours),
    one("ChangeFound", foundActions(purpose, made), foundGroups(cluster, facts, arn)),
    one("Groups", begins("autoscaling:", made, own.groups), [
      arn("autoscaling", `autoScalingGroup:*:autoScalingGroupName/${nameOf(cluster, "*")}`),
    ]),
    one("Roles", begins("iam:", made), [
      arn("iam", `role${rolePath(cluster)}*`, { region: "" }),
      arn("iam", `instance-profile${rolePath(cluster)}*`, { region: "" }),
    ]),
    ...(purpose === "launch" ? passing(cluster, arn) : []),
    one("Logs", begins("logs:", made, own.logs), [
      arn("logs", `log-group:${logGroup(cluster)}`),
      arn("logs", `log-group:${logGroup(cluster)}:*`),
    ]),
    one("Stack", sorted(own.stack), [arn("cloudformation", `stack/${cluster.name}/*`)]),
    one("Store", sorted(own.bucket), [`arn:${place.partition}:s3:::${bucketOf(cluster, place)}`]),
    one("Records", sorted(own.objects), [`arn:${place.partition}:s3:::${bucketOf(cluster, place)}/*`]),
    ...sessions(own, cluster, arn),
    ...keys(cluster, purpose),
  ];
  return document(statements.filter((statement) => statement !== undefined));
}

function sorted(actions: readonly string[]): readonly string[] {
  return [...new Set(actions)].toSorted();
}

function one(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
  condition?: Properties,
): Statement | undefined {
  if (actions.length === 0 || resources.length === 0) return undefined;
  return { sid, actions, resources, ...(condition === undefined ? {} : { condition }) };
}

type Arn = (service: string, rest: string, more?: { region?: string }) => string;

/** Rules of groups that are found or created are ours, though such a group may not bear our tag. */
function foundActions(purpose: Purpose, made: readonly string[]): readonly string[] {
  return purpose === "operate" ? [] : sorted(made.filter((action) => action.endsWith("SecurityGroupIngress")));
}

function foundGroups({ aws }: Cluster, facts: AwsFacts, arn: Arn): readonly string[] {
  return aws.securityGroups
    .filter(({ action }) => action === "find_or_create")
    .flatMap(({ name }) => facts.securityGroups?.[name] ?? [])
    .map((id) => arn("ec2", `security-group/${id}`));
}

/** Roles that instances get: those of this cluster, and to instances alone. */
function passing(cluster: Cluster, arn: Arn): readonly (Statement | undefined)[] {
  return [
    one("PassRoles", ["iam:PassRole"], [arn("iam", `role${rolePath(cluster)}*`, { region: "" })], {
      StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" },
    }),
    one(
      "LetAutoScalingBe",
      ["iam:CreateServiceLinkedRole"],
      [arn("iam", "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling", { region: "" })],
      { StringEquals: { "iam:AWSServiceName": "autoscaling.amazonaws.com" } },
    ),
  ];
}

function sessions(own: Calls, cluster: Cluster, arn: Arn): readonly (Statement | undefined)[] {
  if (!cluster.aws.sessionManager || !own.instances.includes("ssm:StartSession")) return [];
  return [
    one("Sessions", ["ssm:StartSession"], [arn("ec2", "instance/*")], {
      StringEquals: { [`ssm:resourceTag/${tagNames.cluster}`]: cluster.name },
    }),
    // Documents by which a session is one for SSH or for a port.
    one(
      "SessionKinds",
      ["ssm:StartSession"],
      [
        arn("ssm", "document/SSM-SessionManagerRunShell"),
        `arn:*:ssm:*:*:document/AWS-StartSSHSession`,
        `arn:*:ssm:*:*:document/AWS-StartPortForwardingSession`,
      ],
    ),
    one("OwnSessions", ["ssm:ResumeSession", "ssm:TerminateSession"], [arn("ssm", "session/${aws:userid}-*")]),
  ];
}

function keys({ aws }: Cluster, purpose: Purpose): readonly (Statement | undefined)[] {
  if (aws.kmsKey === undefined) return [];
  const use = ["kms:Decrypt", "kms:GenerateDataKey"];
  const make =
    purpose === "launch" ? ["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"] : [];
  return [one("Key", sorted([...use, ...make]), [aws.kmsKey])];
}

/** What a group's nodes may do, as the template's role says it, for who makes roles by hand. */
export function nodePolicy(cluster: Cluster, group: Group, facts: AwsFacts): Properties {
  const place = placeOf(cluster, facts);
  const statements = nodeStatements(cluster, group, addressIds(group)).map((statement): Statement => ({
    ...statement,
    resources: statement.resources.map((value) => said(value, cluster, place)),
    ...(statement.condition === undefined ? {} : { condition: saidAll(statement.condition, cluster, place) }),
  }));
  return document(statements);
}

function saidAll(values: Properties, cluster: Cluster, place: Place): Properties {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, said(value, cluster, place)]));
}

/** A value with what is known outside of a stack in it. */
function said(value: Value, cluster: Cluster, place: Place): Value {
  if (typeof value !== "object") return value;
  if (isList(value)) return value.map((part) => said(part, cluster, place));
  if (!isReference(value)) return saidAll(value, cluster, place);
  switch (value.$) {
    case "text":
      return value.parts
        .map((part) => said(part, cluster, place))
        .map((part) => (typeof part === "object" ? JSON.stringify(part) : String(part)))
        .join("");
    case "if":
      return bucketOf(cluster, place);
    case "pseudo":
      return {
        AccountId: place.account,
        NoValue: "",
        Partition: place.partition,
        Region: place.region,
        StackId: `arn:${place.partition}:cloudformation:${place.region}:${place.account}:stack/${policyText(cluster.name)}/*`,
        StackName: policyText(cluster.name),
      }[value.name];
    case "id":
    case "attribute":
    case "parameter":
    case "zone":
    case "base64":
      throw new Error(`a policy outside of a stack cannot name ${JSON.stringify(value)}`);
  }
}
