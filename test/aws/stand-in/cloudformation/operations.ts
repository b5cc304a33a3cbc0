import { durations } from "../durations.ts";
import { seconds } from "../place.ts";
import type { Done } from "./done.ts";
import type { Engine } from "./engine.ts";
import type { Stack, Wanted } from "./stack.ts";

/** What goes on with a stack, from a request to its last state (CloudFormation user guide, "Stack status codes"). */
export type Operations = {
  create(stack: Stack, wanted: Wanted): void;
  update(stack: Stack, wanted: Wanted, options: { readonly keep: boolean }): void;
  delete(stack: Stack, retain: ReadonlySet<string>): void;
  /** Takes a failed creation or update back: also what ContinueUpdateRollback does. */
  rollback(stack: Stack, skip: ReadonlySet<string>): void;
  cancel(stack: Stack): void;
};

export function operationsOf(engine: Engine): Operations {
  const { clock } = engine.place;
  /** What the last operation on a stack has done and not taken back. */
  const journal = new Map<string, Done[]>();
  /** The end of what runs on a stack. */
  const running = new Map<string, Promise<void>>();

  const start = (stack: Stack, act: () => Promise<void>): void => {
    running.set(stack.id, act());
  };

  const rollBackCreation = async (stack: Stack): Promise<void> => {
    const failed = await engine.remove(stack, [...stack.resources.values()], { creating: true });
    if (failed.length > 0)
      engine.event(stack, "ROLLBACK_FAILED", `The following resource(s) failed to delete: [${failed.join(", ")}]. `);
    else engine.event(stack, "ROLLBACK_COMPLETE");
  };

  const remove = async (stack: Stack, retain: ReadonlySet<string>): Promise<void> => {
    const failed = await engine.remove(stack, [...stack.resources.values()], { creating: false, retain });
    if (failed.length > 0) {
      engine.event(stack, "DELETE_FAILED", `The following resource(s) failed to delete: [${failed.join(", ")}]. `);
      return;
    }
    engine.event(stack, "DELETE_COMPLETE");
    stack.deletedAt = clock.now();
  };

  const rollBackUpdate = async (stack: Stack, skip: ReadonlySet<string>): Promise<void> => {
    const done = journal.get(stack.id) ?? [];
    const failed = await engine.undo(stack, done, skip);
    if (failed.length > 0) {
      engine.event(
        stack,
        "UPDATE_ROLLBACK_FAILED",
        `The following resource(s) failed to update: [${failed.join(", ")}]. `,
      );
      return;
    }
    engine.event(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
    const made = done.flatMap((one) => (one.kind === "updated" ? [] : [one.resource]));
    await engine.remove(stack, made, { creating: true });
    for (const one of done) if (one.kind === "replaced") stack.resources.set(one.old.id, one.old);
    journal.delete(stack.id);
    stack.now = stack.before;
    stack.before = undefined;
    engine.event(stack, "UPDATE_ROLLBACK_COMPLETE");
  };

  return {
    create(stack, wanted) {
      stack.now = wanted;
      engine.event(stack, "CREATE_IN_PROGRESS", "User Initiated");
      start(stack, async () => {
        await clock.inner.sleep(seconds(durations.stackStart));
        const failure = await engine.bring(stack, wanted, []);
        // Somebody deletes it; that goes on by itself.
        if (stack.status !== "CREATE_IN_PROGRESS") return;
        if (failure === undefined) {
          stack.outputs = engine.outputs(stack, wanted);
          engine.event(stack, "CREATE_COMPLETE");
          return;
        }
        if (stack.onFailure === "DO_NOTHING") {
          engine.event(stack, "CREATE_FAILED", failure);
          return;
        }
        if (stack.onFailure === "DELETE") {
          engine.event(stack, "DELETE_IN_PROGRESS", `${failure}Delete requested by user.`);
          return remove(stack, new Set());
        }
        engine.event(stack, "ROLLBACK_IN_PROGRESS", `${failure}Rollback requested by user.`);
        return rollBackCreation(stack);
      });
    },
    update(stack, wanted, { keep }) {
      // After a failure that was kept, what it goes back to is still what was good before.
      const kept = stack.status === "UPDATE_FAILED";
      if (!kept) stack.before = stack.now;
      stack.now = wanted;
      stack.updatedAt = clock.now();
      stack.cancelled = false;
      const done: Done[] = kept ? (journal.get(stack.id) ?? []) : [];
      journal.set(stack.id, done);
      engine.event(stack, "UPDATE_IN_PROGRESS", "User Initiated");
      start(stack, async () => {
        await clock.inner.sleep(seconds(durations.stackStart));
        const failure = await engine.bring(stack, wanted, done);
        if (failure !== undefined && keep) {
          engine.event(stack, "UPDATE_FAILED", failure);
          return;
        }
        if (failure !== undefined) {
          stack.cancelled = false;
          engine.event(stack, "UPDATE_ROLLBACK_IN_PROGRESS", failure);
          return rollBackUpdate(stack, new Set());
        }
        engine.event(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
        const old = done.flatMap((one) => (one.kind === "replaced" ? [one.old] : []));
        const wantedIds = new Set(Object.keys(wanted.template.Resources));
        const left = [...stack.resources.values()].filter(({ id }) => !wantedIds.has(id));
        for (const one of old)
          await engine.remove(stack, [{ ...one, template: policyOfReplaced(one) }], { creating: false });
        await engine.remove(stack, left, { creating: false });
        // What would not go is no longer the stack's; its events say so.
        for (const { id } of left) stack.resources.delete(id);
        journal.delete(stack.id);
        stack.before = undefined;
        stack.outputs = engine.outputs(stack, wanted);
        engine.event(stack, "UPDATE_COMPLETE");
      });
    },
    delete(stack, retain) {
      const before = running.get(stack.id) ?? Promise.resolve();
      stack.cancelled = stack.status === "CREATE_IN_PROGRESS";
      engine.event(stack, "DELETE_IN_PROGRESS", "User Initiated");
      for (const wake of stack.listeners) wake();
      start(stack, async () => {
        await before;
        stack.cancelled = false;
        await remove(stack, retain);
      });
    },
    rollback(stack, skip) {
      const creation =
        stack.before === undefined && (stack.status === "CREATE_FAILED" || stack.status === "ROLLBACK_FAILED");
      engine.event(stack, creation ? "ROLLBACK_IN_PROGRESS" : "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated");
      start(stack, async () => (creation ? rollBackCreation(stack) : rollBackUpdate(stack, skip)));
    },
    cancel(stack) {
      stack.cancelled = true;
      for (const wake of stack.listeners) wake();
    },
  };
}

/** What becomes of a resource that another takes the place of: its own policy for that. */
function policyOfReplaced({
  template,
}: {
  readonly template: Wanted["template"]["Resources"][string];
}): Wanted["template"]["Resources"][string] {
  return { ...template, DeletionPolicy: template.UpdateReplacePolicy ?? "Delete" };
}
