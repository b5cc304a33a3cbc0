import { Refusal } from "../../call.ts";
import type { Given } from "../../parameters.ts";
import { listAt, textAt } from "../../xml.ts";
import { type Context, type Handler, listIn, tagsOf, textIn } from "../handler.ts";
import type { Json, Section } from "../template.ts";
import { retag } from "./network.ts";

/** Names of lists in a template, and in EC2's own requests. */
const requestNames: Readonly<Record<string, string>> = {
  BlockDeviceMappings: "BlockDeviceMapping",
  Groups: "SecurityGroupId",
  NetworkInterfaces: "NetworkInterface",
  SecurityGroupIds: "SecurityGroupId",
  TagSpecifications: "TagSpecification",
  Tags: "Tag",
};

function requestOf(value: Json): Given {
  if (value === null) return "";
  if (typeof value !== "object") return value;
  if (isList(value)) return value.map(requestOf);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [requestNames[key] ?? key, requestOf(one)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function dataOf(properties: Section): Given {
  return requestOf(properties["LaunchTemplateData"] ?? {});
}

export const machineHandlers = {
  "AWS::EC2::LaunchTemplate": {
    takes: { create: 6, update: 5, delete: 2 },
    replacedBy: ["LaunchTemplateName"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateLaunchTemplate", {
        LaunchTemplateName: textIn(properties, "LaunchTemplateName") || context.name(),
        LaunchTemplateData: dataOf(properties),
        TagSpecification: [{ ResourceType: "launch-template", Tag: templateTags(properties, context) }],
      });
      const id = textAt(answer, "launchTemplate", "launchTemplateId");
      return { id, attributes: { LaunchTemplateId: id, LatestVersionNumber: "1", DefaultVersionNumber: "1" } };
    },
    async update(id, properties, before, context) {
      if (JSON.stringify(before["LaunchTemplateData"]) === JSON.stringify(properties["LaunchTemplateData"]))
        return undefined;
      const answer = await context.ask("ec2", "CreateLaunchTemplateVersion", {
        LaunchTemplateId: id,
        LaunchTemplateData: dataOf(properties),
      });
      const version = textAt(answer, "launchTemplateVersion", "versionNumber");
      return { LaunchTemplateId: id, LatestVersionNumber: version, DefaultVersionNumber: "1" };
    },
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteLaunchTemplate", { LaunchTemplateId: id });
    },
  },
  "AWS::EC2::NetworkInterface": {
    takes: { create: 3, update: 3, delete: 3 },
    replacedBy: ["SubnetId", "PrivateIpAddress"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateNetworkInterface", {
        SubnetId: textIn(properties, "SubnetId"),
        Description: textIn(properties, "Description"),
        ...plain(properties, ["PrivateIpAddress"]),
        SecurityGroupId: listIn(properties, "GroupSet"),
        TagSpecification: [{ ResourceType: "network-interface", Tag: tagsOf(properties, context) }],
      });
      const id = textAt(answer, "networkInterface", "networkInterfaceId");
      return {
        id,
        attributes: { Id: id, PrimaryPrivateIpAddress: textAt(answer, "networkInterface", "privateIpAddress") },
      };
    },
    async update(id, properties, before, context) {
      if (JSON.stringify(before["GroupSet"]) !== JSON.stringify(properties["GroupSet"]))
        await context.ask("ec2", "ModifyNetworkInterfaceAttribute", {
          NetworkInterfaceId: id,
          SecurityGroupId: listIn(properties, "GroupSet"),
        });
      return retag(id, properties, before, context);
    },
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteNetworkInterface", { NetworkInterfaceId: id });
    },
  },
  "AWS::EC2::Volume": {
    takes: { create: 10, update: 20, delete: 5 },
    replacedBy: ["AvailabilityZone", "Encrypted", "KmsKeyId", "SnapshotId"],
    async create(properties, context) {
      const answer = await context.ask("ec2", "CreateVolume", {
        ...plain(properties, ["AvailabilityZone", "Encrypted", "KmsKeyId", "VolumeType", "Size", "Iops", "Throughput"]),
        TagSpecification: [{ ResourceType: "volume", Tag: tagsOf(properties, context) }],
      });
      const id = textAt(answer, "volumeId");
      return { id, attributes: { VolumeId: id } };
    },
    async update(id, properties, before, context) {
      const changed = ["Size", "VolumeType", "Iops", "Throughput"].filter(
        (name) => textIn(properties, name) !== textIn(before, name),
      );
      if (Number(textIn(properties, "Size")) < Number(textIn(before, "Size")))
        throw new Refusal("InvalidParameterValue", "New size cannot be smaller than existing size");
      if (changed.length > 0) await context.ask("ec2", "ModifyVolume", { VolumeId: id, ...plain(properties, changed) });
      return retag(id, properties, before, context);
    },
    async delete(id, _properties, context) {
      await context.ask("ec2", "DeleteVolume", { VolumeId: id });
    },
    async drift(id, properties, context) {
      const answer = await context.ask("ec2", "DescribeVolumes", { Filter: [{ Name: "volume-id", Value: [id] }] });
      const [volume] = listAt(answer, "volumeSet");
      if (volume === undefined) return "deleted";
      return [{ path: "/Size", expected: textIn(properties, "Size"), actual: textAt(volume, "size") }].filter(
        ({ expected, actual }) => expected !== actual,
      );
    },
  },
} satisfies Record<string, Handler>;

function templateTags(
  properties: Section,
  context: Context,
): readonly { readonly Key: string; readonly Value: string }[] {
  const [specification] = listIn(properties, "TagSpecifications").map((one) => one as unknown as Section);
  return tagsOf({ Tags: specification?.["Tags"] ?? [] }, context);
}

function plain(properties: Section, names: readonly string[]): { readonly [key: string]: string } {
  return Object.fromEntries(
    names.flatMap((name) => (textIn(properties, name) === "" ? [] : [[name, textIn(properties, name)]])),
  );
}
