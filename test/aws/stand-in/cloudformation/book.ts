import { type Call, Refusal } from "../call.ts";
import { type Parameters, said } from "../parameters.ts";
import type { Place } from "../place.ts";
import type { Shape } from "../xml.ts";
import { type ChangeSet, isBusy, scopeOf, type Stack, type StackStatus, type Wanted } from "./stack.ts";
import type { Scope } from "./template.ts";

export type Act = (parameters: Parameters, call: Call) => Promise<{ readonly [key: string]: Shape } | undefined>;

/** The stacks of an account in a region, and what every request asks of them. */
export type Book = {
  readonly stacks: Map<string, Stack>;
  find(name: string): Stack | undefined;
  stackIn(parameters: Parameters): Stack;
  /** Refuses while something goes on with it, or went wrong with it. */
  idle(stack: Stack): void;
  scope(stack: Stack): (wanted: Wanted) => Scope;
  emptyStack(name: string, token: string): Stack;
  /** Whether a request's token has been heard for this stack: then nothing more is done. */
  heard(stack: Stack, call: Call): boolean;
  changeSetIn(parameters: Parameters): { readonly stack: Stack; readonly set: ChangeSet };
};

export function bookOf(place: Place, zones: readonly string[]): Book {
  const { clock } = place;
  const stacks = new Map<string, Stack>();

  const find = (name: string): Stack | undefined =>
    stacks.get(name) ?? [...stacks.values()].find((stack) => stack.name === name && stack.status !== "DELETE_COMPLETE");
  const stackIn = (parameters: Parameters): Stack => {
    const name = said(parameters, "StackName");
    const stack = find(name);
    if (stack === undefined) throw new Refusal("ValidationError", `Stack with id ${name} does not exist`);
    return stack;
  };
  const idle = (stack: Stack): void => {
    if (isBusy(stack) || !updatable.has(stack.status))
      throw new Refusal("ValidationError", `Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
  };
  const scope =
    (stack: Stack) =>
    (wanted: Wanted): Scope =>
      scopeOf(stack, wanted, { account: place.account, region: place.region, zones }, (id, attribute) =>
        attribute === undefined ? id : `${id}.${attribute}`,
      );

  const emptyStack = (name: string, token: string): Stack => ({
    id: `arn:aws:cloudformation:${place.region}:${place.account}:stack/${name}/${place.id("")}`,
    name,
    createdAt: clock.now(),
    updatedAt: undefined,
    deletedAt: undefined,
    status: "REVIEW_IN_PROGRESS",
    reason: "",
    now: undefined,
    before: undefined,
    resources: new Map(),
    events: [],
    changeSets: new Map(),
    outputs: [],
    protected: false,
    onFailure: "ROLLBACK",
    signals: new Map(),
    listeners: new Set(),
    cancelled: false,
    role: "",
    token,
    operations: new Map(),
  });

  /** Whether this token has been heard for this stack: then nothing more is done. */
  const heard = (stack: Stack, call: Call): boolean => {
    const token = said(call.parameters, "ClientRequestToken");
    if (token === "") return false;
    const before = stack.operations.get(token);
    if (before === call.action) return true;
    if (before !== undefined)
      throw new Refusal(
        "TokenAlreadyExistsException",
        `A client request token ${token} already exists for another operation`,
      );
    stack.operations.set(token, call.action);
    stack.token = token;
    return false;
  };

  const changeSetIn = (parameters: Parameters): { readonly stack: Stack; readonly set: ChangeSet } => {
    const name = said(parameters, "ChangeSetName");
    const of = said(parameters, "StackName");
    for (const stack of of === "" ? stacks.values() : [stackIn(parameters)])
      for (const set of stack.changeSets.values())
        if (set.id === name || (of !== "" && set.name === name)) return { stack, set };
    throw new Refusal("ChangeSetNotFound", `ChangeSet [${name}] does not exist`, 404);
  };

  return { stacks, find, stackIn, idle, scope, emptyStack, heard, changeSetIn };
}

/** What becomes of a stack that cannot be made. */
export function onFailureIn(parameters: Parameters): string {
  const on = said(parameters, "OnFailure") || said(parameters, "OnStackFailure");
  return said(parameters, "DisableRollback") === "true" ? "DO_NOTHING" : on || "ROLLBACK";
}

/** From these a stack can be updated (user guide, "Stack status codes"). */
const updatable: ReadonlySet<StackStatus> = new Set([
  "CREATE_COMPLETE",
  "UPDATE_COMPLETE",
  "UPDATE_ROLLBACK_COMPLETE",
  "UPDATE_FAILED",
  // Where rolling back was switched off.
  "CREATE_FAILED",
]);

export function sameTags(now: Wanted | undefined, wanted: Wanted): boolean {
  return JSON.stringify([...(now?.tags ?? [])].toSorted()) === JSON.stringify([...wanted.tags].toSorted());
}
