import type { Shape } from "../xml.ts";
import type { Group, GroupTag, Member, Template } from "./group.ts";

export function memberShape(member: Member): { readonly [key: string]: Shape } {
  return {
    InstanceId: member.id,
    InstanceType: member.type,
    AvailabilityZone: member.zone,
    LifecycleState: member.lifecycle,
    HealthStatus: member.health,
    LaunchTemplate: templateShape(member.template),
    ProtectedFromScaleIn: member.protected,
  };
}

function templateShape({ id, name, version }: Template): { readonly [key: string]: Shape } {
  return { LaunchTemplateId: id, LaunchTemplateName: name, Version: version };
}

export function tagShape(group: Group, tag: GroupTag): { readonly [key: string]: Shape } {
  return {
    ResourceId: group.name,
    ResourceType: "auto-scaling-group",
    Key: tag.key,
    Value: tag.value,
    PropagateAtLaunch: tag.propagate,
  };
}

export function groupShape(group: Group): { readonly [key: string]: Shape } {
  return {
    AutoScalingGroupName: group.name,
    AutoScalingGroupARN: group.arn,
    CreatedTime: new Date(group.createdAt).toISOString(),
    MinSize: group.min,
    MaxSize: group.max,
    DesiredCapacity: group.desired,
    DefaultCooldown: 300,
    AvailabilityZones: group.zones,
    VPCZoneIdentifier: group.subnets.join(","),
    HealthCheckType: "EC2",
    HealthCheckGracePeriod: group.grace,
    ...(group.mixture === undefined
      ? { LaunchTemplate: templateShape(group.template) }
      : {
          MixedInstancesPolicy: {
            LaunchTemplate: {
              LaunchTemplateSpecification: templateShape(group.template),
              Overrides: group.mixture.types.map((InstanceType) => ({ InstanceType })),
            },
            InstancesDistribution: {
              OnDemandBaseCapacity: group.mixture.onDemandBase,
              OnDemandPercentageAboveBaseCapacity: group.mixture.onDemandPercent,
            },
          },
        }),
    ...(group.maintenance === undefined
      ? {}
      : {
          InstanceMaintenancePolicy: {
            MinHealthyPercentage: group.maintenance.least,
            MaxHealthyPercentage: group.maintenance.most,
          },
        }),
    CapacityRebalance: group.capacityRebalance,
    Instances: [...group.members.values()].map(memberShape),
    SuspendedProcesses: [...group.suspended].map((process) => ({
      ProcessName: process,
      SuspensionReason: "User suspended",
    })),
    Tags: [...group.tags.values()].map((tag) => tagShape(group, tag)),
    NewInstancesProtectedFromScaleIn: group.protectNew,
    TerminationPolicies: ["Default"],
    Status: group.deleting ? "Delete in progress" : undefined,
    ServiceLinkedRoleARN:
      "arn:aws:iam::aws:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
  };
}
