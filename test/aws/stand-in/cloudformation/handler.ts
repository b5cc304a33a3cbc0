import type { Place } from "../place.ts";
import type { Given } from "../parameters.ts";
import type { Element } from "../xml.ts";
import type { Section } from "./template.ts";

export type Made = { readonly id: string; readonly attributes?: Readonly<Record<string, string>> };

/** What a handler works with. */
export type Context = {
  readonly place: Place;
  readonly stackName: string;
  readonly logical: string;
  /** The stack's tags and CloudFormation's own. */
  readonly tags: readonly { readonly Key: string; readonly Value: string }[];
  /** Asks AWS in the caller's name. */
  ask(service: string, action: string, parameters?: { readonly [key: string]: Given }): Promise<Element>;
  /** A physical name where the template gives none: stack, logical id, and a random end. */
  name(): string;
  /** Seconds of virtual time. */
  wait(seconds: number): Promise<void>;
};

/** How CloudFormation makes, changes and removes one type. */
export type Handler = {
  /** Seconds; AWS-like where anybody has written them down, else assumed. */
  readonly takes: { readonly create: number; readonly update: number; readonly delete: number };
  /** Properties whose change replaces the resource ("Update requires: Replacement" in the template reference). */
  readonly replacedBy: readonly string[];
  create(properties: Section, context: Context): Promise<Made>;
  /** In place; gives its attributes as they are then. Where it is absent, nothing but tags can change. */
  update?(
    id: string,
    properties: Section,
    before: Section,
    context: Context,
  ): Promise<Readonly<Record<string, string>> | undefined>;
  delete(id: string, properties: Section, context: Context): Promise<void>;
  /** Properties that differ from what was set, for drift. */
  drift?(id: string, properties: Section, context: Context): Promise<readonly Drifted[] | "deleted">;
};

export type Drifted = { readonly path: string; readonly expected: string; readonly actual: string };

export function textIn(properties: Section, name: string): string {
  const value = properties[name];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

export function listIn(properties: Section, name: string): readonly Given[] {
  const value = properties[name];
  return Array.isArray(value) ? (value as readonly Given[]) : [];
}

/** Tags of the template, and of the stack, as the APIs take them. */
export function tagsOf(
  properties: Section,
  { tags }: Context,
): readonly { readonly Key: string; readonly Value: string }[] {
  const own = listIn(properties, "Tags").map((one) => one as { readonly Key: string; readonly Value: string });
  const all = new Map([...tags, ...own].map(({ Key, Value }) => [Key, String(Value)]));
  return [...all].map(([Key, Value]) => ({ Key, Value }));
}
