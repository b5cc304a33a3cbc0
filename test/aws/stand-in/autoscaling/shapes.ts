import type { Shape } from "../xml.ts";
import type { Activity, Group, GroupTag, Member, Template } from "./group.ts";

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
    AvailabilityZones: [...new Set(group.subnets.values())].toSorted(),
    AvailabilityZoneDistribution: { CapacityDistributionStrategy: group.distribution },
    VPCZoneIdentifier: [...group.subnets.keys()].join(","),
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

/** The reason is in the description, too, as people quote it (kubernetes/autoscaler#1263, terraform-provider-aws#29753). */
export function activityShape(group: Group, activity: Activity): { readonly [key: string]: Shape } {
  const { place, message } = activity;
  return {
    ActivityId: activity.id,
    AutoScalingGroupName: group.name,
    Description: activity.description + (message === "" ? "" : `.  Status Reason: ${message}`),
    Cause: activity.cause,
    Details:
      place === undefined ? "{}" : JSON.stringify({ "Subnet ID": place.subnet, "Availability Zone": place.zone }),
    StartTime: new Date(activity.start).toISOString(),
    EndTime: activity.end === undefined ? undefined : new Date(activity.end).toISOString(),
    StatusCode: activity.status,
    StatusMessage: message === "" ? undefined : message,
    Progress: activity.status === "InProgress" ? 50 : 100,
  };
}
