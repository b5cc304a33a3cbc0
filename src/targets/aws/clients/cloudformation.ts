import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackEventsCommand,
  DescribeStackResourceDriftsCommand,
  DescribeStacksCommand,
  DetectStackDriftCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  ListChangeSetsCommand,
  SignalResourceCommand,
  UpdateTerminationProtectionCommand,
  type CreateChangeSetInput,
  type DeleteStackInput,
  type DescribeChangeSetOutput,
  type ResourceChange,
  type SignalResourceInput,
  type Stack,
  type StackEvent,
  type StackResourceDrift,
} from "@aws-sdk/client-cloudformation";
import type { Caller } from "./caller.ts";
import { pages, type ClientSettings } from "./settings.ts";

export type { ResourceChange, Stack, StackEvent, StackResourceDrift };
export type ChangeSet = DescribeChangeSetOutput;

/** The calls of CloudFormation that Slipway makes, each under IAM's name for it. */
export function cloudFormation(settings: () => ClientSettings, call: Caller) {
  let made: { readonly by: ClientSettings; readonly client: CloudFormationClient } | undefined;
  const client = (): CloudFormationClient => {
    const by = settings();
    if (made?.by !== by) made = { by, client: new CloudFormationClient(by) };
    return made.client;
  };
  return {
    /** One stack, by its name or id; all of the region without one. */
    stacks: (name?: string): Promise<readonly Stack[]> =>
      pages(
        (NextToken) =>
          call("cloudformation:DescribeStacks", "safe", () =>
            client().send(
              new DescribeStacksCommand({
                ...(name === undefined ? {} : { StackName: name }),
                ...(NextToken === undefined ? {} : { NextToken }),
              }),
            ),
          ),
        ({ Stacks, NextToken }) => ({ items: Stacks, next: NextToken }),
      ),
    /** A page of events, the newest first. */
    events: (stack: string, NextToken?: string) =>
      call("cloudformation:DescribeStackEvents", "safe", () =>
        client().send(
          new DescribeStackEventsCommand({ StackName: stack, ...(NextToken === undefined ? {} : { NextToken }) }),
        ),
      ),
    template: async (stack: string): Promise<string> =>
      (
        await call("cloudformation:GetTemplate", "safe", () =>
          client().send(new GetTemplateCommand({ StackName: stack, TemplateStage: "Original" })),
        )
      ).TemplateBody ?? "",
    createChangeSet: (input: CreateChangeSetInput & { readonly ClientToken: string }) =>
      call("cloudformation:CreateChangeSet", "safe", () => client().send(new CreateChangeSetCommand(input))),
    /** All pages as one. */
    async changeSet(name: string, stack: string): Promise<ChangeSet> {
      let first: ChangeSet | undefined;
      const all = await pages(
        async (NextToken) => {
          const page = await call("cloudformation:DescribeChangeSet", "safe", () =>
            client().send(
              new DescribeChangeSetCommand({
                ChangeSetName: name,
                StackName: stack,
                ...(NextToken === undefined ? {} : { NextToken }),
              }),
            ),
          );
          first ??= page;
          return page;
        },
        ({ Changes, NextToken }) => ({ items: Changes, next: NextToken }),
      );
      return { ...first, Changes: [...all] };
    },
    executeChangeSet: (name: string, stack: string, token: string) =>
      call("cloudformation:ExecuteChangeSet", "safe", () =>
        client().send(
          new ExecuteChangeSetCommand({ ChangeSetName: name, StackName: stack, ClientRequestToken: token }),
        ),
      ),
    deleteChangeSet: (name: string, stack: string) =>
      call("cloudformation:DeleteChangeSet", "safe", () =>
        client().send(new DeleteChangeSetCommand({ ChangeSetName: name, StackName: stack })),
      ),
    /** Names of the change sets that a stack has. */
    changeSets: async (stack: string): Promise<readonly string[]> =>
      (
        await pages(
          (NextToken) =>
            call("cloudformation:ListChangeSets", "safe", () =>
              client().send(
                new ListChangeSetsCommand({ StackName: stack, ...(NextToken === undefined ? {} : { NextToken }) }),
              ),
            ),
          ({ Summaries, NextToken }) => ({ items: Summaries, next: NextToken }),
        )
      ).flatMap(({ ChangeSetName }) => ChangeSetName ?? []),
    deleteStack: (input: DeleteStackInput & { readonly ClientRequestToken: string }) =>
      call("cloudformation:DeleteStack", "safe", () => client().send(new DeleteStackCommand(input))),
    protect: (stack: string, on: boolean) =>
      call("cloudformation:UpdateTerminationProtection", "safe", () =>
        client().send(new UpdateTerminationProtectionCommand({ StackName: stack, EnableTerminationProtection: on })),
      ),
    signal: (input: SignalResourceInput) =>
      call("cloudformation:SignalResource", "safe", () => client().send(new SignalResourceCommand(input))),
    detectDrift: async (stack: string): Promise<string> =>
      (
        await call("cloudformation:DetectStackDrift", "safe", () =>
          client().send(new DetectStackDriftCommand({ StackName: stack })),
        )
      ).StackDriftDetectionId ?? "",
    driftDetection: (id: string) =>
      call("cloudformation:DescribeStackDriftDetectionStatus", "safe", () =>
        client().send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId: id })),
      ),
    drifts: (stack: string): Promise<readonly StackResourceDrift[]> =>
      pages(
        (NextToken) =>
          call("cloudformation:DescribeStackResourceDrifts", "safe", () =>
            client().send(
              new DescribeStackResourceDriftsCommand({
                StackName: stack,
                StackResourceDriftStatusFilters: ["MODIFIED", "DELETED"],
                ...(NextToken === undefined ? {} : { NextToken }),
              }),
            ),
          ),
        ({ StackResourceDrifts, NextToken }) => ({ items: StackResourceDrifts, next: NextToken }),
      ),
  };
}
export type CloudFormation = ReturnType<typeof cloudFormation>;
