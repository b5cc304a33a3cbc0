import { Refusal } from "../../call.ts";
import type { Given } from "../../parameters.ts";
import { type Element, listAt, textAt } from "../../xml.ts";
import { type Context, type Handler, listIn, tagsOf, textIn } from "../handler.ts";
import type { Section } from "../template.ts";

function settingsOf(properties: Section): { readonly [key: string]: Given } {
  const given = (name: string): Given => properties[name] as Given;
  return {
    MinSize: given("MinSize"),
    MaxSize: given("MaxSize"),
    ...(properties["DesiredCapacity"] === undefined ? {} : { DesiredCapacity: given("DesiredCapacity") }),
    HealthCheckType: given("HealthCheckType"),
    HealthCheckGracePeriod: given("HealthCheckGracePeriod"),
    LaunchTemplate: given("LaunchTemplate"),
    MixedInstancesPolicy: given("MixedInstancesPolicy"),
    InstanceMaintenancePolicy: given("InstanceMaintenancePolicy"),
    AvailabilityZoneDistribution: given("AvailabilityZoneDistribution"),
    CapacityRebalance: given("CapacityRebalance"),
    VPCZoneIdentifier: listIn(properties, "VPCZoneIdentifier").map(String).join(","),
  };
}

/** What the stack's tags become on instances: CloudFormation has its own go along. */
function groupTags(properties: Section, context: Context, name: string): Given {
  const own = new Map(
    listIn(properties, "Tags")
      .map((one) => one as { readonly Key: string; readonly PropagateAtLaunch?: boolean })
      .map((one) => [one.Key, one.PropagateAtLaunch]),
  );
  return tagsOf(properties, context).map(({ Key, Value }) => ({
    ResourceId: name,
    ResourceType: "auto-scaling-group",
    Key,
    Value,
    PropagateAtLaunch: String(own.get(Key) ?? true) === "true",
  }));
}

/** A group as Auto Scaling describes it; `undefined` where it is gone. */
export async function described(context: Context, name: string): Promise<Element | undefined> {
  const answer = await context.ask("autoscaling", "DescribeAutoScalingGroups", { AutoScalingGroupNames: [name] });
  return listAt(answer, "DescribeAutoScalingGroupsResult", "AutoScalingGroups")[0];
}

export const groupHandlers = {
  "AWS::AutoScaling::AutoScalingGroup": {
    takes: { create: 5, update: 5, delete: 10 },
    replacedBy: ["AutoScalingGroupName"],
    async create(properties, context) {
      const name = textIn(properties, "AutoScalingGroupName") || context.name();
      await context.ask("autoscaling", "CreateAutoScalingGroup", {
        AutoScalingGroupName: name,
        ...settingsOf(properties),
        LifecycleHookSpecificationList: listIn(properties, "LifecycleHookSpecificationList"),
        Tags: groupTags(properties, context, name),
      });
      return { id: name };
    },
    async update(id, properties, _before, context) {
      await context.ask("autoscaling", "UpdateAutoScalingGroup", {
        AutoScalingGroupName: id,
        ...settingsOf(properties),
      });
      for (const hook of listIn(properties, "LifecycleHookSpecificationList"))
        await context.ask("autoscaling", "PutLifecycleHook", {
          AutoScalingGroupName: id,
          ...(hook as { readonly [key: string]: Given }),
        });
      await context.ask("autoscaling", "CreateOrUpdateTags", { Tags: groupTags(properties, context, id) });
      return undefined;
    },
    async delete(id, _properties, context) {
      await context.ask("autoscaling", "UpdateAutoScalingGroup", {
        AutoScalingGroupName: id,
        MinSize: 0,
        MaxSize: 0,
        DesiredCapacity: 0,
      });
      // Where Terminate is suspended nobody goes; then CloudFormation gives up (the hour is assumed).
      for (let waited = 0; ; waited += 10) {
        const group = await described(context, id);
        if (group === undefined) return;
        if (listAt(group, "Instances").length === 0) break;
        if (waited >= 3_600)
          throw new Refusal(
            "NotStabilized",
            `Resource of type 'AWS::AutoScaling::AutoScalingGroup' with identifier '${id}' did not stabilize.`,
          );
        await context.wait(10);
      }
      await context.ask("autoscaling", "DeleteAutoScalingGroup", { AutoScalingGroupName: id });
    },
    async drift(id, properties, context) {
      const group = await described(context, id);
      if (group === undefined) return "deleted";
      return ["MinSize", "MaxSize", "DesiredCapacity"]
        .map((name) => ({ path: `/${name}`, expected: textIn(properties, name), actual: textAt(group, name) }))
        .filter(({ expected, actual }) => expected !== "" && expected !== actual);
    },
  },
} satisfies Record<string, Handler>;
