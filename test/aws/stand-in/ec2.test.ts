import {
  AllocateAddressCommand,
  AttachVolumeCommand,
  CreateInternetGatewayCommand,
  CreateLaunchTemplateCommand,
  CreateNetworkInterfaceCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVolumeCommand,
  CreateVpcCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DeleteVolumeCommand,
  DeleteVpcCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceStatusCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  GetConsoleOutputCommand,
  paginateDescribeInstances,
  RebootInstancesCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { AddRoleToInstanceProfileCommand, CreateInstanceProfileCommand, CreateRoleCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { imageOwners } from "./ec2/images.ts";
import { flatcarImage } from "./example.ts";
import { sdkOver } from "./sdk.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();
const sdk = () => sdkOver(started.standIn.client());
const ec2 = () => sdk().ec2;

const place = async (): Promise<{ readonly vpc: string; readonly subnet: string; readonly guard: string }> => {
  const vpc = (await ec2().send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }))).Vpc?.VpcId ?? "";
  const subnet =
    (
      await ec2().send(
        new CreateSubnetCommand({ VpcId: vpc, CidrBlock: "10.0.0.0/20", AvailabilityZone: "eu-central-1a" }),
      )
    ).Subnet?.SubnetId ?? "";
  const guard =
    (await ec2().send(new CreateSecurityGroupCommand({ GroupName: "guard", Description: "x", VpcId: vpc }))).GroupId ??
    "";
  return { vpc, subnet, guard };
};
const run = (more: Partial<RunInstancesCommandInput> = {}) =>
  ec2().send(
    new RunInstancesCommand({ ImageId: flatcarImage, InstanceType: "t3.small", MinCount: 1, MaxCount: 1, ...more }),
  );
const idOf = async (launch: ReturnType<typeof run>): Promise<string> =>
  (await launch).Instances?.[0]?.InstanceId ?? expect.fail("no instance");
const stateOf = async (id: string) => {
  const { Reservations: [one] = [] } = await ec2().send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return one?.Instances?.[0]?.State?.Name;
};
const pass = (seconds: number): Promise<void> => started.standIn.clock.advance(seconds * 1_000);

describe("a client token", () => {
  test("gives the same instance again, and refuses other parameters", async () => {
    const id = await idOf(run({ ClientToken: "t" }));
    expect(await idOf(run({ ClientToken: "t" }))).toBe(id);
    await expect(run({ ClientToken: "t", InstanceType: "t3.medium" })).rejects.toMatchObject({
      name: "IdempotentParameterMismatch",
    });
    expect(await idOf(run({ ClientToken: "u" }))).not.toBe(id);
  });

  test("of an instance that was terminated launches no other", async () => {
    const id = await idOf(run({ ClientToken: "t" }));
    await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await expect(run({ ClientToken: "t" })).rejects.toMatchObject({ name: "IdempotentInstanceTerminated" });
  });

  test("holds for volumes and launch templates, too", async () => {
    const volume = new CreateVolumeCommand({ AvailabilityZone: "eu-central-1a", Size: 1, ClientToken: "v" });
    const first = await ec2().send(volume);
    expect((await ec2().send(volume)).VolumeId).toBe(first.VolumeId);
    const template = (type: "t3.small" | "t3.medium") =>
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: "x",
        ClientToken: "l",
        LaunchTemplateData: { InstanceType: type },
      });
    const made = await ec2().send(template("t3.small"));
    expect((await ec2().send(template("t3.small"))).LaunchTemplate?.LaunchTemplateId).toBe(
      made.LaunchTemplate?.LaunchTemplateId,
    );
    await expect(ec2().send(template("t3.medium"))).rejects.toMatchObject({ name: "IdempotentParameterMismatch" });
  });
});

