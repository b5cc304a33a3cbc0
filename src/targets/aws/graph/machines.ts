import { architectureOf } from "../../../cluster/aws.ts";
import type { Cluster, Group, Volume } from "../../../cluster/cluster.ts";
import type { AwsFacts } from "../facts/facts.ts";
import { groupTags, idPart, originOf } from "./names.ts";
import { profileId } from "./roles.ts";
import type { Parameter, Resource } from "./resource.ts";
import { attributeOf, idOf, parameter, type Properties, type Value } from "./value.ts";

const gibibyte = 1024 ** 3;

/** What the image of a system calls the disk that it boots from. */
const rootDevices: Readonly<Record<Cluster["os"], string>> = {
  debian: "/dev/xvda",
  "fedora-coreos": "/dev/xvda",
  flatcar: "/dev/xvda",
  ubuntu: "/dev/sda1",
};

/** Names that EC2 recommends for disks beside the first (AWS, "Device names for volumes on Amazon EC2 instances"). */
export const deviceNames = "f g h i j k l m n o p".split(" ").map((letter) => `/dev/sd${letter}`);

export function templateId(group: Group): string {
  return `${idPart(group.name)}Template`;
}

function imageParameter(architecture: string): string {
  return `Image${architecture === "arm64" ? "Arm64" : "X8664"}`;
}

/** The image of each architecture that groups need: a fact of the region, the file's own, or to be said. */
export function imageParameters(cluster: Cluster, facts: AwsFacts): readonly Parameter[] {
  const needed = new Set(cluster.groups.map((group) => architectureOf(group.aws.instanceTypes[0] ?? "")));
  const region = cluster.aws.region ?? facts.region;
  const own = region === undefined ? undefined : cluster.aws.images[region];
  return [...needed].toSorted().map((architecture): Parameter => {
    const known = own ?? facts.images?.[architecture]?.id;
    return {
      name: imageParameter(architecture),
      type: "AWS::EC2::Image::Id",
      description: `The image that ${architecture} nodes start from, with ${cluster.os}; no newer one is taken by itself`,
      ...(known === undefined ? {} : { default: known }),
    };
  });
}

/** The kind of machine can be said at launch, where the group has one kind: no node's config contains it. */
export function typeParameter(group: Group): Parameter | undefined {
  const [type, ...others] = group.aws.instanceTypes;
  if (type === undefined || others.length > 0) return undefined;
  return {
    name: `${idPart(group.name)}InstanceType`,
    type: "String",
    description: `The kind of machine of the group ${group.name}; ${architectureOf(type)} only`,
    default: type,
    pattern: "^[a-z][a-z0-9-]*\\.[a-z0-9-]+$",
  };
}

/** Kinds that are told how fast they are: as fast as gp3 is by itself, as far as their size allows (50 a GiB, io1's ratio). */
function speedOf(type: string, size: number): Properties {
  return type === "io1" || type === "io2" ? { Iops: Math.min(3_000, 50 * size) } : {};
}

function diskOf(cluster: Cluster, bytes: number | undefined, type: string): Properties {
  const { kmsKey } = cluster.aws;
  const size = Math.ceil((bytes ?? gibibyte) / gibibyte);
  return {
    Encrypted: true,
    ...speedOf(type, size),
    ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
    VolumeSize: size,
    VolumeType: type,
  };
}

/** An extra disk as a volume of its own, in the zone of the member that has it. */
export function volumeProperties(cluster: Cluster, volume: Volume, zone: Value): Properties {
  const { VolumeSize, ...disk } = diskOf(cluster, volume.size, volume.type ?? "gp3");
  return { AvailabilityZone: zone, ...disk, ...(VolumeSize === undefined ? {} : { Size: VolumeSize }) };
}

/** What an instance of a group is; `disks` are those that come and go with it. */
export function launchTemplate(
  cluster: Cluster,
  group: Group,
  setting: {
    readonly userData: Value;
    readonly worn: readonly Value[];
    readonly public: boolean;
    readonly disks: readonly Volume[];
  },
): Resource {
  const { keyPair, detailedMonitoring, instanceTypes, rootVolume } = group.aws;
  const type = typeParameter(group);
  const tags = groupTags(cluster, group, `${cluster.name}-${group.name}`);
  const listed = Object.entries(tags).map(([Key, value]) => ({ Key, Value: value }));
  return {
    id: templateId(group),
    type: "AWS::EC2::LaunchTemplate",
    layer: group.role === "control" ? "control" : "workers",
    properties: {
      LaunchTemplateData: {
        BlockDeviceMappings: [
          {
            DeviceName: rootDevices[cluster.os],
            Ebs: { ...diskOf(cluster, rootVolume.size, rootVolume.type), DeleteOnTermination: true },
          },
          ...setting.disks.map((volume, index) => ({
            DeviceName: deviceNames[index] ?? "",
            Ebs: {
              ...diskOf(cluster, volume.size, volume.type ?? "gp3"),
              DeleteOnTermination: volume.onTermination === "delete",
            },
          })),
        ],
        IamInstanceProfile: { Arn: attributeOf(profileId(group), "Arn") },
        ImageId: parameter(imageParameter(architectureOf(instanceTypes[0] ?? ""))),
        InstanceType: type === undefined ? (instanceTypes[0] ?? "") : parameter(type.name),
        ...(keyPair === undefined ? {} : { KeyName: keyPair }),
        // One hop: containers do not reach the node's credentials. Tags tell a node which member it is.
        MetadataOptions: {
          HttpEndpoint: "enabled",
          HttpPutResponseHopLimit: 1,
          HttpTokens: "required",
          InstanceMetadataTags: "enabled",
        },
        Monitoring: { Enabled: detailedMonitoring },
        NetworkInterfaces: [
          {
            AssociatePublicIpAddress: setting.public,
            DeleteOnTermination: true,
            DeviceIndex: 0,
            Groups: [...setting.worn],
          },
        ],
        TagSpecifications: ["network-interface", "volume"].map((ResourceType) => ({ ResourceType, Tags: listed })),
        UserData: { $: "base64", of: setting.userData },
      },
    },
    tags,
    origin: originOf(group),
  };
}

/** The newest version of a group's template, as autoscaling groups name it. */
export function templateVersion(group: Group): Properties {
  return {
    LaunchTemplateId: idOf(templateId(group)),
    Version: attributeOf(templateId(group), "LatestVersionNumber"),
  };
}
