import type { CloudFormation, StackEvent } from "../clients/cloudformation.ts";

/** More pages of new events than a stack of 500 resources can have between two looks. */
const mostPages = 30;

export type EventReader = {
  /** What is new since the last look, the oldest first; at first all of the operation that is under way. */
  next(): Promise<readonly StackEvent[]>;
  /** Leaves out what there is: it is of earlier operations. */
  skip(): Promise<void>;
};

/** Reads a stack's events from where it was left. */
export function eventReader(cloudFormation: CloudFormation, stack: string): EventReader {
  let last: string | undefined;
  return {
    async next() {
      const fresh: StackEvent[] = [];
      let token: string | undefined;
      for (let page = 0; page < mostPages; page++) {
        const { StackEvents = [], NextToken } = await cloudFormation.events(stack, token);
        const end = StackEvents.findIndex((event) => (last === undefined ? begins(event) : event.EventId === last));
        fresh.push(...(end === -1 ? StackEvents : StackEvents.slice(0, last === undefined ? end + 1 : end)));
        if (end !== -1 || NextToken === undefined) break;
        token = NextToken;
      }
      last = fresh[0]?.EventId ?? last;
      return fresh.toReversed();
    },
    async skip() {
      const { StackEvents = [] } = await cloudFormation.events(stack);
      last = StackEvents[0]?.EventId ?? last;
    },
  };
}

/** Whether an event is about the stack itself. */
export function isOfStack({ ResourceType, PhysicalResourceId, StackId }: StackEvent): boolean {
  return ResourceType === "AWS::CloudFormation::Stack" && PhysicalResourceId === StackId;
}

function begins(event: StackEvent): boolean {
  return isOfStack(event) && /^(?:CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(event.ResourceStatus ?? "");
}

/** Failures that are causes: what CloudFormation stopped because something else had failed is none. */
export function rootFailures(events: readonly StackEvent[]): readonly StackEvent[] {
  const failed = events.filter((event) => event.ResourceStatus?.endsWith("_FAILED") === true && !isOfStack(event));
  const causes = failed.filter(({ ResourceStatusReason = "" }) => !/cancell?ed/i.test(ResourceStatusReason));
  return causes.length === 0 ? failed.slice(0, 1) : causes;
}