describe("a launch is refused", () => {
  test("with more than 16 KB of user data", async () => {
    const data = (bytes: number) => Buffer.alloc(bytes, "x").toString("base64");
    await expect(run({ UserData: data(16_385) })).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: "User data is limited to 16384 bytes",
    });
    expect(await idOf(run({ UserData: data(16_384) }))).toMatch(/^i-/);
  });

  test("with a profile that EC2 has not heard of yet, for some seconds, and with one that there is not", async () => {
    const { iam } = sdk();
    await iam.send(new CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument: "{}" }));
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: "p" }));
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: "p", RoleName: "r" }));
    const launch = (name: string) => run({ IamInstanceProfile: { Name: name } });
    const refused = {
      name: "InvalidParameterValue",
      message: "Value (p) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
    };
    await expect(launch("p")).rejects.toMatchObject(refused);
    await pass(11);
    expect(await idOf(launch("p"))).toMatch(/^i-/);
    await expect(launch("q")).rejects.toMatchObject({ name: "InvalidParameterValue" });
  });

  test("without capacity in the zone, beyond the quota, and of an image that there is not", async () => {
    const { standIn } = started;
    standIn.settings.noCapacity.add("eu-central-1a");
    await expect(run()).rejects.toMatchObject({ name: "InsufficientInstanceCapacity" });
    standIn.settings.noCapacity.clear();
    standIn.settings.quotas.vcpus = 3;
    await run();
    await expect(run()).rejects.toMatchObject({
      name: "VcpuLimitExceeded",
      message: expect.stringContaining("current vCPU limit of 3"),
    });
    await expect(run({ ImageId: "ami-0abc" })).rejects.toMatchObject({
      name: "InvalidAMIID.NotFound",
      message: "The image id '[ami-0abc]' does not exist",
    });
  });
});

describe("what something depends on stays", () => {
  test("a security group, a subnet, a network", async () => {
    const { vpc, subnet, guard } = await place();
    const id = await idOf(run({ SubnetId: subnet, SecurityGroupIds: [guard] }));
    const removals = [
      new DeleteSecurityGroupCommand({ GroupId: guard }),
      new DeleteSubnetCommand({ SubnetId: subnet }),
      new DeleteVpcCommand({ VpcId: vpc }),
    ] as const;
    await expect(ec2().send(removals[0])).rejects.toMatchObject({
      name: "DependencyViolation",
      message: `resource ${guard} has a dependent object`,
    });
    await expect(ec2().send(removals[1])).rejects.toMatchObject({
      name: "DependencyViolation",
      message: `The subnet '${subnet}' has dependencies and cannot be deleted.`,
    });
    await expect(ec2().send(removals[2])).rejects.toMatchObject({
      name: "DependencyViolation",
      message: `The vpc '${vpc}' has dependencies and cannot be deleted.`,
    });
    await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await expect(ec2().send(removals[0])).rejects.toMatchObject({ name: "DependencyViolation" });
    await pass(60);
    await ec2().send(removals[0]);
    await ec2().send(removals[1]);
    await ec2().send(removals[2]);
  });

  test("for as long as an interface takes to go", async () => {
    const { standIn } = started;
    const { subnet } = await place();
    standIn.settings.interfaceLingers = 600_000;
    const id = await idOf(run({ SubnetId: subnet }));
    await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await pass(500);
    expect(await stateOf(id)).toBe("terminated");
    await expect(ec2().send(new DeleteSubnetCommand({ SubnetId: subnet }))).rejects.toMatchObject({
      name: "DependencyViolation",
    });
    await pass(200);
    await ec2().send(new DeleteSubnetCommand({ SubnetId: subnet }));
  });
});

