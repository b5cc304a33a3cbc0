import { type Call, Refusal } from "../call.ts";
import { durations } from "../durations.ts";
import { page } from "../ec2/overlay.ts";
import { said } from "../parameters.ts";
import type { Place } from "../place.ts";
import { seconds } from "../place.ts";
import { type Act, type Book, onFailureIn, sameTags } from "./book.ts";
import { changesOf } from "./changes.ts";
import { detect, type Found, isDrifted } from "./drift.ts";
import type { Engine } from "./engine.ts";
import type { Operations } from "./operations.ts";
import { type ReadObject, wantedIn } from "./requests.ts";
import { changeShape, parameterShapes, tagShapes } from "./shapes.ts";
import { type Change, type ChangeSet, isBusy, type Stack } from "./stack.ts";

/** Change sets: what would become of a stack, and the way to do exactly that. */
export function changeSetActions(
  place: Place,
  { stacks, find, idle, scope, emptyStack, stackIn, heard, changeSetIn }: Book,
  engine: Engine,
  operations: Operations,
  readAs: (call: Call) => ReadObject,
): Readonly<Record<string, Act>> {
  const { clock, settings } = place;
  return {
    async CreateChangeSet(parameters, call) {
      const name = said(parameters, "StackName");
      const kind = said(parameters, "ChangeSetType") === "CREATE" ? "CREATE" : "UPDATE";
      let stack = find(name);
      if (kind === "CREATE" && stack !== undefined && stack.status !== "REVIEW_IN_PROGRESS")
        throw new Refusal(
          "ValidationError",
          `Stack [${name}] already exists and cannot be created again with the changeSet [${said(parameters, "ChangeSetName")}].`,
        );
      if (kind === "UPDATE") {
        if (stack === undefined) throw new Refusal("ValidationError", `Stack [${name}] does not exist`);
        idle(stack);
      }
      const setName = said(parameters, "ChangeSetName");
      const earlier = stack?.changeSets.get(setName);
      if (earlier !== undefined) {
        // The same request again, by its token.
        const token = said(parameters, "ClientToken");
        if (token !== "" && stack?.operations.get(`change set ${setName}`) === token)
          return { Id: earlier.id, StackId: stack.id };
        throw new Refusal(
          "AlreadyExistsException",
          `ChangeSet ${setName} cannot be created due to a mismatch with existing attribute Template`,
        );
      }
      const wanted = await wantedIn(place, parameters, readAs(call), stack?.now);
      if (stack === undefined) {
        stack = emptyStack(name, "");
        stacks.set(stack.id, stack);
        engine.event(stack, "REVIEW_IN_PROGRESS", "User Initiated");
      }
      stack.operations.set(`change set ${setName}`, said(parameters, "ClientToken"));
      const set: ChangeSet = {
        id: `arn:aws:cloudformation:${place.region}:${place.account}:changeSet/${setName}/${place.id("")}`,
        name: setName,
        kind,
        wanted,
        createdAt: clock.now(),
        description: said(parameters, "Description"),
        onFailure: onFailureIn(parameters),
        reverts: kind === "UPDATE" && said(parameters, "DeploymentMode") === "REVERT_DRIFT",
        status: "CREATE_IN_PROGRESS",
        execution: "UNAVAILABLE",
        reason: "",
        changes: [],
      };
      stack.changeSets.set(setName, set);
      const of = stack;
      void clock.inner.sleep(seconds(durations.changeSet)).then(async () => {
        const changes = withReverts(changesOf(of, wanted, scope(of)), of, set.reverts ? await detect(place, of) : []);
        if (kind === "UPDATE" && changes.length === 0 && sameTags(of.now, wanted)) {
          set.status = "FAILED";
          set.reason =
            "The submitted information didn't contain changes. Submit different information to create a change set.";
          return;
        }
        set.changes = changes;
        set.status = "CREATE_COMPLETE";
        set.execution = "AVAILABLE";
      });
      return { Id: set.id, StackId: stack.id };
    },
    async DescribeChangeSet(parameters) {
      const { stack, set } = changeSetIn(parameters);
      const { items, next } = page(
        set.changes,
        parameters,
        { most: "MaxResults", token: "NextToken" },
        settings.pageSize,
      );
      return {
        ChangeSetName: set.name,
        ChangeSetId: set.id,
        StackId: stack.id,
        StackName: stack.name,
        Description: set.description === "" ? undefined : set.description,
        Parameters: parameterShapes(set.wanted),
        CreationTime: new Date(set.createdAt).toISOString(),
        ExecutionStatus: set.execution,
        Status: set.status,
        StatusReason: set.reason === "" ? undefined : set.reason,
        Tags: tagShapes(set.wanted.tags),
        Changes: items.map(changeShape),
        OnStackFailure: set.onFailure,
        NextToken: next,
      };
    },
    async ListChangeSets(parameters) {
      const stack = stackIn(parameters);
      return {
        Summaries: [...stack.changeSets.values()].map((set) => ({
          StackId: stack.id,
          StackName: stack.name,
          ChangeSetId: set.id,
          ChangeSetName: set.name,
          ExecutionStatus: set.execution,
          Status: set.status,
          CreationTime: new Date(set.createdAt).toISOString(),
        })),
      };
    },
    async ExecuteChangeSet(parameters, call) {
      const { stack, set } = changeSetIn(parameters);
      if (heard(stack, call)) return {};
      if (set.execution !== "AVAILABLE")
        throw new Refusal(
          "InvalidChangeSetStatus",
          set.status === "CREATE_COMPLETE"
            ? `ChangeSet [${set.id}] cannot be executed in its current execution status of [${set.execution}]`
            : `ChangeSet [${set.id}] cannot be executed in its current status of [${set.status}]`,
        );
      if (isBusy(stack))
        throw new Refusal(
          "InvalidChangeSetStatus",
          `Stack [${stack.id}] is in ${stack.status} state; the change set cannot be executed`,
        );
      // The others were made of a stack that will be no more.
      for (const other of stack.changeSets.values())
        if (other !== set && other.execution === "AVAILABLE") other.execution = "OBSOLETE";
      set.execution = "EXECUTE_COMPLETE";
      stack.changeSets.delete(set.name);
      stack.onFailure = said(parameters, "DisableRollback") === "true" ? "DO_NOTHING" : set.onFailure;
      if (set.reverts) forget(stack, await detect(place, stack));
      if (set.kind === "CREATE") operations.create(stack, set.wanted);
      else operations.update(stack, set.wanted, { keep: stack.onFailure === "DO_NOTHING" });
      return {};
    },
    async DeleteChangeSet(parameters) {
      const { stack, set } = changeSetIn(parameters);
      if (set.status === "CREATE_IN_PROGRESS")
        throw new Refusal(
          "InvalidChangeSetStatus",
          `ChangeSet [${set.id}] cannot be deleted in its current status of [CREATE_IN_PROGRESS]`,
        );
      stack.changeSets.delete(set.name);
      return {};
    },
  };
}

/** What is drifted is changed by a change set that takes drift back: made again, or set again. */
function withReverts(changes: readonly Change[], stack: Stack, found: readonly Found[]): readonly Change[] {
  const known = new Set(changes.map(({ logical }) => logical));
  const more = found
    .filter((one) => isDrifted(one) && !known.has(one.logical))
    .flatMap(({ logical, drift }): Change[] => {
      const resource = stack.resources.get(logical);
      if (resource === undefined) return [];
      const common = { logical, physical: resource.physical, type: resource.type, details: [] };
      return [
        drift === "deleted"
          ? { ...common, action: "Add", replacement: undefined, scope: [] }
          : { ...common, action: "Modify", replacement: "False", scope: ["Properties"] },
      ];
    });
  return [...changes, ...more];
}

/** From here on the stack knows its resources as they are, and so finds what it has to do. */
function forget(stack: Stack, found: readonly Found[]): void {
  for (const { logical, drift } of found) {
    const resource = stack.resources.get(logical);
    if (resource === undefined) continue;
    if (drift === "deleted") resource.physical = "";
    else
      for (const { path, actual } of drift) resource.properties = { ...resource.properties, [path.slice(1)]: actual };
  }
}
