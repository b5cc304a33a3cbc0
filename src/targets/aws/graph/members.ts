import { nodeName, type Cluster, type Group, type Volume } from "../../../cluster/cluster.ts";
import { leavingHookName, tagNames } from "../../../records/tags.ts";
import { groupTags, idPart, nameOf, originOf, waitingTags } from "./names.ts";
import { templateVersion, volumeProperties } from "./machines.ts";
import type { AwsFacts } from "../facts/facts.ts";
import type { Network, Place } from "./network.ts";
import type { Lasting, Resource } from "./resource.ts";
import { attributeOf, idOf, type Properties, type Value } from "./value.ts";

/** Minutes within which a node must say that it is ready. */
export const readyWithin = 15;

/** Seconds in which a node leaves in good order before it is stopped. */
const leaveWithin = 300;

/** An instance waits for its node to leave before it is stopped; who stays silent is stopped all the same. */
export const leavingHook: Properties = {
  LifecycleHookName: leavingHookName,
  LifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
  HeartbeatTimeout: leaveWithin,
  DefaultResult: "CONTINUE",
};

export function memberId(group: Group, n: number): string {
  return `${idPart(group.name)}Node${n}`;
}

/**
 * Control members, each an autoscaling group of one: it is brought back in its own zone, and finds its own disks and its
 * own address there. There is no update policy: who replaces a control instance asks the quorum guard first.
 */
export function memberResources(
  cluster: Cluster,
  group: Group,
  network: Network,
  worn: readonly Value[],
  facts: AwsFacts,
): readonly Resource[] {
  return Array.from({ length: group.count }, (_, index) => {
    const place = network.places[index % network.places.length];
    return place === undefined ? [] : memberOf(cluster, group, index + 1, place, network, worn, facts);
  }).flat();
}

function memberOf(
  cluster: Cluster,
  group: Group,
  n: number,
  place: Place,
  network: Network,
  worn: readonly Value[],
  facts: AwsFacts,
): readonly Resource[] {
  const id = memberId(group, n);
  const name = nodeName(cluster.name, group.name, n);
  const tags = { ...groupTags(cluster, group, name), [tagNames.node]: name };
  const common = { layer: "control", tags, origin: originOf(group) } as const;
  // On disks that were kept it is the member that it was, and the others know it by its address.
  const kept = facts.kept?.[name];
  const disks = group.volumes.map((volume) => ({
    volume,
    id: `${id}Volume${idPart(volume.name)}`,
    kept: kept?.disks[volume.name],
  }));
  return [
    {
      ...common,
      id: `${id}Interface`,
      type: "AWS::EC2::NetworkInterface",
      properties: {
        Description: `Address of ${name}`,
        GroupSet: [...worn],
        ...(kept === undefined ? {} : { PrivateIpAddress: kept.address }),
        SubnetId: place.subnet,
      },
    },
    ...disks
      .filter((disk) => disk.kept === undefined)
      .map((disk): Resource => ({
        ...common,
        id: disk.id,
        type: "AWS::EC2::Volume",
        properties: volumeProperties(cluster, disk.volume, place.zone),
        tags: { ...tags, Name: `${name}-${disk.volume.name}` },
        lasting: lastingOf(disk.volume),
        origin: { kind: "field", path: disk.volume.at },
      })),
    ...(group.aws.fixedAddress
      ? [
          {
            ...common,
            id: `${id}Address`,
            type: "AWS::EC2::EIP",
            properties: { Domain: "vpc" },
            after: network.gateway,
          } as const,
          {
            ...common,
            id: `${id}Addressed`,
            type: "AWS::EC2::EIPAssociation",
            properties: {
              AllocationId: attributeOf(`${id}Address`, "AllocationId"),
              NetworkInterfaceId: idOf(`${id}Interface`),
            },
            tags: {},
          } as const,
        ]
      : []),
    {
      ...common,
      id,
      type: "AWS::AutoScaling::AutoScalingGroup",
      properties: {
        AutoScalingGroupName: nameOf(cluster, group.name, n),
        DesiredCapacity: "1",
        HealthCheckGracePeriod: readyWithin * 60,
        HealthCheckType: "EC2",
        // Its disk and address are had by one instance at a time: the old one goes first.
        InstanceMaintenancePolicy: { MaxHealthyPercentage: 100, MinHealthyPercentage: 0 },
        LaunchTemplate: templateVersion(group),
        LifecycleHookSpecificationList: [leavingHook],
        // No protection from scaling in: one in one zone is never scaled in, and a protected one keeps the stack from being deleted.
        MaxSize: "1",
        MinSize: "1",
        VPCZoneIdentifier: [place.subnet],
      },
      tags: {
        ...tags,
        ...waitingTags(id),
        [tagNames.interface]: idOf(`${id}Interface`),
        ...Object.fromEntries(
          disks.map((disk) => [`${tagNames.volume}.${disk.volume.name}`, disk.kept ?? idOf(disk.id)]),
        ),
      },
      after: [...place.ready, ...(group.aws.fixedAddress ? [`${id}Addressed`] : [])],
      signals: { count: 1, minutes: readyWithin },
    },
  ];
}

/** A rolled-back creation leaves no empty disk; what has held data stays, or leaves a snapshot where another takes its place. */
function lastingOf({ onTermination }: Volume): Lasting {
  return onTermination === "keep"
    ? { deleted: "keep-unless-new", replaced: "keep" }
    : { deleted: "delete", replaced: "snapshot" };
}