describe("an instance", () => {
  test("takes its time to run, to stop being, and is seen for an hour", async () => {
    const id = await idOf(run());
    expect(await stateOf(id)).toBe("pending");
    const running = { Filters: [{ Name: "instance-state-name", Values: ["running"] }] };
    expect((await ec2().send(new DescribeInstancesCommand(running))).Reservations).toEqual([]);
    await pass(20);
    expect((await ec2().send(new DescribeInstancesCommand(running))).Reservations).toHaveLength(1);
    const { TerminatingInstances: [change] = [] } = await ec2().send(
      new TerminateInstancesCommand({ InstanceIds: [id] }),
    );
    expect([change?.PreviousState?.Name, change?.CurrentState?.Name]).toEqual(["running", "shutting-down"]);
    await pass(60);
    expect(await stateOf(id)).toBe("terminated");
    await pass(3_700);
    expect((await ec2().send(new DescribeInstancesCommand({}))).Reservations).toEqual([]);
  });

  test("is rebooted without a change of its state, and passes its checks after a while", async () => {
    const { standIn } = started;
    const rebooted: string[] = [];
    standIn.nodes = { ...standIn.nodes, rebooted: (instance) => rebooted.push(instance.id) };
    const id = await idOf(run());
    await pass(20);
    const status = async () =>
      (await ec2().send(new DescribeInstanceStatusCommand({}))).InstanceStatuses?.map(
        (one) => one.InstanceStatus?.Status,
      );
    expect(await status()).toEqual(["initializing"]);
    await ec2().send(new RebootInstancesCommand({ InstanceIds: [id] }));
    expect(await stateOf(id)).toBe("running");
    await pass(120);
    expect(rebooted).toEqual([id]);
    expect(await status()).toEqual(["ok"]);
  });

  test("has what its node wrote to the console", async () => {
    const { standIn } = started;
    standIn.nodes = { ...standIn.nodes, booted: (instance) => (instance.console += "slipway-agent: no store\n") };
    const id = await idOf(run());
    await pass(20);
    const { Output: output = "" } = await ec2().send(new GetConsoleOutputCommand({ InstanceId: id }));
    expect(Buffer.from(output, "base64").toString()).toBe("slipway-agent: no store\n");
  });
});

describe("a volume", () => {
  test("is attached in its zone, once, and goes when nothing has it", async () => {
    const volumeIn = async (zone: string) =>
      (await ec2().send(new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1 }))).VolumeId ?? "";
    const { subnet } = await place();
    const id = await idOf(run({ SubnetId: subnet }));
    const [near, far] = [await volumeIn("eu-central-1a"), await volumeIn("eu-central-1b")];
    const attach = (VolumeId: string) =>
      ec2().send(new AttachVolumeCommand({ VolumeId, InstanceId: id, Device: "/dev/sdf" }));
    await expect(attach(near)).rejects.toMatchObject({ name: "IncorrectState" });
    await pass(20);
    await expect(attach(far)).rejects.toMatchObject({ name: "InvalidVolume.ZoneMismatch" });
    await attach(near);
    const seen = async () =>
      (await ec2().send(new DescribeVolumesCommand({ VolumeIds: [near] }))).Volumes?.[0]?.Attachments?.map(
        ({ State }) => State,
      );
    expect(await seen()).toEqual(["attaching"]);
    await pass(5);
    expect(await seen()).toEqual(["attached"]);
    await expect(attach(near)).rejects.toMatchObject({ name: "VolumeInUse" });
    await expect(ec2().send(new DeleteVolumeCommand({ VolumeId: near }))).rejects.toMatchObject({
      name: "VolumeInUse",
      message: `Volume ${near} is currently attached to ${id}`,
    });
    await ec2().send(new DetachVolumeCommand({ VolumeId: near }));
    expect(await seen()).toEqual(["detaching"]);
    await pass(10);
    expect(await seen()).toEqual([]);
    await ec2().send(new DeleteVolumeCommand({ VolumeId: near }));
  });

  test("that was attached to an instance outlives it", async () => {
    const { subnet } = await place();
    const id = await idOf(run({ SubnetId: subnet }));
    const volume =
      (await ec2().send(new CreateVolumeCommand({ AvailabilityZone: "eu-central-1a", Size: 1 }))).VolumeId ?? "";
    await pass(20);
    await ec2().send(new AttachVolumeCommand({ VolumeId: volume, InstanceId: id, Device: "/dev/sdf" }));
    await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await pass(60);
    const { Volumes: left = [] } = await ec2().send(new DescribeVolumesCommand({}));
    expect(left.map(({ VolumeId, State }) => [VolumeId, State])).toEqual([[volume, "available"]]);
  });
});

