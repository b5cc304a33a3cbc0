import { AwsError } from "../../../host/aws/request.ts";
import { dotted, leavingHookName } from "../../../records/tags.ts";
import type { NodeRecord } from "../../nodeRecord.ts";
import type { Here } from "./here.ts";

/** The metadata service's word for an instance that Auto Scaling is about to terminate (Auto Scaling user guide, "Retrieve the target lifecycle state"). */
const ending = "Terminated";

/** Whether a node that is about to be terminated may go now; pure. A control member only pauses: its disk goes on elsewhere. */
export function mayGo(target: string | undefined, member: boolean, record: Pick<NodeRecord, "phase">): boolean {
  return target === ending && (member || record.phase === "left");
}

/** Answers the lifecycle hook of a group, so that an instance goes when its node has left in good order, and no later. */
export class Departure {
  readonly #here: Here;
  #said = false;

  constructor(here: Here) {
    this.#here = here;
  }

  async tend(record: NodeRecord): Promise<void> {
    if (this.#said) return;
    const { metadata, tags, call, cluster, group, who } = this.#here;
    const target = await metadata.get("meta-data/autoscaling/target-lifecycle-state");
    if (!mayGo(target, tags.member !== undefined, record)) return;
    const number = tags.member?.node.split("-").at(-1);
    try {
      await call("autoscaling")("CompleteLifecycleAction", {
        AutoScalingGroupName: number === undefined ? dotted(cluster, group) : dotted(cluster, group, number),
        InstanceId: who.instance,
        LifecycleHookName: leavingHookName,
        LifecycleActionResult: "CONTINUE",
      });
    } catch (error) {
      // The hook's time is over, and the instance goes anyway.
      if (!(error instanceof AwsError && error.code === "ValidationError")) throw error;
    }
    this.#said = true;
  }
}
