import {
  CreateOrUpdateTagsCommand,
  DeleteAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  DescribeScalingActivitiesCommand,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SetInstanceHealthCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from "@aws-sdk/client-auto-scaling";
import {
  DescribeInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { obedientNodes } from "./nodes.ts";
import { sdkOver } from "./sdk.ts";
import { group, made } from "./small.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();
const sdk = () => sdkOver(started.standIn.client());
const name = { AutoScalingGroupName: "small.group" };

const describedGroup = async () => {
  const { AutoScalingGroups: [one] = [] } = await sdk().autoscaling.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: ["small.group"] }),
  );
  return one ?? expect.fail("there is no group");
};
const only = async (): Promise<string> =>
  (await describedGroup()).Instances?.[0]?.InstanceId ?? expect.fail("there is no instance");
const stateOf = async (id: string) => {
  const { Reservations: [one] = [] } = await sdk().ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return one?.Instances?.[0]?.State?.Name;
};
const minutes = (count: number): Promise<void> => started.standIn.clock.advance(count * 60_000);

describe("a group of one", () => {
  test("has another instance some minutes after its own was terminated", async () => {
    await made(started.standIn, group());
    const old = await only();
    await sdk().ec2.send(new TerminateInstancesCommand({ InstanceIds: [old] }));
    await minutes(1);
    expect((await describedGroup()).Instances?.map(({ InstanceId }) => InstanceId)).not.toEqual([]);
    await minutes(4);
    const there = (await describedGroup()).Instances ?? [];
    expect(there.map((one) => one.LifecycleState)).toEqual(["InService"]);
    expect(there[0]?.InstanceId).not.toBe(old);
    const { Activities: activities = [] } = await sdk().autoscaling.send(new DescribeScalingActivitiesCommand(name));
    expect(activities.map((one) => `${one.Description?.split(":")[0]} ${one.StatusCode}`)).toEqual([
      "Launching a new EC2 instance Successful",
      "Terminating EC2 instance Successful",
      "Launching a new EC2 instance Successful",
    ]);
  });

  test("replaces an instance that is stopped, unless all five processes are suspended", async () => {
    await made(started.standIn, group());
    const first = await only();
    await sdk().ec2.send(new StopInstancesCommand({ InstanceIds: [first] }));
    await minutes(10);
    const second = await only();
    expect(second).not.toBe(first);
    expect(await stateOf(first)).toBe("terminated");

    const processes = ["AZRebalance", "HealthCheck", "Launch", "ReplaceUnhealthy", "Terminate"];
    await sdk().autoscaling.send(new SuspendProcessesCommand({ ...name, ScalingProcesses: processes }));
    expect((await describedGroup()).SuspendedProcesses?.map((one) => one.ProcessName).toSorted()).toEqual(processes);
    await sdk().ec2.send(new StopInstancesCommand({ InstanceIds: [second] }));
    await minutes(30);
    expect(await stateOf(second)).toBe("stopped");
    expect(await only()).toBe(second);
    await sdk().ec2.send(new StartInstancesCommand({ InstanceIds: [second] }));
    await minutes(1);
    await sdk().autoscaling.send(new ResumeProcessesCommand(name));
    await minutes(10);
    expect(await only()).toBe(second);
    expect(await stateOf(second)).toBe("running");
  });

  test("waits at its hook for the node to leave, and no longer than the hook's time", async () => {
    const { standIn } = started;
    await made(standIn, group());
    standIn.nodes = { ...obedientNodes(standIn), leaving: () => undefined };
    const old = await only();
    const { Activity: activity } = await sdk().autoscaling.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: old, ShouldDecrementDesiredCapacity: false }),
    );
    expect(activity?.StatusCode).toBe("InProgress");
    await minutes(4);
    expect((await describedGroup()).Instances?.[0]).toMatchObject({
      InstanceId: old,
      LifecycleState: "Terminating:Wait",
    });
    expect(await stateOf(old)).toBe("running");
    await minutes(2);
    expect(await stateOf(old)).toBe("terminated");
  });

  test("replaces what is called unhealthy, and does not end below its least", async () => {
    await made(started.standIn, group());
    const old = await only();
    const decrement = new TerminateInstanceInAutoScalingGroupCommand({
      InstanceId: old,
      ShouldDecrementDesiredCapacity: true,
    });
    await expect(sdk().autoscaling.send(decrement)).rejects.toMatchObject({
      name: "ValidationError",
      message: expect.stringContaining("desiredSize equals minSize (1)"),
    });
    await sdk().autoscaling.send(new SetInstanceHealthCommand({ InstanceId: old, HealthStatus: "Unhealthy" }));
    await minutes(5);
    expect(await only()).not.toBe(old);
    const beyond = new SetDesiredCapacityCommand({ ...name, DesiredCapacity: 2 });
    await expect(sdk().autoscaling.send(beyond)).rejects.toMatchObject({
      message: "New SetDesiredCapacity value 2 is above max value 1 for the AutoScalingGroup.",
    });
    await expect(sdk().autoscaling.send(new DeleteAutoScalingGroupCommand(name))).rejects.toMatchObject({
      name: "ResourceInUseFault",
    });
  });
});

