import {
  type ChangeSetType,
  CreateChangeSetCommand,
  CreateStackCommand,
  type CreateStackCommandInput,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import { flatcarImage, rested } from "./example.ts";
import { sdkOver } from "./sdk.ts";
import type { Client, StandIn } from "./stand-in.ts";

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
export type Resources = Readonly<Record<string, Json>>;

export const network: Resources = {
  Vpc: { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.0.0.0/16" } },
  Subnet: subnetIn("a", 0),
};

function subnetIn(zone: string, index: number): Json {
  return {
    Type: "AWS::EC2::Subnet",
    Properties: {
      VpcId: { Ref: "Vpc" },
      CidrBlock: `10.0.${16 * index}.0/20`,
      AvailabilityZone: `eu-central-1${zone}`,
    },
  };
}

/** A group of instances that must say that they are ready. */
export function group({
  count = 1,
  type = "t3.small",
  rolling = false,
  minutes = 5,
  zones = ["a"],
  types = [],
  distribution,
}: {
  readonly count?: number;
  readonly type?: string;
  readonly rolling?: boolean;
  readonly minutes?: number;
  /** A subnet in each. */
  readonly zones?: readonly string[];
  /** Of a mixture, in place of the one type. */
  readonly types?: readonly string[];
  readonly distribution?: string;
} = {}): Resources {
  const template = {
    LaunchTemplateId: { Ref: "Template" },
    Version: { "Fn::GetAtt": ["Template", "LatestVersionNumber"] },
  };
  const others = zones.slice(1);
  return {
    ...network,
    ...Object.fromEntries(others.map((zone, index) => [`Subnet${zone.toUpperCase()}`, subnetIn(zone, index + 1)])),
    Template: {
      Type: "AWS::EC2::LaunchTemplate",
      Properties: {
        LaunchTemplateData: {
          ImageId: flatcarImage,
          InstanceType: type,
          IamInstanceProfile: { Arn: { "Fn::GetAtt": ["Profile", "Arn"] } },
        },
      },
    },
    Role: {
      Type: "AWS::IAM::Role",
      Properties: { Path: "/slipway/small/", AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [] } },
    },
    Profile: { Type: "AWS::IAM::InstanceProfile", Properties: { Path: "/slipway/small/", Roles: [{ Ref: "Role" }] } },
    Group: {
      Type: "AWS::AutoScaling::AutoScalingGroup",
      CreationPolicy: { ResourceSignal: { Count: count, Timeout: `PT${minutes}M` } },
      ...(rolling
        ? {
            UpdatePolicy: {
              AutoScalingRollingUpdate: { MaxBatchSize: 1, PauseTime: `PT${minutes}M`, WaitOnResourceSignals: true },
            },
          }
        : {}),
      Properties: {
        AutoScalingGroupName: "small.group",
        MinSize: String(count),
        MaxSize: String(count),
        DesiredCapacity: String(count),
        ...(types.length === 0
          ? { LaunchTemplate: template }
          : {
              MixedInstancesPolicy: {
                LaunchTemplate: {
                  LaunchTemplateSpecification: template,
                  Overrides: types.map((InstanceType) => ({ InstanceType })),
                },
              },
            }),
        ...(distribution === undefined
          ? {}
          : { AvailabilityZoneDistribution: { CapacityDistributionStrategy: distribution } }),
        LifecycleHookSpecificationList: [
          {
            LifecycleHookName: "leave",
            LifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
            HeartbeatTimeout: 300,
            DefaultResult: "CONTINUE",
          },
        ],
        VPCZoneIdentifier: [{ Ref: "Subnet" }, ...others.map((zone) => ({ Ref: `Subnet${zone.toUpperCase()}` }))],
        Tags: [{ Key: "slipway.cluster", Value: "small", PropagateAtLaunch: true }],
      },
    },
  };
}

export function templateWith(resources: Resources, more: Readonly<Record<string, Json>> = {}): string {
  return JSON.stringify({ ...more, Resources: resources });
}

const capable = { Capabilities: ["CAPABILITY_IAM" as const] };

/** Makes a stack and waits until it rests. */
export async function made(
  standIn: StandIn,
  resources: Resources,
  more: Partial<CreateStackCommandInput> = {},
  client: Client = standIn.client(),
): Promise<string> {
  const { cloudformation } = sdkOver(client);
  await cloudformation.send(
    new CreateStackCommand({ StackName: "small", TemplateBody: templateWith(resources), ...capable, ...more }),
  );
  return rested(standIn, "small", client);
}

export async function updated(
  standIn: StandIn,
  resources: Resources,
  client: Client = standIn.client(),
): Promise<string> {
  const { cloudformation } = sdkOver(client);
  await cloudformation.send(
    new UpdateStackCommand({ StackName: "small", TemplateBody: templateWith(resources), ...capable }),
  );
  return rested(standIn, "small", client);
}

/** Makes a change set and waits until it is there. */
export async function changeSet(
  standIn: StandIn,
  kind: ChangeSetType,
  resources: Resources,
  name = "change",
  client: Client = standIn.client(),
) {
  const { cloudformation } = sdkOver(client);
  const asked = { StackName: "small", ChangeSetName: name };
  await cloudformation.send(
    new CreateChangeSetCommand({ ...asked, ChangeSetType: kind, TemplateBody: templateWith(resources), ...capable }),
  );
  for (;;) {
    const set = await cloudformation.send(new DescribeChangeSetCommand(asked));
    if (set.Status !== "CREATE_IN_PROGRESS") return set;
    await client.clock.sleep(2_000);
  }
}

/** A stack's events as lines, the oldest first: `LogicalId STATUS`, and the reason where there is one. */
export async function eventsOf(standIn: StandIn, stack = "small"): Promise<readonly string[]> {
  const { cloudformation } = sdkOver(standIn.client());
  const lines: string[] = [];
  let token: string | undefined;
  do {
    const page = await cloudformation.send(
      new DescribeStackEventsCommand({ StackName: stack, ...(token === undefined ? {} : { NextToken: token }) }),
    );
    for (const {
      LogicalResourceId: id = "",
      ResourceStatus: status = "",
      ResourceStatusReason: reason,
    } of page.StackEvents ?? [])
      lines.unshift(`${id} ${status}${reason === undefined ? "" : `: ${reason}`}`);
    token = page.NextToken;
  } while (token !== undefined);
  return lines;
}
