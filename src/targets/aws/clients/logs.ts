import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { Caller } from "./caller.ts";
import type { ClientSettings } from "./settings.ts";

/** The calls of CloudWatch Logs that Slipway makes. */
export function logs(settings: () => ClientSettings, call: Caller) {
  const client = (): CloudWatchLogsClient => new CloudWatchLogsClient(settings());
  return {
    /** Whether there is a log group of this name. */
    async there(name: string): Promise<boolean> {
      const { logGroups = [] } = await call("logs:DescribeLogGroups", "safe", () =>
        client().send(new DescribeLogGroupsCommand({ logGroupNamePrefix: name, limit: 50 })),
      );
      return logGroups.some(({ logGroupName }) => logGroupName === name);
    },
    remove: (logGroupName: string) =>
      call("logs:DeleteLogGroup", "safe", () => client().send(new DeleteLogGroupCommand({ logGroupName }))),
  };
}
export type Logs = ReturnType<typeof logs>;