describe("limits and ranges", () => {
  test("of addresses and networks are AWS's", async () => {
    const { settings } = started.standIn;
    settings.quotas.addresses = 1;
    settings.quotas.vpcs = 2;
    await ec2().send(new AllocateAddressCommand({ Domain: "vpc" }));
    await expect(ec2().send(new AllocateAddressCommand({ Domain: "vpc" }))).rejects.toMatchObject({
      name: "AddressLimitExceeded",
      message: "The maximum number of addresses has been reached.",
    });
    const vpc = (CidrBlock: string) => ec2().send(new CreateVpcCommand({ CidrBlock }));
    await expect(vpc("10.0.0.1/16")).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(vpc("10.0.0.0/8")).rejects.toMatchObject({ name: "InvalidVpc.Range" });
    await vpc("10.0.0.0/16");
    await expect(vpc("10.1.0.0/16")).rejects.toMatchObject({
      name: "VpcLimitExceeded",
      message: "The maximum number of VPCs has been reached.",
    });
  });
});

describe("lists", () => {
  test("come in pages of one when a test says so, and the SDK's paginator reads them all", async () => {
    const ids = [await idOf(run()), await idOf(run()), await idOf(run())];
    started.standIn.settings.pageSize = 1;
    const found: string[] = [];
    let pages = 0;
    for await (const page of paginateDescribeInstances({ client: ec2() }, {})) {
      pages++;
      found.push(
        ...(page.Reservations ?? []).flatMap(({ Instances = [] }) =>
          Instances.map(({ InstanceId = "" }) => InstanceId),
        ),
      );
    }
    expect(found.toSorted()).toEqual(ids.toSorted());
    expect(pages).toBe(3);
  });

  test("do not have what is younger than a test says, and an id that young is not found", async () => {
    started.standIn.settings.visibleAfter = 30_000;
    const { subnet } = await place();
    await expect(ec2().send(new DescribeSubnetsCommand({ SubnetIds: [subnet] }))).rejects.toMatchObject({
      name: "InvalidSubnetID.NotFound",
      message: `The subnet ID '${subnet}' does not exist`,
    });
    const id = await idOf(run({ SubnetId: subnet }));
    expect((await ec2().send(new DescribeInstancesCommand({}))).Reservations).toEqual([]);
    await expect(stateOf(id)).rejects.toMatchObject({ name: "InvalidInstanceID.NotFound" });
    await pass(31);
    expect(await stateOf(id)).toBe("running");
    expect((await ec2().send(new DescribeSubnetsCommand({ SubnetIds: [subnet] }))).Subnets).toHaveLength(1);
  });

  test("of images have those of the projects, and one that looks like theirs if a test puts it there", async () => {
    const { images } = started.standIn.place().ec2;
    const find = (owners: readonly string[]) =>
      ec2().send(
        new DescribeImagesCommand({
          ...(owners.length === 0 ? {} : { Owners: [...owners] }),
          Filters: [{ Name: "name", Values: ["Flatcar-stable-*-hvm"] }],
        }),
      );
    expect((await find([imageOwners.flatcar])).Images?.map(({ ImageId }) => ImageId)).toContain(flatcarImage);
    const [model] = images;
    images.push({
      ...(model ?? expect.fail("no image")),
      id: "ami-0bad",
      owner: "666666666666",
      created: "2026-11-20T00:00:00.000Z",
    });
    expect((await find([])).Images?.some(({ ImageId }) => ImageId === "ami-0bad")).toBe(true);
    expect((await find([imageOwners.flatcar])).Images?.some(({ ImageId }) => ImageId === "ami-0bad")).toBe(false);
  });
});

test("an interface in use, and a gateway of a network, hold what they are on", async () => {
  const { vpc, subnet } = await place();
  await ec2().send(new CreateNetworkInterfaceCommand({ SubnetId: subnet }));
  await ec2().send(new CreateInternetGatewayCommand({}));
  await expect(ec2().send(new DeleteSubnetCommand({ SubnetId: subnet }))).rejects.toMatchObject({
    name: "DependencyViolation",
  });
  await expect(ec2().send(new DeleteVpcCommand({ VpcId: vpc }))).rejects.toMatchObject({ name: "DependencyViolation" });
});
