import type { Cluster, Group } from "../../../cluster/cluster.ts";
import { tagNames } from "../../../records/tags.ts";
import { groupTags, idPart, nameOf, originOf } from "./names.ts";
import type { Resource } from "./resource.ts";
import { document, storeStatements, taggedOurs, type Statement } from "./statements.ts";
import { logGroup } from "./store.ts";
import { idOf, pseudo, textOf, type Value } from "./value.ts";

/** Under it lie all roles of a cluster, so that who launches it passes these and no others. */
export function rolePath(cluster: Cluster): string {
  return `/slipway/${cluster.name}/`;
}

export function profileId(group: Group): string {
  return `${idPart(group.name)}Profile`;
}

export function roleId(group: Group): string {
  return `${idPart(group.name)}Role`;
}

/** A group's role and the profile by which its instances have it. */
export function roleResources(cluster: Cluster, group: Group, addresses: readonly string[]): readonly Resource[] {
  const id = roleId(group);
  const { permissionsBoundary } = cluster.aws;
  const common = { layer: "access", origin: originOf(group) } as const;
  return [
    {
      ...common,
      id,
      type: "AWS::IAM::Role",
      properties: {
        Description: `Nodes of the group ${group.name} of the cluster ${cluster.name}`,
        Path: rolePath(cluster),
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
        },
        ...(permissionsBoundary === undefined ? {} : { PermissionsBoundary: permissionsBoundary }),
        Policies: [{ PolicyName: "node", PolicyDocument: document(nodeStatements(cluster, group, addresses)) }],
      },
      tags: groupTags(cluster, group, `${cluster.name}-${group.name}`),
    },
    {
      ...common,
      id: profileId(group),
      type: "AWS::IAM::InstanceProfile",
      properties: { Path: rolePath(cluster), Roles: [idOf(id)] },
      tags: {},
    },
  ];
}

/** ARN of something in this region and account. */
function arn(service: string, ...rest: readonly Value[]): Value {
  return textOf("arn:", pseudo("Partition"), `:${service}:`, pseudo("Region"), ":", pseudo("AccountId"), ":", ...rest);
}

/** All that a group's nodes may ask of AWS; `addresses` are the ids of addresses that they take by themselves. */
export function nodeStatements(cluster: Cluster, group: Group, addresses: readonly string[]): readonly Statement[] {
  const { kmsKey, sessionManager } = cluster.aws;
  const control = group.role === "control";
  const named = control ? nameOf(cluster, group.name, "*") : nameOf(cluster, group.name);
  return [
    ...storeStatements(group),
    { sid: "SayReady", actions: ["cloudformation:SignalResource"], resources: [pseudo("StackId")] },
    {
      sid: "LeaveInOrder",
      actions: ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"],
      resources: [arn("autoscaling", `autoScalingGroup:*:autoScalingGroupName/${named}`)],
    },
    {
      sid: "WriteLogs",
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [arn("logs", `log-group:${logGroup(cluster)}:log-stream:${group.name}/*`)],
    },
    ...(control ? controlStatements(cluster, group) : diskStatements(group)),
    ...(addresses.length === 0 ? [] : addressStatements(cluster, group)),
    ...(kmsKey === undefined
      ? []
      : [
          {
            sid: "ReadEncrypted",
            actions: ["kms:Decrypt", "kms:GenerateDataKey"],
            resources: [kmsKey],
            condition: {
              StringEquals: { "kms:ViaService": control ? [through("s3"), through("ec2")] : through("s3") },
            },
          },
          ...(control ? [lendStatement(kmsKey)] : []),
        ]),
    // Systems Manager's agent names no resources (AWS, service authorization reference); these are what sessions need.
    ...(sessionManager
      ? [
          {
            sid: "BeReached",
            actions: [
              "ssm:UpdateInstanceInformation",
              "ssmmessages:CreateControlChannel",
              "ssmmessages:CreateDataChannel",
              "ssmmessages:OpenControlChannel",
              "ssmmessages:OpenDataChannel",
            ],
            resources: ["*"],
          },
        ]
      : []),
  ];
}

/** Control nodes look who is there, and take what is theirs: the disk and the address of the member that they are. */
function controlStatements(cluster: Cluster, group: Group): readonly Statement[] {
  const ours = taggedOurs(cluster, { [tagNames.group]: group.name });
  return [
    {
      sid: "SeeInstances",
      actions: [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVolumes",
      ],
      resources: ["*"],
    },
    {
      sid: "TakeOwnDisk",
      actions: ["ec2:AttachVolume", "ec2:DetachVolume"],
      resources: [arn("ec2", "volume/*"), arn("ec2", "instance/*")],
      condition: ours,
    },
    {
      sid: "TakeOwnAddress",
      actions: ["ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface"],
      resources: [arn("ec2", "network-interface/*"), arn("ec2", "instance/*")],
      condition: ours,
    },
  ];
}

function through(service: string): Value {
  return textOf(`${service}.`, pseudo("Region"), ".amazonaws.com");
}

/**
 * Who attaches an encrypted disk lets EC2 use its key for the instance, by a grant (EBS user guide, "Requirements for Amazon EBS
 * encryption": permissions for users): for nothing but AWS's own resources.
 */
function lendStatement(key: string): Statement {
  return {
    sid: "LendKey",
    actions: ["kms:CreateGrant"],
    resources: [key],
    condition: { Bool: { "kms:GrantIsForAWSResource": true } },
  };
}

/** A worker's disks are called by the kernel what it likes; EC2 says which is which. */
function diskStatements(group: Group): readonly Statement[] {
  return group.volumes.length === 0 ? [] : [{ sid: "SeeDisks", actions: ["ec2:DescribeVolumes"], resources: ["*"] }];
}

function addressStatements(cluster: Cluster, group: Group): readonly Statement[] {
  return [
    { sid: "SeeAddresses", actions: ["ec2:DescribeAddresses"], resources: ["*"] },
    {
      sid: "TakeAddress",
      actions: ["ec2:AssociateAddress"],
      resources: [arn("ec2", "elastic-ip/*"), arn("ec2", "instance/*"), arn("ec2", "network-interface/*")],
      condition: taggedOurs(cluster, { [tagNames.group]: group.name }),
    },
  ];
}
