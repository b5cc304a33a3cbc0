import type { ClusterName } from "../../../cluster/cluster.ts";
import { isTrouble } from "../clients/caller.ts";
import type { Session } from "../clients/session.ts";

/** Milliseconds: a plan is not worth more waiting. */
const patience = 120_000;
const pace = 5_000;

/** A resource that is not as the stack has set it. */
type Drift = {
  readonly resource: string;
  readonly type: string;
  readonly deleted: boolean;
  /** `/Size is 20`, for each property that differs. */
  readonly differences: readonly string[];
};

/** What somebody has changed beside the stack; `unknown`: why nobody can say. */
export type Drifts = { readonly found: readonly Drift[]; readonly unknown?: string };

/** What of a cluster's stack holds data: nobody makes it again empty, nor cuts it to a size. */
const holdsData = ({ type }: Drift): boolean => type === "AWS::EC2::Volume" || type === "AWS::S3::Bucket";
/** How many instances a group has is for the plan's own look, which puts it back: Auto Scaling, `remove` and `terminate` move it. */
const isSize = (type: string, property: string): boolean =>
  type === "AWS::AutoScaling::AutoScalingGroup" && /^\/(?:MinSize|MaxSize|DesiredCapacity)$/.test(property);

/** Data that was taken away beside the stack. */
class DataLost extends Error {
  readonly next: string;
  constructor(cluster: ClusterName, lost: readonly Drift[]) {
    const names = lost.map(({ resource, type }) => `${resource} (${type})`).join(", ");
    super(
      `${names} of ${cluster} was deleted beside the stack, and its data with it: a launch puts nothing empty in its place`,
    );
    this.name = "DataLost";
    this.next = `slipway status ${cluster} shows whose data is left; slipway cleanup ${cluster}, then slipway launch, begins anew`;
  }
}

/** What a launch can put right: nothing that holds data. Where data is gone it throws, if it is to `act`. */
export function revertible(cluster: ClusterName, { found }: Drifts, act: boolean): readonly Drift[] {
  const lost = found.filter((drift) => holdsData(drift) && drift.deleted);
  if (act && lost.length > 0) throw new DataLost(cluster, lost);
  // CloudFormation takes all drift back or none, and no disk becomes smaller again.
  if (found.some(holdsData)) return [];
  return found;
}

/** Drift as a plan says it, a line each. */
export function driftNotes({ found, unknown }: Drifts): readonly string[] {
  return [
    ...(unknown === undefined ? [] : [`drift: ${unknown}`]),
    ...found.map((drift) => {
      const { resource, type, deleted, differences } = drift;
      const what = deleted ? "was deleted beside the stack" : `was changed beside the stack: ${differences.join(", ")}`;
      const then = holdsData(drift)
        ? deleted
          ? "its data is gone, and a launch refuses to go on"
          : "a launch leaves it so"
        : found.some(holdsData)
          ? "a launch leaves it so while a disk is not as it was set either"
          : "a launch puts it right";
      return `drift: ${resource} (${type}) ${what}; ${then}`;
    }),
  ];
}

/** Asks CloudFormation to compare the stack with what is there. */
export async function lookForDrift(session: Session, stack: string, signal: AbortSignal): Promise<Drifts> {
  const cloudFormation = await session.cloudFormation();
  let id: string | undefined;
  try {
    for (let waited = 0; ; waited += pace) {
      if (waited >= patience) return { found: [], unknown: "CloudFormation was still looking after two minutes" };
      // Another look may be under way: that of a run that was interrupted.
      id ??= await begun(() => cloudFormation.detectDrift(stack));
      if (id !== undefined) {
        const { DetectionStatus, DetectionStatusReason = "" } = await cloudFormation.driftDetection(id);
        if (DetectionStatus === "DETECTION_COMPLETE") break;
        if (DetectionStatus === "DETECTION_FAILED")
          return { found: [], unknown: `CloudFormation could not look at all: ${DetectionStatusReason}` };
      }
      await session.clock.sleep(pace, signal);
      signal.throwIfAborted();
    }
    const drifts = await cloudFormation.drifts(stack);
    const found = drifts.map(
      ({ LogicalResourceId = "", ResourceType = "", StackResourceDriftStatus, PropertyDifferences = [] }): Drift => ({
        resource: LogicalResourceId,
        type: ResourceType,
        deleted: StackResourceDriftStatus === "DELETED",
        differences: PropertyDifferences.filter(({ PropertyPath = "" }) => !isSize(ResourceType, PropertyPath)).map(
          ({ PropertyPath = "?", ActualValue = "?" }) => `${PropertyPath} is ${ActualValue}`,
        ),
      }),
    );
    return { found: found.filter(({ deleted, differences }) => deleted || differences.length > 0) };
  } catch (error) {
    // It is known about the rest all the same.
    if (isTrouble(error, "forbidden", "conflict", "throttled"))
      return { found: [], unknown: `not looked at: ${error.message}` };
    throw error;
  }
}

async function begun(detect: () => Promise<string>): Promise<string | undefined> {
  try {
    return await detect();
  } catch (error) {
    // CloudFormation says it in words only.
    if (error instanceof Error && /detection is already in progress/i.test(error.message)) return undefined;
    throw error;
  }
}
