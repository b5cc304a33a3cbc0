import { allPages, type AwsQuery, type Element } from "./query.ts";

export type Ec2Instance = {
  readonly id: string;
  /** EC2's own words: pending, running, shutting-down, terminated, stopping, stopped. */
  readonly state: string;
  /** The private address of its first interface; empty once it is terminated. */
  readonly address: string;
  readonly tags: ReadonlyMap<string, string>;
};
export type Ec2Disk = {
  readonly id: string;
  readonly state: string;
  readonly attached: { readonly instance: string; readonly device: string; readonly state: string } | undefined;
};
export type Ec2Interface = {
  readonly id: string;
  readonly address: string;
  readonly mac: string;
  readonly subnet: string;
  readonly attached: { readonly instance: string; readonly state: string } | undefined;
};

/** What nodes ask of EC2 and Auto Scaling. Every list is whole or an error. */
export interface Ec2 {
  /** All instances that bear the tag, also those that are terminated and still listed. */
  instances(tag: string, value: string): Promise<readonly Ec2Instance[]>;
  /** Auto Scaling's word for each instance of the groups that bear the tag, such as InService or Terminating:Wait. */
  lifecycle(tag: string, value: string): Promise<ReadonlyMap<string, string>>;
  disk(id: string): Promise<Ec2Disk>;
  /** The disks that are attached to an instance. */
  disksOf(instance: string): Promise<readonly Ec2Disk[]>;
  attachDisk(id: string, instance: string, device: string): Promise<void>;
  networkInterface(id: string): Promise<Ec2Interface>;
  attachInterface(id: string, instance: string): Promise<void>;
}

/** As many as EC2 gives on a page. */
const pageSize = 1_000;
/** As many as Auto Scaling gives on a page. */
const groupPage = 100;

export function ec2(calls: { readonly ec2: AwsQuery; readonly autoscaling: AwsQuery }): Ec2 {
  const one = async (action: string, parameter: string, id: string, ...way: readonly string[]): Promise<Element> => {
    const answer = await calls.ec2(action, { [`${parameter}.1`]: id });
    const [found] = answer.list(...way);
    if (found === undefined) throw new Error(`EC2 does not know ${id}`);
    return found;
  };
  return {
    instances: (tag, value) =>
      allPages(
        (token) =>
          calls.ec2("DescribeInstances", {
            "Filter.1.Name": `tag:${tag}`,
            "Filter.1.Value.1": value,
            MaxResults: pageSize,
            NextToken: token,
          }),
        (page) =>
          page.list("reservationSet").flatMap((reservation) => reservation.list("instancesSet").map(instanceOf)),
        (page) => page.text("nextToken"),
      ),
    async lifecycle(tag, value) {
      const found = await allPages(
        (token) =>
          calls.autoscaling("DescribeAutoScalingGroups", {
            "Filters.member.1.Name": `tag:${tag}`,
            "Filters.member.1.Values.member.1": value,
            MaxRecords: groupPage,
            NextToken: token,
          }),
        (page) =>
          page
            .list("DescribeAutoScalingGroupsResult", "AutoScalingGroups")
            .flatMap((group) => group.list("Instances"))
            .map((instance) => [instance.text("InstanceId"), instance.text("LifecycleState")] as const),
        (page) => page.text("DescribeAutoScalingGroupsResult", "NextToken"),
      );
      return new Map(found);
    },
    disk: async (id) => diskOf(await one("DescribeVolumes", "VolumeId", id, "volumeSet")),
    disksOf: (instance) =>
      allPages(
        (token) =>
          calls.ec2("DescribeVolumes", {
            "Filter.1.Name": "attachment.instance-id",
            "Filter.1.Value.1": instance,
            NextToken: token,
          }),
        (page) => page.list("volumeSet").map(diskOf),
        (page) => page.text("nextToken"),
      ),
    async attachDisk(id, instance, device) {
      await calls.ec2("AttachVolume", { VolumeId: id, InstanceId: instance, Device: device });
    },
    async networkInterface(id) {
      const found = await one("DescribeNetworkInterfaces", "NetworkInterfaceId", id, "networkInterfaceSet");
      const instance = found.text("attachment", "instanceId");
      return {
        id,
        address: found.text("privateIpAddress"),
        mac: found.text("macAddress"),
        subnet: found.text("subnetId"),
        attached: instance === "" ? undefined : { instance, state: found.text("attachment", "status") },
      };
    },
    async attachInterface(id, instance) {
      await calls.ec2("AttachNetworkInterface", { NetworkInterfaceId: id, InstanceId: instance, DeviceIndex: 1 });
    },
  };
}

function instanceOf(item: Element): Ec2Instance {
  return {
    id: item.text("instanceId"),
    state: item.text("instanceState", "name"),
    address: item.text("privateIpAddress"),
    tags: new Map(item.list("tagSet").map((tag) => [tag.text("key"), tag.text("value")])),
  };
}

function diskOf(item: Element): Ec2Disk {
  const [attachment] = item.list("attachmentSet");
  return {
    id: item.text("volumeId"),
    state: item.text("status"),
    attached:
      attachment === undefined
        ? undefined
        : {
            instance: attachment.text("instanceId"),
            device: attachment.text("device"),
            state: attachment.text("status"),
          },
  };
}
