import type { Session } from "../clients/session.ts";
import { isTrouble } from "../clients/caller.ts";

/** Milliseconds: a plan is not worth more waiting. */
const patience = 120_000;
const pace = 5_000;

/** What somebody has changed beside the stack, a line each; launches leave it as it is, so a plan says it. */
export async function driftNotes(session: Session, stack: string, signal: AbortSignal): Promise<readonly string[]> {
  const cloudFormation = await session.cloudFormation();
  try {
    const id = await cloudFormation.detectDrift(stack);
    for (let waited = 0; ; waited += pace) {
      await session.clock.sleep(pace, signal);
      signal.throwIfAborted();
      const { DetectionStatus, DetectionStatusReason = "" } = await cloudFormation.driftDetection(id);
      if (DetectionStatus === "DETECTION_COMPLETE") break;
      if (DetectionStatus === "DETECTION_FAILED")
        return [`drift: CloudFormation could not look at all: ${DetectionStatusReason}`];
      if (waited >= patience) return ["drift: CloudFormation was still looking after two minutes"];
    }
    return (await cloudFormation.drifts(stack)).map(
      ({ LogicalResourceId = "", ResourceType = "", StackResourceDriftStatus, PropertyDifferences = [] }) =>
        StackResourceDriftStatus === "DELETED"
          ? `drift: ${LogicalResourceId} (${ResourceType}) was deleted beside the stack; CloudFormation does not make it again by itself`
          : `drift: ${LogicalResourceId} (${ResourceType}) was changed beside the stack: ${PropertyDifferences.map(({ PropertyPath, ActualValue }) => `${PropertyPath ?? "?"} is ${ActualValue ?? "?"}`).join(", ")}`,
    );
  } catch (error) {
    // It is known about the rest all the same.
    if (isTrouble(error, "forbidden", "conflict", "throttled")) return [`drift: not looked at: ${error.message}`];
    throw error;
  }
}
