import {
  CompleteLifecycleActionCommand,
  DescribeAutoScalingGroupsCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from "@aws-sdk/client-auto-scaling";
import {
  CancelUpdateStackCommand,
  ContinueUpdateRollbackCommand,
  DeleteStackCommand,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DescribeStacksCommand,
  DetectStackDriftCommand,
  UpdateStackCommand,
} from "@aws-sdk/client-cloudformation";
import {
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  ModifyVolumeCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { rested } from "./example.ts";
import { obedientNodes } from "./nodes.ts";
import { sdkOver } from "./sdk.ts";
import { eventsOf, group, made, network, type Resources, templateWith, updated } from "./small.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();
const sdk = () => sdkOver(started.standIn.client());

const members = async (): Promise<readonly string[]> => {
  const { AutoScalingGroups: [one] = [] } = await sdk().autoscaling.send(new DescribeAutoScalingGroupsCommand({}));
  return one?.Instances?.map(({ InstanceId: id = "" }) => id) ?? [];
};
const typesOf = async (ids: readonly string[]) => {
  const { Reservations: all = [] } = await sdk().ec2.send(new DescribeInstancesCommand({ InstanceIds: [...ids] }));
  return all.flatMap(({ Instances = [] }) => Instances.map(({ InstanceType }) => InstanceType));
};
const volume = (size: number): Resources => ({
  Volume: { Type: "AWS::EC2::Volume", Properties: { AvailabilityZone: "eu-central-1a", Size: size } },
});

describe("an update", () => {
  test("of a launch template replaces a rolling group's instances, one batch after the other", async () => {
    const { standIn } = started;
    expect(await made(standIn, group({ count: 2, rolling: true }))).toBe("CREATE_COMPLETE");
    const before = await members();
    expect(await updated(standIn, group({ count: 2, rolling: true, type: "t3.medium" }))).toBe("UPDATE_COMPLETE");
    const after = await members();
    expect(after).toHaveLength(2);
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await typesOf(after)).toEqual(["t3.medium", "t3.medium"]);
    expect((await eventsOf(standIn)).filter((line) => line.includes("Terminating instance(s)"))).toHaveLength(2);
  });

  test("replaces no instance of a group without an update policy", async () => {
    const { standIn } = started;
    await made(standIn, group());
    const before = await members();
    expect(await updated(standIn, group({ type: "t3.medium" }))).toBe("UPDATE_COMPLETE");
    expect(await members()).toEqual(before);
  });

  test("whose new instances fail is rolled back, and its group has what it had", async () => {
    const { standIn } = started;
    await made(standIn, group({ count: 1, rolling: true }));
    standIn.nodes = obedientNodes(standIn, { says: ({ type }) => (type === "t3.medium" ? "FAILURE" : "SUCCESS") });
    expect(await updated(standIn, group({ count: 1, rolling: true, type: "t3.medium" }))).toBe(
      "UPDATE_ROLLBACK_COMPLETE",
    );
    const { AutoScalingGroups: [one] = [] } = await sdk().autoscaling.send(new DescribeAutoScalingGroupsCommand({}));
    expect(one?.SuspendedProcesses).toEqual([]);
    expect(await eventsOf(standIn)).toContain(
      "Group UPDATE_FAILED: Received 1 FAILURE signal(s) out of 1.  Unable to satisfy 100% MinSuccessfulInstancesPercent requirement",
    );
  });

  test("that replaces something makes the new one first, and removes the old one at the end", async () => {
    const { standIn } = started;
    await made(standIn, { Vpc: network["Vpc"] ?? {} });
    expect(await updated(standIn, { Vpc: { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.9.0.0/16" } } })).toBe(
      "UPDATE_COMPLETE",
    );
    const events = await eventsOf(standIn);
    const [created, cleanup, deleted] = [
      "Vpc UPDATE_COMPLETE",
      "small UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
      "Vpc DELETE_COMPLETE",
    ].map((line) => events.indexOf(line));
    expect(created).toBeGreaterThan(0);
    expect(cleanup).toBeGreaterThan(created ?? 0);
    expect(deleted).toBeGreaterThan(cleanup ?? 0);
    const { Vpcs: vpcs = [] } = await sdk().ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "isDefault", Values: ["false"] }] }),
    );
    expect(vpcs.map(({ CidrBlock }) => CidrBlock)).toEqual(["10.9.0.0/16"]);
  });

  test("that changes nothing is refused in AWS's words", async () => {
    await made(started.standIn, network);
    await expect(updated(started.standIn, network)).rejects.toMatchObject({
      name: "ValidationError",
      message: "No updates are to be performed.",
    });
  });

  test("that is cancelled is rolled back", async () => {
    const { standIn } = started;
    const logs = (days: number): Resources => ({
      Logs: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "small", RetentionInDays: days } },
    });
    await made(standIn, logs(1));
    const { cloudformation } = sdk();
    const next = templateWith({ ...logs(3), ...network });
    await cloudformation.send(new UpdateStackCommand({ StackName: "small", TemplateBody: next }));
    await standIn.clock.advance(5_000);
    await cloudformation.send(new CancelUpdateStackCommand({ StackName: "small" }));
    expect(await rested(standIn, "small")).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect(await eventsOf(standIn)).toContain("Vpc DELETE_COMPLETE");
    expect(await updated(standIn, logs(3))).toBe("UPDATE_COMPLETE");
  });

  test("that has made a disk larger cannot be rolled back: disks do not shrink", async () => {
    const { standIn } = started;
    await made(standIn, volume(1));
    standIn.faults.resource("Vpc", "create");
    const next = { ...volume(2), Vpc: { ...(network["Vpc"] as object), DependsOn: "Volume" } };
    expect(await updated(standIn, next)).toBe("UPDATE_ROLLBACK_FAILED");
  });
});

