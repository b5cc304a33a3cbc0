import { setMaxListeners } from "node:events";
import { Refusal } from "../call.ts";
import { durations } from "../durations.ts";
import type { Place } from "../place.ts";
import { seconds } from "../place.ts";
import type { Context } from "./handler.ts";
import { type Done, replacing } from "./done.ts";
import { handlerOf } from "./handlers/table.ts";
import { waitForSignals } from "./signals.ts";
import { roll } from "./rolling.ts";
import { type Resource, type ResourceStatus, scopeOf, type Stack, type StackStatus, type Wanted } from "./stack.ts";
import { evaluate, holds, needsOf, type Scope, type Section, type TemplateResource } from "./template.ts";

/** Something of a resource did not come about; its event says what. */
class Failed extends Error {}

/** Works on one stack's resources: in their order, side by side where nothing binds them, each in its own time. */
export type Engine = {
  readonly place: Place;
  event(stack: Stack, status: StackStatus, reason?: string): void;
  /** Makes what is wanted; gives why not, and what was done until then. */
  bring(stack: Stack, wanted: Wanted, done: Done[]): Promise<string | undefined>;
  /** Removes resources, dependants first; gives the ids of those that would not go. */
  remove(
    stack: Stack,
    resources: readonly Resource[],
    options: { readonly creating: boolean; readonly retain?: ReadonlySet<string> },
  ): Promise<readonly string[]>;
  /** Takes back; gives the ids of those that could not be. */
  undo(stack: Stack, done: Done[], skip: ReadonlySet<string>): Promise<readonly string[]>;
  outputs(stack: Stack, wanted: Wanted): Stack["outputs"];
  zones: readonly string[];
};

