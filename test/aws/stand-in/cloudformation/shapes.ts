import type { Shape } from "../xml.ts";
import type { Change, Resource, Stack, StackEvent, Wanted } from "./stack.ts";

type Shaped = { readonly [key: string]: Shape };

export function tagShapes(tags: ReadonlyMap<string, string>): readonly Shaped[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

export function parameterShapes(wanted: Wanted | undefined): readonly Shaped[] {
  return [...(wanted?.parameters ?? [])].map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
}

export function stackShape(stack: Stack): Shaped {
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: stack.now?.template.Description,
    Parameters: parameterShapes(stack.now),
    CreationTime: new Date(stack.createdAt).toISOString(),
    LastUpdatedTime: stack.updatedAt === undefined ? undefined : new Date(stack.updatedAt).toISOString(),
    DeletionTime: stack.deletedAt === undefined ? undefined : new Date(stack.deletedAt).toISOString(),
    StackStatus: stack.status,
    StackStatusReason: stack.reason === "" ? undefined : stack.reason,
    DisableRollback: stack.onFailure === "DO_NOTHING",
    EnableTerminationProtection: stack.protected,
    Capabilities: ["CAPABILITY_IAM"],
    Outputs: stack.outputs.map(({ key, value, description }) => ({
      OutputKey: key,
      OutputValue: value,
      Description: description,
    })),
    Tags: tagShapes(stack.now?.tags ?? new Map()),
    DriftInformation: { StackDriftStatus: "NOT_CHECKED" },
  };
}

export function eventShape(stack: Stack, event: StackEvent): Shaped {
  return {
    StackId: stack.id,
    StackName: stack.name,
    EventId: event.id,
    LogicalResourceId: event.logical,
    PhysicalResourceId: event.physical,
    ResourceType: event.type,
    Timestamp: new Date(event.time).toISOString(),
    ResourceStatus: event.status,
    ResourceStatusReason: event.reason === "" ? undefined : event.reason,
    ClientRequestToken: event.token === "" ? undefined : event.token,
  };
}

export function resourceShape(stack: Stack, resource: Resource, time: "Timestamp" | "LastUpdatedTimestamp"): Shaped {
  return {
    StackId: stack.id,
    StackName: stack.name,
    LogicalResourceId: resource.id,
    PhysicalResourceId: resource.physical === "" ? undefined : resource.physical,
    ResourceType: resource.type,
    [time]: new Date(resource.time).toISOString(),
    ResourceStatus: resource.status,
    ResourceStatusReason: resource.reason === "" ? undefined : resource.reason,
    DriftInformation: { StackResourceDriftStatus: "NOT_CHECKED" },
  };
}

export function changeShape(change: Change): Shaped {
  return {
    Type: "Resource",
    ResourceChange: {
      Action: change.action,
      LogicalResourceId: change.logical,
      PhysicalResourceId: change.physical === "" ? undefined : change.physical,
      ResourceType: change.type,
      Replacement: change.replacement,
      Scope: change.scope,
      Details: change.details.map((detail) => ({
        Target: { Attribute: detail.attribute, Name: detail.name, RequiresRecreation: detail.recreation },
        Evaluation: detail.evaluation,
        ChangeSource: detail.source,
        CausingEntity: detail.cause,
      })),
    },
  };
}