describe("UPDATE_ROLLBACK_FAILED", () => {
  /** An update that fails at one resource while another, already changed, will not be changed back. */
  const stuck = async (): Promise<void> => {
    const { standIn } = started;
    const resources = (size: number): Resources => ({
      ...network,
      Subnet: { ...(network["Subnet"] as object), Type: "AWS::EC2::Subnet" },
      Policy: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: "small", RetentionInDays: size } },
    });
    expect(await made(standIn, resources(1))).toBe("CREATE_COMPLETE");
    const next = {
      ...resources(3),
      Last: { Type: "AWS::EC2::VPC", DependsOn: "Policy", Properties: { CidrBlock: "10.3.0.0/16" } },
    };
    standIn.faults.resource("Last", "create", { reason: "no more" });
    // The first update of it succeeds: what is planted is met when it is changed back.
    const { cloudformation } = sdk();
    await cloudformation.send(new UpdateStackCommand({ StackName: "small", TemplateBody: templateWith(next) }));
    await standIn.clock.advance(9_000);
    standIn.faults.resource("Policy", "update", { reason: "it will not be changed back" });
    expect(await rested(standIn, "small")).toBe("UPDATE_ROLLBACK_FAILED");
  };

  test("is left by ContinueUpdateRollback, when its cause has gone", async () => {
    await stuck();
    const { standIn } = started;
    const { cloudformation } = sdk();
    expect(await eventsOf(standIn)).toContain("Policy UPDATE_FAILED: it will not be changed back");
    const update = new UpdateStackCommand({ StackName: "small", TemplateBody: templateWith(network) });
    await expect(cloudformation.send(update)).rejects.toMatchObject({
      message: expect.stringContaining("is in UPDATE_ROLLBACK_FAILED state and can not be updated"),
    });
    await cloudformation.send(new ContinueUpdateRollbackCommand({ StackName: "small" }));
    expect(await rested(standIn, "small")).toBe("UPDATE_ROLLBACK_COMPLETE");
  });

  test("is left with ResourcesToSkip, when it has not", async () => {
    await stuck();
    const { standIn } = started;
    standIn.faults.resource("Policy", "update", { times: 9 });
    const { cloudformation } = sdk();
    await cloudformation.send(new ContinueUpdateRollbackCommand({ StackName: "small" }));
    expect(await rested(standIn, "small")).toBe("UPDATE_ROLLBACK_FAILED");
    await cloudformation.send(new ContinueUpdateRollbackCommand({ StackName: "small", ResourcesToSkip: ["Policy"] }));
    expect(await rested(standIn, "small")).toBe("UPDATE_ROLLBACK_COMPLETE");
    expect(await eventsOf(standIn)).toContain("Policy UPDATE_COMPLETE: Resource was skipped during rollback");
  });
});

