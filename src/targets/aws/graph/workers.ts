import type { Cluster, Group } from "../../../cluster/cluster.ts";
import { deviceNames, templateVersion, typeParameter } from "./machines.ts";
import { leavingHook, readyWithin } from "./members.ts";
import { tagNames } from "../../../records/tags.ts";
import { groupTags, idPart, nameOf, originOf, waitingTags } from "./names.ts";
import type { Network } from "./network.ts";
import type { Parameter, Resource } from "./resource.ts";
import { parameter, type Properties } from "./value.ts";

/** How many workers there are can be said at launch: no node's config contains it. */
export function countParameter(group: Group): Parameter {
  const { min, max } = group.aws;
  const free = min === max;
  return {
    name: `${idPart(group.name)}Count`,
    type: "Number",
    description: `How many nodes the group ${group.name} has`,
    default: group.count,
    least: group.count === 0 ? 0 : Math.max(1, free ? 1 : min),
    most: free ? 5_000 : max,
  };
}

/** Ids of the addresses that a group's nodes take by themselves. */
export function addressIds(group: Group): readonly string[] {
  if (group.role === "control" || !group.aws.fixedAddress) return [];
  return Array.from({ length: group.aws.max }, (_, index) => `${idPart(group.name)}Address${index + 1}`);
}

/** A group of workers: as many alike as there are to be, over all zones. */
export function workerResources(cluster: Cluster, group: Group, network: Network): readonly Resource[] {
  const { instanceTypes, spotPercent, onDemandBase, min, max } = group.aws;
  const count = parameter(countParameter(group).name);
  const free = min === max;
  const tags = groupTags(cluster, group, `${cluster.name}-${group.name}`);
  const mixed = instanceTypes.length > 1 || spotPercent > 0;
  const common = { layer: "workers", tags, origin: originOf(group) } as const;
  return [
    ...addressIds(group).map((id): Resource => ({
      ...common,
      id,
      type: "AWS::EC2::EIP",
      properties: { Domain: "vpc" },
      after: network.gateway,
    })),
    {
      ...common,
      id: `${idPart(group.name)}Nodes`,
      type: "AWS::AutoScaling::AutoScalingGroup",
      properties: {
        AutoScalingGroupName: nameOf(cluster, group.name),
        ...(spotPercent > 0 ? { CapacityRebalance: true } : {}),
        DesiredCapacity: count,
        HealthCheckGracePeriod: readyWithin * 60,
        HealthCheckType: "EC2",
        ...(mixed ? { MixedInstancesPolicy: mixture(group) } : { LaunchTemplate: templateVersion(group) }),
        LifecycleHookSpecificationList: [leavingHook],
        MaxSize: free ? count : String(max),
        MinSize: free ? count : String(min),
        VPCZoneIdentifier: network.places.map(({ subnet }) => subnet),
      },
      tags: {
        ...tags,
        ...waitingTags(`${idPart(group.name)}Nodes`),
        ...Object.fromEntries(
          group.volumes.map(({ name }, index) => [`${tagNames.volume}.${name}`, deviceNames[index] ?? ""]),
        ),
      },
      after: [...new Set(network.places.flatMap(({ ready }) => ready))],
      ...(group.count === 0 ? {} : { signals: { count, minutes: readyWithin } }),
      rolling: { batch: Math.max(1, Math.ceil(group.count / 4)), minutes: readyWithin },
    },
  ];

  function mixture({ aws: { instanceTypes: types } }: Group): Properties {
    const only = typeParameter(group);
    return {
      InstancesDistribution: {
        OnDemandAllocationStrategy: "prioritized",
        OnDemandBaseCapacity: onDemandBase,
        OnDemandPercentageAboveBaseCapacity: 100 - spotPercent,
        SpotAllocationStrategy: "price-capacity-optimized",
      },
      LaunchTemplate: {
        LaunchTemplateSpecification: templateVersion(group),
        Overrides:
          only === undefined
            ? types.map((InstanceType) => ({ InstanceType }))
            : [{ InstanceType: parameter(only.name) }],
      },
    };
  }
}
