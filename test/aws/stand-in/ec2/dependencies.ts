import { Refusal } from "../call.ts";
import { type Parameters, said } from "../parameters.ts";
import type { Place } from "../place.ts";
import { listAt, textAt } from "../xml.ts";

/** What stands in the way of a removal; moto removes all the same. Codes: EC2 API reference, "Error codes"; messages from memory. */
export async function refuseWhileNeeded(place: Place, action: string, parameters: Parameters): Promise<void> {
  const { backend } = place;
  const ids = async (
    list: string,
    set: string,
    id: string,
    filter: string,
    value: string,
  ): Promise<readonly string[]> =>
    listAt(await backend.ask("ec2", list, { Filter: [{ Name: filter, Value: [value] }] }), set).map((one) =>
      textAt(one, id),
    );
  const interfaces = (filter: string, value: string): Promise<readonly string[]> =>
    ids("DescribeNetworkInterfaces", "networkInterfaceSet", "networkInterfaceId", filter, value);
  const violated = (message: string): Refusal => new Refusal("DependencyViolation", message);

  switch (action) {
    case "DeleteSecurityGroup": {
      const id = said(parameters, "GroupId");
      const users = await interfaces("group-id", id);
      const naming = (
        await ids("DescribeSecurityGroups", "securityGroupInfo", "groupId", "ip-permission.group-id", id)
      ).filter((other) => other !== id);
      if (users.length > 0 || naming.length > 0) throw violated(`resource ${id} has a dependent object`);
      return;
    }
    case "DeleteSubnet": {
      const id = said(parameters, "SubnetId");
      if ((await interfaces("subnet-id", id)).length > 0)
        throw violated(`The subnet '${id}' has dependencies and cannot be deleted.`);
      return;
    }
    case "DeleteVpc": {
      const id = said(parameters, "VpcId");
      const inside = [
        ...(await ids("DescribeSubnets", "subnetSet", "subnetId", "vpc-id", id)),
        ...(await ids("DescribeInternetGateways", "internetGatewaySet", "internetGatewayId", "attachment.vpc-id", id)),
        ...listAt(
          await backend.ask("ec2", "DescribeSecurityGroups", { Filter: [{ Name: "vpc-id", Value: [id] }] }),
          "securityGroupInfo",
        )
          .filter((one) => textAt(one, "groupName") !== "default")
          .map((one) => textAt(one, "groupId")),
      ];
      if (inside.length > 0) throw violated(`The vpc '${id}' has dependencies and cannot be deleted.`);
      return;
    }
    case "DetachInternetGateway": {
      const vpc = said(parameters, "VpcId");
      const found = await backend.ask("ec2", "DescribeNetworkInterfaces", {
        Filter: [{ Name: "vpc-id", Value: [vpc] }],
      });
      if (listAt(found, "networkInterfaceSet").some((one) => textAt(one, "association", "publicIp") !== ""))
        throw violated(
          `Network ${vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.`,
        );
      return;
    }
    case "DeleteInternetGateway": {
      const id = said(parameters, "InternetGatewayId");
      const [gateway] = listAt(
        await backend.ask("ec2", "DescribeInternetGateways", { InternetGatewayId: [id] }),
        "internetGatewaySet",
      );
      if (listAt(gateway, "attachmentSet").length > 0)
        throw violated(`The internetGateway '${id}' has dependencies and cannot be deleted.`);
      return;
    }
    case "DeleteRouteTable": {
      const id = said(parameters, "RouteTableId");
      const [table] = listAt(await backend.ask("ec2", "DescribeRouteTables", { RouteTableId: [id] }), "routeTableSet");
      if (listAt(table, "associationSet").some((one) => textAt(one, "subnetId") !== ""))
        throw violated(`The routeTable '${id}' has dependencies and cannot be deleted.`);
      return;
    }
    case "DeleteVolume": {
      const id = said(parameters, "VolumeId");
      const [volume] = listAt(await backend.ask("ec2", "DescribeVolumes", { VolumeId: [id] }), "volumeSet");
      const [holder] = listAt(volume, "attachmentSet");
      if (holder !== undefined)
        throw new Refusal("VolumeInUse", `Volume ${id} is currently attached to ${textAt(holder, "instanceId")}`);
      return;
    }
    case "DeleteNetworkInterface": {
      const id = said(parameters, "NetworkInterfaceId");
      const [one] = listAt(
        await backend.ask("ec2", "DescribeNetworkInterfaces", { NetworkInterfaceId: [id] }),
        "networkInterfaceSet",
      );
      if (one !== undefined && textAt(one, "status") === "in-use")
        throw new Refusal("InvalidParameterValue", `Network interface '${id}' is currently in use.`);
      return;
    }
    case "ReleaseAddress": {
      const id = said(parameters, "AllocationId");
      const [one] = listAt(await backend.ask("ec2", "DescribeAddresses", { AllocationId: [id] }), "addressesSet");
      if (one !== undefined && textAt(one, "associationId") !== "")
        throw new Refusal("InvalidIPAddress.InUse", `Address ${textAt(one, "publicIp")} is in use.`);
      return;
    }
    default:
      return;
  }
}