export function engineOf(place: Place, zones: readonly string[]): Engine {
  const { clock } = place;

  const push = (
    stack: Stack,
    logical: string,
    physical: string,
    type: string,
    status: string,
    reason: string,
  ): void => {
    stack.events.push({
      id: place.id(`${logical}-${status}-`),
      time: clock.now(),
      logical,
      physical,
      type,
      status,
      reason,
      token: stack.token,
    });
  };
  const event: Engine["event"] = (stack, status, reason = "") => {
    stack.status = status;
    stack.reason = reason;
    push(stack, stack.name, stack.id, "AWS::CloudFormation::Stack", status, reason);
  };
  const mark = (stack: Stack, resource: Resource, status: ResourceStatus, reason = ""): void => {
    resource.status = status;
    resource.reason = reason;
    resource.time = clock.now();
    push(stack, resource.id, resource.physical, resource.type, status, reason);
  };

  const contextOf = (
    stack: Stack,
    wanted: Wanted | undefined,
    { id: logical, type }: Pick<Resource, "id" | "type">,
  ): Context => ({
    place,
    stackName: stack.name,
    logical,
    tags: [
      ...[...(wanted?.tags ?? [])].map(([Key, Value]) => ({ Key, Value })),
      { Key: "aws:cloudformation:stack-name", Value: stack.name },
      { Key: "aws:cloudformation:stack-id", Value: stack.id },
      { Key: "aws:cloudformation:logical-id", Value: logical },
    ],
    ask(service, action, parameters = {}) {
      place.onBehalf(type, service, action, parameters);
      return place.ask(service, action, parameters);
    },
    name: () => `${stack.name}-${logical}-${place.id("").slice(-12)}`,
    wait: (count) => clock.inner.sleep(seconds(count)),
  });

  const scope = (stack: Stack, wanted: Wanted): Scope =>
    scopeOf(stack, wanted, { account: place.account, region: place.region, zones }, (id, attribute) => {
      const resource = stack.resources.get(id);
      if (resource === undefined) throw new Refusal("ValidationError", `Template error: resource ${id} is not there`);
      if (attribute === undefined) return resource.physical;
      const value = resource.attributes[attribute];
      if (value === undefined)
        throw new Refusal("ValidationError", `the stand-in's ${resource.type} has no attribute ${attribute}`);
      return value;
    });

  const reasonOf = (error: unknown): string => {
    if (error instanceof Refusal)
      return `Resource handler returned message: "${error.message} (Service: Aws, Status Code: ${error.status}, Request ID: stand-in)" (RequestToken: stand-in, HandlerErrorCode: ${error.code})`;
    // A mistake of the stand-in's own: its test shall fail by it, and not wait for ever.
    return `the stand-in failed: ${error instanceof Error ? error.message : String(error)}`;
  };

  const bring: Engine["bring"] = async (stack, wanted, done) => {
    const here = scope(stack, wanted);
    const cut = new AbortController();
    setMaxListeners(0, cut.signal);
    let failure: string | undefined;
    const ids = new Set(
      Object.entries(wanted.template.Resources)
        .filter(([, { Condition: condition }]) => condition === undefined || holds(here, condition))
        .map(([id]) => id),
    );
    const started = new Map<string, Promise<boolean>>();

    const fail = (stackResource: Resource, status: "CREATE_FAILED" | "UPDATE_FAILED", reason: string): never => {
      mark(stack, stackResource, status, reason);
      if (failure === undefined) {
        failure = `The following resource(s) failed to ${status === "CREATE_FAILED" ? "create" : "update"}: [${stackResource.id}]. `;
        cut.abort();
      }
      throw new Failed(reason);
    };
    /** Time that CloudFormation takes, cut short when something else has failed. */
    const spend = async (resource: Resource, count: number, verb: "creation" | "update"): Promise<void> => {
      await clock.inner.sleep(seconds(count), cut.signal);
      if (cut.signal.aborted || stack.cancelled)
        fail(resource, verb === "creation" ? "CREATE_FAILED" : "UPDATE_FAILED", `Resource ${verb} cancelled`);
    };

    const create = async (id: string, template: TemplateResource, properties: Section, type: string): Promise<void> => {
      const handler = handlerOf(type);
      const resource: Resource = {
        id,
        type,
        physical: "",
        status: "CREATE_IN_PROGRESS",
        reason: "",
        time: clock.now(),
        properties,
        attributes: {},
        template,
        fresh: true,
      };
      const old = stack.resources.get(id);
      stack.resources.set(id, resource);
      stack.signals.delete(id);
      const entry: Done = old === undefined ? { kind: "created", resource } : { kind: "replaced", resource, old };
      done.push(entry);
      if (old !== undefined)
        mark(
          stack,
          resource,
          "UPDATE_IN_PROGRESS",
          "Requested update requires the creation of a new physical resource; hence creating one.",
        );
      else mark(stack, resource, "CREATE_IN_PROGRESS");
      if (handler === undefined)
        return fail(resource, "CREATE_FAILED", `Template format error: Unrecognized resource types: [${type}]`);
      const planted = place.faults.resourceFails(id, type, "create");
      if (planted !== undefined) {
        await spend(resource, 2, "creation");
        return fail(resource, "CREATE_FAILED", planted);
      }
      try {
        const made = await handler.create(properties, contextOf(stack, wanted, resource));
        resource.physical = made.id;
        resource.attributes = made.attributes ?? {};
      } catch (error) {
        return fail(resource, "CREATE_FAILED", reasonOf(error));
      }
      mark(
        stack,
        resource,
        old === undefined ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS",
        "Resource creation Initiated",
      );
      await spend(resource, handler.takes.create, "creation");
      const policy = evaluate(here, template.CreationPolicy ?? {});
      const missed = await waitForSignals(place, stack, id, policy, cut.signal, (line) => {
        push(stack, id, resource.physical, type, "CREATE_IN_PROGRESS", line);
      });
      if (cut.signal.aborted || stack.cancelled) return fail(resource, "CREATE_FAILED", "Resource creation cancelled");
      if (missed !== undefined) return fail(resource, "CREATE_FAILED", missed);
      mark(stack, resource, old === undefined ? "CREATE_COMPLETE" : "UPDATE_COMPLETE");
    };

    const update = async (resource: Resource, template: TemplateResource, properties: Section): Promise<void> => {
      const handler = handlerOf(resource.type);
      const before = resource.properties;
      done.push({ kind: "updated", resource, before, template: resource.template });
      mark(stack, resource, "UPDATE_IN_PROGRESS");
      const planted = place.faults.resourceFails(resource.id, resource.type, "update");
      if (planted !== undefined) {
        await spend(resource, 2, "update");
        return fail(resource, "UPDATE_FAILED", planted);
      }
      try {
        const context = contextOf(stack, wanted, resource);
        const attributes = await handler?.update?.(resource.physical, properties, before, context);
        resource.attributes = attributes ?? resource.attributes;
        resource.properties = properties;
        resource.template = template;
      } catch (error) {
        return fail(resource, "UPDATE_FAILED", reasonOf(error));
      }
      await spend(resource, handler?.takes.update ?? 1, "update");
      const missed = await roll(
        place,
        stack,
        resource,
        evaluate(here, template.UpdatePolicy ?? {}),
        before,
        cut.signal,
        (reason) => push(stack, resource.id, resource.physical, resource.type, "UPDATE_IN_PROGRESS", reason),
      );
      if (missed !== undefined) return fail(resource, "UPDATE_FAILED", missed);
      mark(stack, resource, "UPDATE_COMPLETE");
    };

    const make = async (id: string): Promise<boolean> => {
      const needs = needsOf(wanted.template, id).filter((need) => ids.has(need));
      const ready = (await Promise.all(needs.map(run))).every(Boolean);
      if (!ready || cut.signal.aborted || stack.cancelled) return false;
      const template = wanted.template.Resources[id];
      if (template === undefined) return false;
      try {
        const properties = evaluate(here, template.Properties ?? {}) as Section;
        // What was never made is made as if nothing had been there.
        if (stack.resources.get(id)?.physical === "") stack.resources.delete(id);
        const there = stack.resources.get(id);
        if (there === undefined || there.status === "CREATE_FAILED")
          await create(id, template, properties, template.Type);
        else if (there.type !== template.Type || replacing(there, properties).length > 0)
          await create(id, template, properties, template.Type);
        else if (JSON.stringify(there.properties) !== JSON.stringify(properties))
          await update(there, template, properties);
        else there.template = template;
        return true;
      } catch (error) {
        if (error instanceof Failed) return false;
        throw error;
      }
    };
    const run = (id: string): Promise<boolean> => {
      const there = started.get(id);
      if (there !== undefined) return there;
      const made = make(id);
      started.set(id, made);
      return made;
    };
    await Promise.all([...ids].map(run));
    if (failure === undefined && stack.cancelled) failure = "User Initiated";
    return failure;
  };

  const removeOne = async (stack: Stack, resource: Resource): Promise<boolean> => {
    const handler = handlerOf(resource.type);
    mark(stack, resource, "DELETE_IN_PROGRESS");
    const planted = place.faults.resourceFails(resource.id, resource.type, "delete");
    if (planted !== undefined) {
      mark(stack, resource, "DELETE_FAILED", planted);
      return false;
    }
    const limit = clock.now() + seconds(durations.dependencyLimit);
    for (;;) {
      try {
        if (resource.physical !== "")
          await handler?.delete(resource.physical, resource.properties, contextOf(stack, stack.now, resource));
        break;
      } catch (error) {
        const reason = reasonOf(error);
        const code = error instanceof Refusal ? error.code : "";
        // What is gone already is gone.
        if (/NotFound|NoSuchEntity|NoSuchBucket|ResourceNotFound|InvalidAllocationID|InvalidAssociationID/.test(code))
          break;
        const patient =
          /DependencyViolation|InUse|currently in use/.test(`${code} ${reason}`) && code !== "BucketNotEmpty";
        if (!patient || clock.now() >= limit) {
          mark(stack, resource, "DELETE_FAILED", reason);
          return false;
        }
        await clock.inner.sleep(seconds(durations.dependencyRetry));
      }
    }
    await clock.inner.sleep(seconds(handler?.takes.delete ?? 1));
    mark(stack, resource, "DELETE_COMPLETE");
    return true;
  };

  const remove: Engine["remove"] = async (stack, resources, { creating, retain = new Set() }) => {
    const failed: string[] = [];
    const byId = new Map(resources.map((resource) => [resource.id, resource]));
    const started = new Map<string, Promise<boolean>>();
    const needs = (resource: Resource): readonly string[] => {
      const template = stack.now?.template ?? stack.before?.template;
      return template === undefined
        ? []
        : needsOf({ ...template, Resources: { ...template.Resources, [resource.id]: resource.template } }, resource.id);
    };
    const dependants = new Map<string, string[]>();
    for (const resource of resources)
      for (const need of needs(resource)) dependants.set(need, [...(dependants.get(need) ?? []), resource.id]);
    const gone = async (resource: Resource): Promise<boolean> => {
      const waits = (dependants.get(resource.id) ?? []).flatMap((id) => byId.get(id) ?? []);
      if (!(await Promise.all(waits.map(run))).every(Boolean)) {
        failed.push(resource.id);
        return false;
      }
      const policy = resource.template.DeletionPolicy ?? "Delete";
      const kept = policy === "Retain" || (policy === "RetainExceptOnCreate" && !creating) || retain.has(resource.id);
      if (kept) {
        // What was never made is no more kept than anything else.
        if (resource.physical !== "") mark(stack, resource, "DELETE_SKIPPED");
        stack.resources.delete(resource.id);
        return true;
      }
      if (policy === "Snapshot" && resource.type === "AWS::EC2::Volume" && resource.physical !== "" && !creating)
        await place.ask("ec2", "CreateSnapshot", {
          VolumeId: resource.physical,
          Description: `snapshot of ${resource.id} of ${stack.name}`,
        });
      const removed = await removeOne(stack, resource);
      if (!removed) failed.push(resource.id);
      else if (stack.resources.get(resource.id) === resource) stack.resources.delete(resource.id);
      return removed;
    };
    const run = (resource: Resource): Promise<boolean> => {
      const there = started.get(resource.id);
      if (there !== undefined) return there;
      const going = gone(resource);
      started.set(resource.id, going);
      return going;
    };
    await Promise.all(resources.map(run));
    return failed;
  };

  const undo: Engine["undo"] = async (stack, done, skip) => {
    const failed: string[] = [];
    for (const one of done.toReversed()) {
      if (one.kind !== "updated") continue;
      const { resource } = one;
      if (skip.has(resource.id)) {
        resource.properties = one.before;
        resource.template = one.template;
        mark(stack, resource, "UPDATE_COMPLETE", "Resource was skipped during rollback");
        done.splice(done.indexOf(one), 1);
        continue;
      }
      mark(stack, resource, "UPDATE_IN_PROGRESS");
      const planted = place.faults.resourceFails(resource.id, resource.type, "update");
      try {
        if (planted !== undefined) throw new Refusal("InternalFailure", planted);
        const handler = handlerOf(resource.type);
        const attributes = await handler?.update?.(
          resource.physical,
          one.before,
          resource.properties,
          contextOf(stack, stack.before, resource),
        );
        await clock.inner.sleep(seconds(handler?.takes.update ?? 1));
        resource.attributes = attributes ?? resource.attributes;
        resource.properties = one.before;
        resource.template = one.template;
        mark(stack, resource, "UPDATE_COMPLETE");
        done.splice(done.indexOf(one), 1);
      } catch (error) {
        mark(stack, resource, "UPDATE_FAILED", planted ?? reasonOf(error));
        failed.push(resource.id);
      }
    }
    return failed;
  };

  const outputs: Engine["outputs"] = (stack, wanted) => {
    const here = scope(stack, wanted);
    return Object.entries(wanted.template.Outputs)
      .filter(([, { Condition: condition }]) => typeof condition !== "string" || holds(here, condition))
      .map(([key, { Value: value = "", Description: description = "" }]) => ({
        key,
        value: String(evaluate(here, value)),
        description: String(description),
      }));
  };

  return { place, event, bring, remove, undo, outputs, zones };
}
