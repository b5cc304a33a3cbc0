import { type Answer, type Call, Refusal } from "../call.ts";
import { said, texts } from "../parameters.ts";
import type { Place } from "../place.ts";
import { queryAnswer } from "../query.ts";
import { type Act, bookOf, onFailureIn, sameTags } from "./book.ts";
import { changeSetActions } from "./change-sets.ts";
import { changesOf } from "./changes.ts";
import { driftActions } from "./drift.ts";
import { engineOf } from "./engine.ts";
import { operationsOf } from "./operations.ts";
import { readingActions } from "./reading.ts";
import { type ReadObject, wantedIn } from "./requests.ts";
import { isBusy, type Stack } from "./stack.ts";

export type CloudFormation = {
  serve(call: Call): Promise<Answer>;
  readonly stacks: ReadonlyMap<string, Stack>;
};

/** CloudFormation: an engine of its own, because moto's does everything at once, rolls nothing back, and leaks. */
export function cloudFormationOf(
  place: Place,
  zones: readonly string[],
  readAs: (call: Call) => ReadObject,
): CloudFormation {
  const engine = engineOf(place, zones);
  const operations = operationsOf(engine);
  const book = bookOf(place, zones);
  const { stacks, find, stackIn, idle, scope, emptyStack, heard } = book;

  const actions: Readonly<Record<string, Act>> = {
    async CreateStack(parameters, call) {
      const name = said(parameters, "StackName");
      const there = find(name);
      if (there !== undefined && there.status !== "REVIEW_IN_PROGRESS") {
        if (heard(there, call)) return { StackId: there.id };
        throw new Refusal("AlreadyExistsException", `Stack [${name}] already exists`);
      }
      const wanted = await wantedIn(place, parameters, readAs(call), undefined);
      const stack = emptyStack(name, said(parameters, "ClientRequestToken"));
      heard(stack, call);
      stack.onFailure = onFailureIn(parameters);
      stack.protected = said(parameters, "EnableTerminationProtection") === "true";
      stacks.set(stack.id, stack);
      operations.create(stack, wanted);
      return { StackId: stack.id };
    },
    async UpdateStack(parameters, call) {
      const stack = stackIn(parameters);
      if (heard(stack, call)) return { StackId: stack.id };
      idle(stack);
      const wanted = await wantedIn(place, parameters, readAs(call), stack.now);
      const whole = [...stack.resources.values()].every(({ status }) => !status.endsWith("_FAILED"));
      if (whole && changesOf(stack, wanted, scope(stack)).length === 0 && sameTags(stack.now, wanted))
        throw new Refusal("ValidationError", "No updates are to be performed.");
      operations.update(stack, wanted, { keep: said(parameters, "DisableRollback") === "true" });
      return { StackId: stack.id };
    },
    async DeleteStack(parameters, call) {
      const stack = find(said(parameters, "StackName"));
      // What is not there is deleted.
      if (stack === undefined || stack.status === "DELETE_COMPLETE" || stack.status === "DELETE_IN_PROGRESS")
        return undefined;
      if (stack.protected)
        throw new Refusal(
          "ValidationError",
          `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`,
        );
      if (isBusy(stack) && stack.status !== "CREATE_IN_PROGRESS")
        throw new Refusal("ValidationError", `Stack [${stack.name}] cannot be deleted while in status ${stack.status}`);
      const retain = texts(parameters, "RetainResources");
      if (retain.length > 0 && stack.status !== "DELETE_FAILED")
        throw new Refusal(
          "ValidationError",
          "Invalid operation on stack. RetainResources is only valid for a stack in the DELETE_FAILED state",
        );
      if (heard(stack, call)) return undefined;
      operations.delete(stack, new Set(retain));
      return undefined;
    },
    async UpdateTerminationProtection(parameters) {
      const stack = stackIn(parameters);
      stack.protected = said(parameters, "EnableTerminationProtection") === "true";
      return { StackId: stack.id };
    },
    async SignalResource(parameters) {
      const stack = stackIn(parameters);
      const logical = said(parameters, "LogicalResourceId");
      if (!isBusy(stack))
        throw new Refusal(
          "ValidationError",
          `Resource ${logical} is in ${stack.resources.get(logical)?.status ?? stack.status} state and cannot be signaled`,
        );
      const resource = stack.resources.get(logical);
      if (resource === undefined)
        throw new Refusal("ValidationError", `Resource ${logical} does not exist for stack ${stack.name}`);
      if (!resource.status.endsWith("IN_PROGRESS"))
        throw new Refusal(
          "ValidationError",
          `Signal for resource ${logical} is not allowed in its state ${resource.status}`,
        );
      const signals = stack.signals.get(logical) ?? new Map<string, "SUCCESS" | "FAILURE">();
      // The first word of each counts (assumed).
      const unique = said(parameters, "UniqueId");
      if (!signals.has(unique)) signals.set(unique, said(parameters, "Status") === "FAILURE" ? "FAILURE" : "SUCCESS");
      stack.signals.set(logical, signals);
      for (const wake of stack.listeners) wake();
      return undefined;
    },
    async ContinueUpdateRollback(parameters, call) {
      const stack = stackIn(parameters);
      if (heard(stack, call)) return {};
      if (stack.status !== "UPDATE_ROLLBACK_FAILED")
        throw new Refusal(
          "ValidationError",
          `Stack:${stack.id} is in ${stack.status} state and can not continue to roll back its update.`,
        );
      operations.rollback(stack, new Set(texts(parameters, "ResourcesToSkip")));
      return {};
    },
    async RollbackStack(parameters, call) {
      const stack = stackIn(parameters);
      if (heard(stack, call)) return { StackId: stack.id };
      if (stack.status !== "CREATE_FAILED" && stack.status !== "UPDATE_FAILED")
        throw new Refusal(
          "ValidationError",
          `Stack:${stack.id} is in ${stack.status} state and can not be rolled back.`,
        );
      operations.rollback(stack, new Set());
      return { StackId: stack.id };
    },
    async CancelUpdateStack(parameters) {
      const stack = stackIn(parameters);
      if (stack.status !== "UPDATE_IN_PROGRESS")
        throw new Refusal(
          "ValidationError",
          `CancelUpdateStack cannot be called from current stack status ${stack.status}`,
        );
      operations.cancel(stack);
      return undefined;
    },
    ...changeSetActions(place, book, engine, operations, readAs),
    ...readingActions(place, book, readAs),
    ...driftActions(place, stackIn),
  };

  return {
    stacks,
    async serve(call) {
      const act = actions[call.action];
      if (act === undefined)
        throw new Refusal("InvalidAction", `the stand-in does not know cloudformation ${call.action}`);
      return queryAnswer(call.action, await act(call.parameters, call));
    },
  };
}
