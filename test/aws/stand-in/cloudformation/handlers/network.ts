import type { Given } from "../../parameters.ts";
import { listAt, textAt } from "../../xml.ts";
import { type Context, type Handler, listIn, tagsOf, textIn } from "../handler.ts";
import type { Section } from "../template.ts";

function tagged(kind: string, properties: Section, context: Context): Given {
  return [{ ResourceType: kind, Tag: tagsOf(properties, context) }];
}

/** Tags as they are to be: the only thing of most types that changes in place. */
export async function retag(id: string, properties: Section, _before: Section, context: Context): Promise<undefined> {
  await context.ask("ec2", "CreateTags", { ResourceId: [id], Tag: tagsOf(properties, context) });
  return undefined;
}

const takes = (create: number, gone = create): Handler["takes"] => ({ create, update: 3, delete: gone });

export const networkHandlers = {
  "AWS::EC2::VPC": {
    takes: takes(12, 2),
    replacedBy: ["CidrBlock", "InstanceTenancy"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateVpc", {
        CidrBlock: textIn(properties, "CidrBlock"),
        TagSpecification: tagged("vpc", properties, context),
      });
      const id = textAt(answer, "vpc", "vpcId");
      for (const name of ["EnableDnsSupport", "EnableDnsHostnames"])
        if (textIn(properties, name) === "true")
          await context.ask("ec2", "ModifyVpcAttribute", { VpcId: id, [name]: { Value: true } });
      return { id, attributes: { VpcId: id, CidrBlock: textIn(properties, "CidrBlock") } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteVpc", { VpcId: id });
    },
  },
  "AWS::EC2::InternetGateway": {
    takes: takes(15, 2),
    replacedBy: [],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateInternetGateway", {
        TagSpecification: tagged("internet-gateway", properties, context),
      });
      const id = textAt(answer, "internetGateway", "internetGatewayId");
      return { id, attributes: { InternetGatewayId: id } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteInternetGateway", { InternetGatewayId: id });
    },
  },
  "AWS::EC2::VPCGatewayAttachment": {
    takes: takes(15, 10),
    replacedBy: ["VpcId"],
    async create(properties, context) {
      const [vpc, gateway] = [textIn(properties, "VpcId"), textIn(properties, "InternetGatewayId")];
      await context.ask("ec2", "AttachInternetGateway", { VpcId: vpc, InternetGatewayId: gateway });
      return { id: `IGW|${vpc}` };
    },
    async delete(_id, properties, context) {
      await context.ask("ec2", "DetachInternetGateway", {
        VpcId: textIn(properties, "VpcId"),
        InternetGatewayId: textIn(properties, "InternetGatewayId"),
      });
    },
  },
  "AWS::EC2::RouteTable": {
    takes: takes(11, 2),
    replacedBy: ["VpcId"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateRouteTable", {
        VpcId: textIn(properties, "VpcId"),
        TagSpecification: tagged("route-table", properties, context),
      });
      const id = textAt(answer, "routeTable", "routeTableId");
      return { id, attributes: { RouteTableId: id } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteRouteTable", { RouteTableId: id });
    },
  },
  "AWS::EC2::Route": {
    takes: takes(2, 2),
    replacedBy: ["RouteTableId", "DestinationCidrBlock"],
    async create(properties, context) {
      const table = textIn(properties, "RouteTableId");
      const to = textIn(properties, "DestinationCidrBlock");
      await context.ask("ec2", "CreateRoute", { RouteTableId: table, DestinationCidrBlock: to, ...wayOf(properties) });
      return { id: `${table}|${to}`, attributes: { CidrBlock: to } };
    },
    async update(_id, properties, _before, context) {
      await context.ask("ec2", "ReplaceRoute", {
        RouteTableId: textIn(properties, "RouteTableId"),
        DestinationCidrBlock: textIn(properties, "DestinationCidrBlock"),
        ...wayOf(properties),
      });
      return undefined;
    },
    async delete(_id, properties, context) {
      await context.ask("ec2", "DeleteRoute", {
        RouteTableId: textIn(properties, "RouteTableId"),
        DestinationCidrBlock: textIn(properties, "DestinationCidrBlock"),
      });
    },
  },
  "AWS::EC2::Subnet": {
    takes: takes(6, 2),
    replacedBy: ["VpcId", "CidrBlock", "AvailabilityZone"],
    async create(properties, context) {
      const zone = textIn(properties, "AvailabilityZone");
      const answer = await context.ask("ec2", "CreateSubnet", {
        VpcId: textIn(properties, "VpcId"),
        CidrBlock: textIn(properties, "CidrBlock"),
        AvailabilityZone: zone,
        TagSpecification: tagged("subnet", properties, context),
      });
      const id = textAt(answer, "subnet", "subnetId");
      return { id, attributes: { SubnetId: id, AvailabilityZone: zone, VpcId: textIn(properties, "VpcId") } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteSubnet", { SubnetId: id });
    },
  },
  "AWS::EC2::SubnetRouteTableAssociation": {
    takes: takes(2, 2),
    replacedBy: ["SubnetId"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "AssociateRouteTable", {
        SubnetId: textIn(properties, "SubnetId"),
        RouteTableId: textIn(properties, "RouteTableId"),
      });
      return { id: textAt(answer, "associationId") };
    },
    async delete(id, _properties, context) {
      await context.ask("ec2", "DisassociateRouteTable", { AssociationId: id });
    },
  },
  "AWS::EC2::EIP": {
    takes: takes(16, 3),
    replacedBy: ["Domain"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "AllocateAddress", {
        Domain: "vpc",
        TagSpecification: tagged("elastic-ip", properties, context),
      });
      const address = textAt(answer, "publicIp");
      return { id: address, attributes: { AllocationId: textAt(answer, "allocationId"), PublicIp: address } };
    },
    async delete(id, _properties, context) {
      const [one] = listAt(await context.ask("ec2", "DescribeAddresses", { PublicIp: [id] }), "addressesSet");
      const association = textAt(one, "associationId");
      if (association !== "") await context.ask("ec2", "DisassociateAddress", { AssociationId: association });
      await context.ask("ec2", "ReleaseAddress", { AllocationId: textAt(one, "allocationId") });
    },
  },
  "AWS::EC2::EIPAssociation": {
    takes: takes(3, 3),
    replacedBy: ["AllocationId", "NetworkInterfaceId", "InstanceId"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "AssociateAddress", {
        AllocationId: textIn(properties, "AllocationId"),
        NetworkInterfaceId: textIn(properties, "NetworkInterfaceId"),
      });
      return { id: textAt(answer, "associationId") };
    },
    async delete(id, _properties, context) {
      await context.ask("ec2", "DisassociateAddress", { AssociationId: id });
    },
  },
  "AWS::EC2::NatGateway": {
    takes: takes(100, 60),
    replacedBy: ["AllocationId", "SubnetId", "ConnectivityType"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateNatGateway", {
        AllocationId: textIn(properties, "AllocationId"),
        SubnetId: textIn(properties, "SubnetId"),
        TagSpecification: tagged("natgateway", properties, context),
      });
      const id = textAt(answer, "natGateway", "natGatewayId");
      return { id, attributes: { NatGatewayId: id } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteNatGateway", { NatGatewayId: id });
    },
  },
  "AWS::EC2::VPCEndpoint": {
    takes: takes(20, 20),
    replacedBy: ["ServiceName", "VpcId", "VpcEndpointType"],
    async create(properties, context) {
      const type = textIn(properties, "VpcEndpointType");
      const answer = await context.ask("ec2", "CreateVpcEndpoint", {
        VpcId: textIn(properties, "VpcId"),
        VpcEndpointType: type,
        ServiceName: textIn(properties, "ServiceName"),
        ...(type === "Gateway" ? { RouteTableId: listIn(properties, "RouteTableIds") } : {}),
        ...(type === "Interface"
          ? { SubnetId: listIn(properties, "SubnetIds"), SecurityGroupId: listIn(properties, "SecurityGroupIds") }
          : {}),
        TagSpecification: tagged("vpc-endpoint", properties, context),
      });
      const id = textAt(answer, "vpcEndpoint", "vpcEndpointId");
      return { id, attributes: { Id: id } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteVpcEndpoints", { VpcEndpointId: [id] });
    },
  },
  "AWS::EC2::SecurityGroup": {
    takes: takes(5, 3),
    replacedBy: ["GroupName", "GroupDescription", "VpcId"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateSecurityGroup", {
        GroupName: textIn(properties, "GroupName") || context.name(),
        GroupDescription: textIn(properties, "GroupDescription"),
        VpcId: textIn(properties, "VpcId"),
        TagSpecification: tagged("security-group", properties, context),
      });
      const id = textAt(answer, "groupId");
      return { id, attributes: { GroupId: id, VpcId: textIn(properties, "VpcId") } };
    },
    update: retag,
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteSecurityGroup", { GroupId: id });
    },
  },
  "AWS::EC2::SecurityGroupIngress": {
    takes: takes(1, 1),
    replacedBy: ["GroupId", "IpProtocol", "FromPort", "ToPort", "CidrIp", "SourceSecurityGroupId"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "AuthorizeSecurityGroupIngress", ruleOf(properties));
      const [rule] = listAt(answer, "securityGroupRuleSet");
      return { id: textAt(rule, "securityGroupRuleId") || context.logical };
    },
    async update() {
      return undefined;
    },
    async delete(_id, properties, context) {
      await context.ask("ec2", "RevokeSecurityGroupIngress", ruleOf(properties));
    },
    async drift(_id, properties, context) {
      const answer = await context.ask("ec2", "DescribeSecurityGroups", { GroupId: [textIn(properties, "GroupId")] });
      const [group] = listAt(answer, "securityGroupInfo");
      const there = listAt(group, "ipPermissions").some(
        (rule) =>
          textAt(rule, "ipProtocol") === textIn(properties, "IpProtocol") &&
          textAt(rule, "fromPort") === textIn(properties, "FromPort").replace(/^-1$/, textAt(rule, "fromPort")) &&
          (listAt(rule, "groups").some(
            (one) => textAt(one, "groupId") === textIn(properties, "SourceSecurityGroupId"),
          ) ||
            listAt(rule, "ipRanges").some((one) => textAt(one, "cidrIp") === textIn(properties, "CidrIp"))),
      );
      return there ? [] : "deleted";
    },
  },
} satisfies Record<string, Handler>;

function wayOf(properties: Section): { readonly [key: string]: string } {
  const gateway = textIn(properties, "GatewayId");
  const nat = textIn(properties, "NatGatewayId");
  return { ...(gateway === "" ? {} : { GatewayId: gateway }), ...(nat === "" ? {} : { NatGatewayId: nat }) };
}

function ruleOf(properties: Section): { readonly [key: string]: Given } {
  const source = textIn(properties, "SourceSecurityGroupId");
  const range = textIn(properties, "CidrIp");
  const description = textIn(properties, "Description");
  const [from, to] = [textIn(properties, "FromPort"), textIn(properties, "ToPort")];
  return {
    GroupId: textIn(properties, "GroupId"),
    IpPermissions: [
      {
        IpProtocol: textIn(properties, "IpProtocol"),
        ...(from === "" ? {} : { FromPort: from, ToPort: to }),
        ...(source === "" ? {} : { Groups: [{ GroupId: source, Description: description }] }),
        ...(range === "" ? {} : { IpRanges: [{ CidrIp: range, Description: description }] }),
      },
    ],
  };
}
