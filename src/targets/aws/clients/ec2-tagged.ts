import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeLaunchTemplatesCommand,
  DescribeNatGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  type EC2Client,
  type Filter,
} from "@aws-sdk/client-ec2";
import type { Caller } from "./caller.ts";
import { pages } from "./settings.ts";

type Page = { readonly ids: readonly (string | undefined)[]; readonly next: string | undefined };
type Ask = (client: EC2Client, given: { readonly Filters: Filter[]; readonly NextToken?: string }) => Promise<Page>;

/** What is being taken away, or is only remembered, is not there for who looks for what is left; `deleting` still is. */
const over = /^(?:deleted|terminated)$/;

/** How each kind of thing is asked for, under EC2's own word for it in a list of tags. */
const kinds: Readonly<Record<string, { readonly action: string; readonly ask: Ask }>> = {
  "elastic-ip": {
    action: "ec2:DescribeAddresses",
    ask: async (client, { Filters }) => {
      const { Addresses = [] } = await client.send(new DescribeAddressesCommand({ Filters }));
      return { ids: Addresses.map(({ AllocationId }) => AllocationId), next: undefined };
    },
  },
  instance: {
    action: "ec2:DescribeInstances",
    ask: async (client, given) => {
      const { Reservations = [], NextToken: next } = await client.send(new DescribeInstancesCommand(given));
      const found = Reservations.flatMap(({ Instances = [] }) => Instances);
      return {
        ids: found.filter(({ State }) => !over.test(State?.Name ?? "")).map(({ InstanceId }) => InstanceId),
        next,
      };
    },
  },
  "internet-gateway": {
    action: "ec2:DescribeInternetGateways",
    ask: async (client, given) => {
      const { InternetGateways = [], NextToken: next } = await client.send(new DescribeInternetGatewaysCommand(given));
      return { ids: InternetGateways.map(({ InternetGatewayId }) => InternetGatewayId), next };
    },
  },
  "launch-template": {
    action: "ec2:DescribeLaunchTemplates",
    ask: async (client, given) => {
      const { LaunchTemplates = [], NextToken: next } = await client.send(new DescribeLaunchTemplatesCommand(given));
      return { ids: LaunchTemplates.map(({ LaunchTemplateId }) => LaunchTemplateId), next };
    },
  },
  natgateway: {
    action: "ec2:DescribeNatGateways",
    ask: async (client, { Filters, ...given }) => {
      const { NatGateways = [], NextToken: next } = await client.send(
        new DescribeNatGatewaysCommand({ Filter: Filters, ...given }),
      );
      return {
        ids: NatGateways.filter(({ State = "" }) => !over.test(State)).map(({ NatGatewayId }) => NatGatewayId),
        next,
      };
    },
  },
  "network-interface": {
    action: "ec2:DescribeNetworkInterfaces",
    ask: async (client, given) => {
      const { NetworkInterfaces = [], NextToken: next } = await client.send(
        new DescribeNetworkInterfacesCommand(given),
      );
      return { ids: NetworkInterfaces.map(({ NetworkInterfaceId }) => NetworkInterfaceId), next };
    },
  },
  "route-table": {
    action: "ec2:DescribeRouteTables",
    ask: async (client, given) => {
      const { RouteTables = [], NextToken: next } = await client.send(new DescribeRouteTablesCommand(given));
      return { ids: RouteTables.map(({ RouteTableId }) => RouteTableId), next };
    },
  },
  "security-group": {
    action: "ec2:DescribeSecurityGroups",
    ask: async (client, given) => {
      const { SecurityGroups = [], NextToken: next } = await client.send(new DescribeSecurityGroupsCommand(given));
      return { ids: SecurityGroups.map(({ GroupId }) => GroupId), next };
    },
  },
  snapshot: {
    action: "ec2:DescribeSnapshots",
    ask: async (client, given) => {
      const { Snapshots = [], NextToken: next } = await client.send(
        new DescribeSnapshotsCommand({ OwnerIds: ["self"], ...given }),
      );
      return { ids: Snapshots.map(({ SnapshotId }) => SnapshotId), next };
    },
  },
  subnet: {
    action: "ec2:DescribeSubnets",
    ask: async (client, given) => {
      const { Subnets = [], NextToken: next } = await client.send(new DescribeSubnetsCommand(given));
      return { ids: Subnets.map(({ SubnetId }) => SubnetId), next };
    },
  },
  volume: {
    action: "ec2:DescribeVolumes",
    ask: async (client, given) => {
      const { Volumes = [], NextToken: next } = await client.send(new DescribeVolumesCommand(given));
      return { ids: Volumes.map(({ VolumeId }) => VolumeId), next };
    },
  },
  vpc: {
    action: "ec2:DescribeVpcs",
    ask: async (client, given) => {
      const { Vpcs = [], NextToken: next } = await client.send(new DescribeVpcsCommand(given));
      return { ids: Vpcs.map(({ VpcId }) => VpcId), next };
    },
  },
  "vpc-endpoint": {
    action: "ec2:DescribeVpcEndpoints",
    ask: async (client, given) => {
      const { VpcEndpoints = [], NextToken: next } = await client.send(new DescribeVpcEndpointsCommand(given));
      return {
        ids: VpcEndpoints.filter(({ State = "" }) => !over.test(State)).map(({ VpcEndpointId }) => VpcEndpointId),
        next,
      };
    },
  },
};

/** Ids of the things of a kind that bear a tag and are there now; undefined: nobody knows how to ask for such things. */
export async function idsOfKind(
  kind: string,
  [key, value]: readonly [string, string],
  client: () => EC2Client,
  call: Caller,
): Promise<ReadonlySet<string> | undefined> {
  const found = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (found === undefined) return undefined;
  const Filters = [{ Name: `tag:${key}`, Values: [value] }];
  const ids = await pages(
    (NextToken) =>
      call(found.action, "safe", () =>
        found.ask(client(), { Filters, ...(NextToken === undefined ? {} : { NextToken }) }),
      ),
    (page) => ({ items: page.ids, next: page.next }),
  );
  return new Set(ids.filter((id) => id !== undefined));
}