describe("instances of a group", () => {
  test("bear its tags, those of CloudFormation, and its name", async () => {
    await made(started.standIn, group());
    const id = await only();
    await sdk().autoscaling.send(
      new CreateOrUpdateTagsCommand({
        Tags: [
          {
            ResourceId: "small.group",
            ResourceType: "auto-scaling-group",
            Key: "later",
            Value: "x",
            PropagateAtLaunch: true,
          },
        ],
      }),
    );
    const { Reservations: [one] = [] } = await sdk().ec2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: "tag:slipway.cluster", Values: ["small"] }] }),
    );
    const tags = new Map(one?.Instances?.[0]?.Tags?.map(({ Key = "", Value = "" }) => [Key, Value]));
    expect(one?.Instances?.[0]?.InstanceId).toBe(id);
    expect(tags.get("aws:autoscaling:groupName")).toBe("small.group");
    expect(tags.get("aws:cloudformation:logical-id")).toBe("Group");
    expect(tags.get("aws:cloudformation:stack-name")).toBe("small");
    // Only what is launched from then on has it.
    expect(tags.has("later")).toBe(false);
    const { AutoScalingGroups: found = [] } = await sdk().autoscaling.send(
      new DescribeAutoScalingGroupsCommand({ Filters: [{ Name: "tag:later", Values: ["x"] }] }),
    );
    expect(found).toHaveLength(1);
  });

  test("come when there is capacity again, and what failed is among the activities", async () => {
    const { standIn } = started;
    await made(standIn, group({ count: 1 }));
    standIn.settings.noCapacity.add("eu-central-1a/t3.small");
    await sdk().autoscaling.send(new UpdateAutoScalingGroupCommand({ ...name, MaxSize: 2, DesiredCapacity: 2 }));
    await minutes(1);
    const { Activities: [failed] = [] } = await sdk().autoscaling.send(new DescribeScalingActivitiesCommand(name));
    expect(failed).toMatchObject({
      StatusCode: "Failed",
      StatusMessage: expect.stringContaining(
        "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-central-1a)",
      ),
    });
    standIn.settings.noCapacity.clear();
    await minutes(3);
    const { AutoScalingInstances: there = [] } = await sdk().autoscaling.send(
      new DescribeAutoScalingInstancesCommand({}),
    );
    expect(there.map((one) => one.LifecycleState)).toEqual(["InService", "InService"]);
    standIn.settings.pageSize = 1;
    const first = await sdk().autoscaling.send(new DescribeAutoScalingInstancesCommand({}));
    expect(first.AutoScalingInstances).toHaveLength(1);
    const second = await sdk().autoscaling.send(
      new DescribeAutoScalingInstancesCommand({ NextToken: first.NextToken }),
    );
    expect([second.AutoScalingInstances?.length, second.NextToken]).toEqual([1, undefined]);
  });
});

