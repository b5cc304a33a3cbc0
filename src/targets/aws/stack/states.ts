/**
 * What a stack's state means for who wants to go on. `none`: nothing was made; `busy`: CloudFormation is at it; `ready`: it is
 * whole, and can be changed; `failed`: its creation failed, and it can only be deleted; `stuck`: its update could not be taken
 * back; `kept`: deleting it failed.
 */
export type StackState = "none" | "busy" | "ready" | "failed" | "stuck" | "kept";

/** CloudFormation API reference, Stack, StackStatus. */
const states: Readonly<Record<string, StackState>> = {
  REVIEW_IN_PROGRESS: "none",
  DELETE_COMPLETE: "none",
  CREATE_IN_PROGRESS: "busy",
  ROLLBACK_IN_PROGRESS: "busy",
  UPDATE_IN_PROGRESS: "busy",
  UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: "busy",
  UPDATE_ROLLBACK_IN_PROGRESS: "busy",
  UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS: "busy",
  DELETE_IN_PROGRESS: "busy",
  CREATE_COMPLETE: "ready",
  UPDATE_COMPLETE: "ready",
  UPDATE_ROLLBACK_COMPLETE: "ready",
  CREATE_FAILED: "failed",
  ROLLBACK_COMPLETE: "failed",
  ROLLBACK_FAILED: "failed",
  UPDATE_FAILED: "stuck",
  UPDATE_ROLLBACK_FAILED: "stuck",
  DELETE_FAILED: "kept",
};

/** A state that is not known is one in which nothing may be done. */
export function stackState(status: string | undefined): StackState {
  if (status === undefined) return "none";
  return Object.hasOwn(states, status) ? (states[status] ?? "stuck") : "stuck";
}

/** The stack is somewhere where only a person can say what is right. */
export class StackStuck extends Error {
  readonly next: string;
  constructor(stack: string, status: string, reason: string, next: string) {
    super(`the stack ${stack} is in ${status}${reason === "" ? "" : `: ${reason}`}; nothing was changed or deleted`);
    this.name = "StackStuck";
    this.next = next;
  }
}

/** What a person does about a stack that could not be taken back; deleting it is never proposed. */
export function stuck(stack: string, status: string, reason: string): StackStuck {
  const resume =
    status === "UPDATE_FAILED"
      ? `aws cloudformation rollback-stack --stack-name ${stack}`
      : `mend what the reason names, then: aws cloudformation continue-update-rollback --stack-name ${stack} (with --resources-to-skip for what cannot be mended)`;
  return new StackStuck(stack, status, reason, `${resume}; then the same command again`);
}
