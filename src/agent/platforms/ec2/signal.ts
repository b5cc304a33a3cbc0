import { AwsError } from "../../../host/aws/request.ts";
import type { AwsQuery } from "../../../host/aws/query.ts";
import type { NodeRecord } from "../../nodeRecord.ts";

/** How long a node must have been failed before the launch is told so: what mends itself is no failure. Milliseconds. */
const failedFor = 20_000;

/** What the stack is to be told of this node now; pure. */
export function wordFor(record: Pick<NodeRecord, "state" | "since">, now: number): "SUCCESS" | "FAILURE" | undefined {
  if (record.state === "ready") return "SUCCESS";
  return record.state === "failed" && now - record.since >= failedFor ? "FAILURE" : undefined;
}

type Waiting = { readonly stack: string; readonly resource: string };

/**
 * Says once to the stack how this instance has come up. A stack that waits no more refuses the word with a ValidationError,
 * which is as good: the node is not of its making, but of its group's.
 */
export class Signal {
  readonly #cloudformation: AwsQuery;
  readonly #waiting: Waiting | undefined;
  readonly #instance: string;
  #said = false;

  /** `instance` as EC2 names it. */
  constructor(cloudformation: AwsQuery, waiting: Waiting | undefined, instance: string) {
    this.#cloudformation = cloudformation;
    this.#waiting = waiting;
    this.#instance = instance;
  }

  /** `written` is in the store already: the reason must be readable before the launch fails by it. */
  async tell(written: NodeRecord, now: number): Promise<string | undefined> {
    const word = wordFor(written, now);
    if (this.#said || this.#waiting === undefined || word === undefined) return undefined;
    try {
      await this.#cloudformation("SignalResource", {
        StackName: this.#waiting.stack,
        LogicalResourceId: this.#waiting.resource,
        UniqueId: this.#instance,
        Status: word,
      });
    } catch (error) {
      if (!(error instanceof AwsError && error.code === "ValidationError")) throw error;
      this.#said = true;
      return undefined;
    }
    this.#said = true;
    return word;
  }
}