describe("a zone that lacks capacity", () => {
  const lacks = (...what: readonly string[]): void => {
    for (const one of what) started.standIn.settings.noCapacity.add(`eu-central-1${one}`);
  };
  /** What was launched and what was not, the oldest first. */
  const launches = async (): Promise<readonly string[]> => {
    const { Activities: activities = [] } = await sdk().autoscaling.send(new DescribeScalingActivitiesCommand(name));
    return activities
      .toReversed()
      .filter(({ Description }) => Description?.startsWith("Launching"))
      .map(({ StatusCode: status, Details: details = "{}" }) => {
        const place: unknown = JSON.parse(details);
        return `${status ?? ""} ${String(Object(place)["Availability Zone"]).slice(-1)}`;
      });
  };
  const zones = async (): Promise<readonly string[]> =>
    ((await describedGroup()).Instances ?? []).map(({ AvailabilityZone: zone = "" }) => zone.slice(-1)).toSorted();

  // "If launch attempts fail in an Availability Zone, Auto Scaling attempts to launch instances in another healthy Availability Zone."
  test("has its instances launched in another, and what failed stays among the activities with its zone", async () => {
    lacks("a", "b");
    expect(await made(started.standIn, group({ zones: ["a", "b", "c"] }))).toBe("CREATE_COMPLETE");
    expect(await launches()).toEqual(["Failed a", "Failed b", "Successful c"]);
    const { Activities: activities = [] } = await sdk().autoscaling.send(new DescribeScalingActivitiesCommand(name));
    const [, , first] = activities;
    expect(first).toMatchObject({
      StatusCode: "Failed",
      StatusMessage:
        "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-central-1a). Our system will be working on provisioning additional capacity. Launching EC2 instance failed.",
      Description: expect.stringMatching(/^Launching a new EC2 instance\. {2}Status Reason: We currently do not have/),
    });
  });

  test("leaves a group uneven, and it is tried again for the next one", async () => {
    lacks("a");
    await made(started.standIn, group({ zones: ["a", "b", "c"], count: 3 }));
    expect(await zones()).toEqual(["b", "b", "c"]);
    started.standIn.settings.noCapacity.clear();
    await minutes(5);
    await sdk().autoscaling.send(new UpdateAutoScalingGroupCommand({ ...name, MaxSize: 4, DesiredCapacity: 4 }));
    await minutes(2);
    expect(await zones()).toEqual(["a", "b", "b", "c"]);
  });

  // "If launch attempts fail in an Availability Zone, Auto Scaling will continue to attempt to launch instances in the Availability Zone."
  test("is waited for by a group that is to be balanced only", async () => {
    lacks("a");
    const only = group({ zones: ["a", "b"], distribution: "balanced-only" });
    expect(await made(started.standIn, only, { DisableRollback: true })).toBe("CREATE_FAILED");
    expect((await describedGroup()).AvailabilityZoneDistribution).toEqual({
      CapacityDistributionStrategy: "balanced-only",
    });
    expect([...new Set(await launches())]).toEqual(["Failed a"]);
    expect(await zones()).toEqual([]);
  });

  test("is waited for by a group that has no other", async () => {
    lacks("a");
    expect(await made(started.standIn, group({ minutes: 15 }), { DisableRollback: true })).toBe("CREATE_FAILED");
    const tried = await launches();
    expect([...new Set(tried)]).toEqual(["Failed a"]);
    expect(tried.length).toBeGreaterThan(10);
    started.standIn.settings.noCapacity.clear();
    await minutes(3);
    expect(await zones()).toEqual(["a"]);
  });

  test("is tried with each type of a mixture, in their order, before another zone is", async () => {
    lacks("a/t3.small", "b/t3.small");
    await made(started.standIn, group({ zones: ["a", "b"], types: ["t3.small", "t3a.small"] }));
    expect((await describedGroup()).Instances?.map(({ InstanceType }) => InstanceType)).toEqual(["t3a.small"]);
    expect(await launches()).toEqual(["Successful a"]);
    lacks("a/t3a.small", "b/t3a.small");
    await sdk().autoscaling.send(new UpdateAutoScalingGroupCommand({ ...name, MaxSize: 2, DesiredCapacity: 2 }));
    await minutes(2);
    expect((await launches()).slice(1, 3)).toEqual(["Failed b", "Failed a"]);
    const { Activities: [failed] = [] } = await sdk().autoscaling.send(new DescribeScalingActivitiesCommand(name));
    expect(failed?.StatusMessage).toMatch(
      /^Could not launch On-Demand Instances\. InsufficientInstanceCapacity - We currently do not have sufficient t3a\.small .* Launching EC2 instance failed\.$/,
    );
  });

  test("does not keep a group from another zone where the clock is hastened", async () => {
    started.standIn.clock.haste = 8;
    lacks("a");
    await made(started.standIn, group({ zones: ["a", "b"], count: 2 }));
    expect(await zones()).toEqual(["b", "b"]);
  });
});
