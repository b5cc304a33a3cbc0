import { DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { DeleteStackCommand, DescribeStackEventsCommand } from "@aws-sdk/client-cloudformation";
import {
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { launched, rested } from "./example.ts";
import { sdkOver } from "./sdk.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();

describe("the stack of the example", () => {
  test("is made, its nodes say that they are ready, and it is removed without a trace but kept volumes", async () => {
    const { standIn } = started;
    const client = standIn.client();
    const { ec2, autoscaling, cloudformation } = sdkOver(client);
    const begun = standIn.clock.now();

    const id = await launched(standIn, client);
    const made = await rested(standIn, id, client);
    const events = await cloudformation.send(new DescribeStackEventsCommand({ StackName: id }));
    expect(
      made,
      JSON.stringify(
        events.StackEvents?.filter((one) => one.ResourceStatus?.endsWith("FAILED")),
        undefined,
        1,
      ),
    ).toBe("CREATE_COMPLETE");
    const took = (standIn.clock.now() - begun) / 1_000;
    expect(took).toBeGreaterThan(200);
    expect(took).toBeLessThan(600);

    const { AutoScalingGroups: groups = [] } = await autoscaling.send(new DescribeAutoScalingGroupsCommand({}));
    expect(
      groups.map((group) => [group.AutoScalingGroupName, group.Instances?.map((one) => one.LifecycleState)]),
    ).toEqual([
      ["demo.control.1", ["InService"]],
      ["demo.control.2", ["InService"]],
      ["demo.control.3", ["InService"]],
      ["demo.worker", ["InService", "InService"]],
    ]);
    const { Reservations: reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
    const instances = reservations.flatMap(({ Instances = [] }) => Instances);
    expect(instances.map((one) => one.State?.Name)).toEqual(Array.from({ length: 5 }, () => "running"));
    expect(
      new Set(instances.map((one) => one.Tags?.find(({ Key }) => Key === "aws:autoscaling:groupName")?.Value)).size,
    ).toBe(4);

    await cloudformation.send(new DeleteStackCommand({ StackName: id }));
    expect(await rested(standIn, id, client)).toBe("DELETE_COMPLETE");
    const vpcs = await ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "tag:slipway.cluster", Values: ["demo"] }] }),
    );
    const interfaces = await ec2.send(new DescribeNetworkInterfacesCommand({}));
    const volumes = await ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: "tag:slipway.cluster", Values: ["demo"] }] }),
    );
    expect(vpcs.Vpcs).toEqual([]);
    expect(interfaces.NetworkInterfaces).toEqual([]);
    // RetainExceptOnCreate: disks that have held data stay.
    expect(volumes.Volumes?.map(({ State }) => State)).toEqual(Array.from({ length: 6 }, () => "available"));
  });
});