test("a deletion fails at what will not go, and at what is held by it", async () => {
  const { standIn } = started;
  await made(standIn, network);
  standIn.faults.resource("Subnet", "delete", { reason: "held" });
  const { cloudformation } = sdk();
  await cloudformation.send(new DeleteStackCommand({ StackName: "small" }));
  expect(await rested(standIn, "small")).toBe("DELETE_FAILED");
  expect((await eventsOf(standIn)).at(-1)).toBe(
    "small DELETE_FAILED: The following resource(s) failed to delete: [Subnet, Vpc]. ",
  );
  await cloudformation.send(new DeleteStackCommand({ StackName: "small", RetainResources: ["Subnet"] }));
  // The network is still held by the subnet that stays.
  expect(await rested(standIn, "small")).toBe("DELETE_FAILED");
});

test("drift is found in what was changed past the stack", async () => {
  const { standIn } = started;
  await made(standIn, volume(1));
  const { cloudformation, ec2 } = sdk();
  const { Volumes: [one] = [] } = await ec2.send(new DescribeVolumesCommand({}));
  await ec2.send(new ModifyVolumeCommand({ VolumeId: one?.VolumeId, Size: 5 }));
  const { StackDriftDetectionId } = await cloudformation.send(new DetectStackDriftCommand({ StackName: "small" }));
  const ask = () => cloudformation.send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId }));
  expect((await ask()).DetectionStatus).toBe("DETECTION_IN_PROGRESS");
  await standIn.clock.advance(30_000);
  expect(await ask()).toMatchObject({ DetectionStatus: "DETECTION_COMPLETE", StackDriftStatus: "DRIFTED" });
  const { StackResourceDrifts: drifts } = await cloudformation.send(
    new DescribeStackResourceDriftsCommand({ StackName: "small" }),
  );
  expect(drifts?.[0]).toMatchObject({
    LogicalResourceId: "Volume",
    StackResourceDriftStatus: "MODIFIED",
    PropertyDifferences: [{ PropertyPath: "/Size", ExpectedValue: "1", ActualValue: "5" }],
  });
});

test("a lifecycle action that nobody waits for is refused", async () => {
  await made(started.standIn, group());
  const [id] = await members();
  const complete = new CompleteLifecycleActionCommand({
    AutoScalingGroupName: "small.group",
    LifecycleHookName: "leave",
    InstanceId: id,
    LifecycleActionResult: "CONTINUE",
  });
  await expect(sdk().autoscaling.send(complete)).rejects.toMatchObject({
    name: "ValidationError",
    message: `No active Lifecycle Action found with instance ID ${id}`,
  });
});

test("a stack whose failure was kept goes on with the next update", async () => {
  const { standIn } = started;
  standIn.faults.resource("Subnet", "create");
  expect(await made(standIn, network, { OnFailure: "DO_NOTHING" })).toBe("CREATE_FAILED");
  expect(await updated(standIn, network)).toBe("UPDATE_COMPLETE");
  expect(await eventsOf(standIn)).toContain("Subnet CREATE_COMPLETE");
});

test("a group whose instances may not be terminated is not removed", async () => {
  const { standIn } = started;
  await made(standIn, group());
  const { autoscaling, cloudformation } = sdk();
  await autoscaling.send(new SuspendProcessesCommand({ AutoScalingGroupName: "small.group" }));
  await cloudformation.send(new DeleteStackCommand({ StackName: "small" }));
  expect(await rested(standIn, "small")).toBe("DELETE_FAILED");
  await autoscaling.send(new ResumeProcessesCommand({ AutoScalingGroupName: "small.group" }));
  const { Stacks: [stack] = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: "small" }));
  await cloudformation.send(new DeleteStackCommand({ StackName: "small" }));
  expect(await rested(standIn, stack?.StackId ?? "")).toBe("DELETE_COMPLETE");
});
