import {
  AutoScalingClient,
  CreateOrUpdateTagsCommand,
  DescribeAutoScalingGroupsCommand,
  DescribeScalingActivitiesCommand,
  ResumeProcessesCommand,
  SetInstanceHealthCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
  type Activity,
  type AutoScalingGroup,
} from "@aws-sdk/client-auto-scaling";
import type { Caller } from "./caller.ts";
import { pages, type ClientSettings } from "./settings.ts";

export type { Activity, AutoScalingGroup };

/** The calls of Auto Scaling that Slipway makes. */
export function autoScaling(settings: () => ClientSettings, call: Caller) {
  let made: { readonly by: ClientSettings; readonly client: AutoScalingClient } | undefined;
  const client = (): AutoScalingClient => {
    const by = settings();
    if (made?.by !== by) made = { by, client: new AutoScalingClient(by) };
    return made.client;
  };
  return {
    /** All groups that bear a tag. */
    groups: (tag: string, value: string): Promise<readonly AutoScalingGroup[]> =>
      pages(
        (NextToken) =>
          call("autoscaling:DescribeAutoScalingGroups", "safe", () =>
            client().send(
              new DescribeAutoScalingGroupsCommand({
                Filters: [{ Name: `tag:${tag}`, Values: [value] }],
                MaxRecords: 100,
                ...(NextToken === undefined ? {} : { NextToken }),
              }),
            ),
          ),
        ({ AutoScalingGroups, NextToken }) => ({ items: AutoScalingGroups, next: NextToken }),
      ),
    /** What a group has lately done, or failed to do: the newest, of which there are more than anyone reads. */
    activities: async (AutoScalingGroupName: string): Promise<readonly Activity[]> => {
      const { Activities = [] } = await call("autoscaling:DescribeScalingActivities", "safe", () =>
        client().send(new DescribeScalingActivitiesCommand({ AutoScalingGroupName, MaxRecords: 50 })),
      );
      return Activities;
    },
    suspend: (AutoScalingGroupName: string, ScalingProcesses: readonly string[]) =>
      call("autoscaling:SuspendProcesses", "safe", () =>
        client().send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: [...ScalingProcesses] })),
      ),
    resume: (AutoScalingGroupName: string, ScalingProcesses: readonly string[]) =>
      call("autoscaling:ResumeProcesses", "safe", () =>
        client().send(new ResumeProcessesCommand({ AutoScalingGroupName, ScalingProcesses: [...ScalingProcesses] })),
      ),
    tag: (group: string, key: string, value: string) =>
      call("autoscaling:CreateOrUpdateTags", "safe", () =>
        client().send(
          new CreateOrUpdateTagsCommand({
            Tags: [
              {
                ResourceId: group,
                ResourceType: "auto-scaling-group",
                Key: key,
                Value: value,
                PropagateAtLaunch: false,
              },
            ],
          }),
        ),
      ),
    healthy: (InstanceId: string) =>
      call("autoscaling:SetInstanceHealth", "safe", () =>
        client().send(new SetInstanceHealthCommand({ InstanceId, HealthStatus: "Healthy" })),
      ),
    /** With a smaller group it is asked once: twice would take two. */
    terminate: (InstanceId: string, smaller: boolean) =>
      call("autoscaling:TerminateInstanceInAutoScalingGroup", smaller ? "once" : "safe", () =>
        client().send(
          new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity: smaller }),
        ),
      ),
    resize: (
      AutoScalingGroupName: string,
      size: { readonly MinSize?: number; readonly MaxSize?: number; readonly DesiredCapacity?: number },
    ) =>
      call("autoscaling:UpdateAutoScalingGroup", "safe", () =>
        client().send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, ...size })),
      ),
  };
}
export type AutoScaling = ReturnType<typeof autoScaling>;
