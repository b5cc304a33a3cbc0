import {
  DeleteNetworkInterfaceCommand,
  DeleteSecurityGroupCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeKeyPairsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
  GetConsoleOutputCommand,
  ReleaseAddressCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type Filter,
  type Image,
  type Instance,
  type NetworkInterface,
  type TagDescription,
  type Volume,
  type _InstanceType,
} from "@aws-sdk/client-ec2";
import type { Caller } from "./caller.ts";
import { idsOfKind } from "./ec2-tagged.ts";
import { pages, type ClientSettings } from "./settings.ts";

export type { Image, Instance, NetworkInterface, TagDescription, Volume };

/** The calls of EC2 that Slipway makes. */
export function ec2(settings: () => ClientSettings, call: Caller) {
  let made: { readonly by: ClientSettings; readonly client: EC2Client } | undefined;
  const client = (): EC2Client => {
    const by = settings();
    if (made?.by !== by) made = { by, client: new EC2Client(by) };
    return made.client;
  };
  const token = (NextToken: string | undefined) => (NextToken === undefined ? {} : { NextToken });
  return {
    /** Instances by filters, in every state that these let through. */
    instances: async (Filters: readonly Filter[]): Promise<readonly Instance[]> =>
      (
        await pages(
          (next) =>
            call("ec2:DescribeInstances", "safe", () =>
              client().send(new DescribeInstancesCommand({ Filters: [...Filters], MaxResults: 1_000, ...token(next) })),
            ),
          ({ Reservations, NextToken }) => ({ items: Reservations, next: NextToken }),
        )
      ).flatMap(({ Instances }) => Instances ?? []),
    console: async (InstanceId: string): Promise<string> =>
      (
        await call("ec2:GetConsoleOutput", "safe", () =>
          client().send(new GetConsoleOutputCommand({ InstanceId, Latest: true })),
        )
      ).Output ?? "",
    start: (InstanceIds: readonly string[]) =>
      call("ec2:StartInstances", "safe", () =>
        client().send(new StartInstancesCommand({ InstanceIds: [...InstanceIds] })),
      ),
    stop: (InstanceIds: readonly string[]) =>
      call("ec2:StopInstances", "safe", () =>
        client().send(new StopInstancesCommand({ InstanceIds: [...InstanceIds] })),
      ),
    terminate: (InstanceIds: readonly string[]) =>
      call("ec2:TerminateInstances", "safe", () =>
        client().send(new TerminateInstancesCommand({ InstanceIds: [...InstanceIds] })),
      ),
    /** Everything of EC2 that bears a tag, of whatever kind; what is long gone may still be among it. */
    tags: (key: string, value: string): Promise<readonly TagDescription[]> =>
      pages(
        (next) =>
          call("ec2:DescribeTags", "safe", () =>
            client().send(
              new DescribeTagsCommand({
                Filters: [
                  { Name: "key", Values: [key] },
                  { Name: "value", Values: [value] },
                ],
                MaxResults: 1_000,
                ...token(next),
              }),
            ),
          ),
        ({ Tags, NextToken }) => ({ items: Tags, next: NextToken }),
      ),
    /** Ids of the things of one kind that bear a tag and are there; undefined for a kind that is not known. */
    idsOfKind: (kind: string, key: string, value: string) => idsOfKind(kind, [key, value], client, call),
    interfaces: (Filters: readonly Filter[]): Promise<readonly NetworkInterface[]> =>
      pages(
        (next) =>
          call("ec2:DescribeNetworkInterfaces", "safe", () =>
            client().send(
              new DescribeNetworkInterfacesCommand({ Filters: [...Filters], MaxResults: 500, ...token(next) }),
            ),
          ),
        ({ NetworkInterfaces, NextToken }) => ({ items: NetworkInterfaces, next: NextToken }),
      ),
    volumes: (Filters: readonly Filter[]): Promise<readonly Volume[]> =>
      pages(
        (next) =>
          call("ec2:DescribeVolumes", "safe", () =>
            client().send(new DescribeVolumesCommand({ Filters: [...Filters], MaxResults: 500, ...token(next) })),
          ),
        ({ Volumes, NextToken }) => ({ items: Volumes, next: NextToken }),
      ),
    deleteVolume: (VolumeId: string) =>
      call("ec2:DeleteVolume", "safe", () => client().send(new DeleteVolumeCommand({ VolumeId }))),
    deleteSnapshot: (SnapshotId: string) =>
      call("ec2:DeleteSnapshot", "safe", () => client().send(new DeleteSnapshotCommand({ SnapshotId }))),
    deleteInterface: (NetworkInterfaceId: string) =>
      call("ec2:DeleteNetworkInterface", "safe", () =>
        client().send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId })),
      ),
    deleteSecurityGroup: (GroupId: string) =>
      call("ec2:DeleteSecurityGroup", "safe", () => client().send(new DeleteSecurityGroupCommand({ GroupId }))),
    releaseAddress: (AllocationId: string) =>
      call("ec2:ReleaseAddress", "safe", () => client().send(new ReleaseAddressCommand({ AllocationId }))),
    addresses: async () =>
      (await call("ec2:DescribeAddresses", "safe", () => client().send(new DescribeAddressesCommand({})))).Addresses ??
      [],
    /** Which of the types each zone offers. */
    offerings: (types: readonly string[]) =>
      pages(
        (next) =>
          call("ec2:DescribeInstanceTypeOfferings", "safe", () =>
            client().send(
              new DescribeInstanceTypeOfferingsCommand({
                LocationType: "availability-zone",
                Filters: [{ Name: "instance-type", Values: [...types] }],
                ...token(next),
              }),
            ),
          ),
        ({ InstanceTypeOfferings, NextToken }) => ({ items: InstanceTypeOfferings, next: NextToken }),
      ),
    types: (types: readonly string[]) =>
      pages(
        (next) =>
          call("ec2:DescribeInstanceTypes", "safe", () =>
            client().send(
              // AWS's own list of types in the SDK ends with its release; the file's are judged by AWS.
              new DescribeInstanceTypesCommand({ InstanceTypes: [...types] as _InstanceType[], ...token(next) }),
            ),
          ),
        ({ InstanceTypes, NextToken }) => ({ items: InstanceTypes, next: NextToken }),
      ),
    images: (input: {
      readonly ids?: readonly string[];
      readonly owner?: string;
      readonly Filters?: readonly Filter[];
    }) =>
      pages(
        (next) =>
          call("ec2:DescribeImages", "safe", () =>
            client().send(
              new DescribeImagesCommand({
                ...(input.ids === undefined ? {} : { ImageIds: [...input.ids] }),
                ...(input.owner === undefined ? {} : { Owners: [input.owner] }),
                ...(input.Filters === undefined ? {} : { Filters: [...input.Filters] }),
                ...token(next),
              }),
            ),
          ),
        ({ Images, NextToken }) => ({ items: Images, next: NextToken }),
      ),
    keyPairs: async (names: readonly string[]) =>
      (
        await call("ec2:DescribeKeyPairs", "safe", () =>
          client().send(new DescribeKeyPairsCommand({ KeyNames: [...names] })),
        )
      ).KeyPairs ?? [],
    securityGroups: (Filters: readonly Filter[]) =>
      pages(
        (next) =>
          call("ec2:DescribeSecurityGroups", "safe", () =>
            client().send(new DescribeSecurityGroupsCommand({ Filters: [...Filters], ...token(next) })),
          ),
        ({ SecurityGroups, NextToken }) => ({ items: SecurityGroups, next: NextToken }),
      ),
    subnets: async (ids: readonly string[]) =>
      (
        await call("ec2:DescribeSubnets", "safe", () =>
          client().send(new DescribeSubnetsCommand({ SubnetIds: [...ids] })),
        )
      ).Subnets ?? [],
    vpcs: () =>
      pages(
        (next) => call("ec2:DescribeVpcs", "safe", () => client().send(new DescribeVpcsCommand({ ...token(next) }))),
        ({ Vpcs, NextToken }) => ({ items: Vpcs, next: NextToken }),
      ),
  };
}
export type Ec2 = ReturnType<typeof ec2>;
