import type { Backend } from "../moto.ts";
import { at, type Element, listAt, textAt } from "../xml.ts";

/** How things of each kind are asked for, by the prefix of their ids. */
const asked: Readonly<Record<string, { readonly action: string; readonly list: string; readonly id: string }>> = {
  eipalloc: { action: "DescribeAddresses", list: "addressesSet", id: "allocationId" },
  eni: { action: "DescribeNetworkInterfaces", list: "networkInterfaceSet", id: "networkInterfaceId" },
  igw: { action: "DescribeInternetGateways", list: "internetGatewaySet", id: "internetGatewayId" },
  lt: { action: "DescribeLaunchTemplates", list: "launchTemplates", id: "launchTemplateId" },
  nat: { action: "DescribeNatGateways", list: "natGatewaySet", id: "natGatewayId" },
  rtb: { action: "DescribeRouteTables", list: "routeTableSet", id: "routeTableId" },
  sg: { action: "DescribeSecurityGroups", list: "securityGroupInfo", id: "groupId" },
  snap: { action: "DescribeSnapshots", list: "snapshotSet", id: "snapshotId" },
  subnet: { action: "DescribeSubnets", list: "subnetSet", id: "subnetId" },
  vol: { action: "DescribeVolumes", list: "volumeSet", id: "volumeId" },
  vpc: { action: "DescribeVpcs", list: "vpcSet", id: "vpcId" },
  vpce: { action: "DescribeVpcEndpoints", list: "vpcEndpointSet", id: "vpcEndpointId" },
};

/** Leaves out of moto's tags those of what is gone: moto keeps them for ever. */
export async function withoutGone(
  backend: Backend,
  tags: Element,
  isSeen: (instance: string) => boolean,
): Promise<void> {
  const list = at(tags, "tagSet");
  if (list === undefined) return;
  const prefixes = new Set(list.children.map((tag) => textAt(tag, "resourceId").split("-")[0] ?? ""));
  const there = new Set<string>();
  for (const prefix of prefixes) {
    const way = asked[prefix];
    if (way === undefined) continue;
    for (const item of listAt(await backend.ask("ec2", way.action), way.list))
      if (textAt(item, "state") !== "deleted") there.add(textAt(item, way.id));
  }
  const kept = list.children.filter((tag) => {
    const id = textAt(tag, "resourceId");
    const prefix = id.split("-")[0] ?? "";
    return prefix === "i" ? isSeen(id) : asked[prefix] === undefined || there.has(id);
  });
  list.children.splice(0, list.children.length, ...kept);
}
