import { handlerOf } from "./handlers/table.ts";
import { type Change, parameterValues, type Stack, type Wanted } from "./stack.ts";
import { holds, type Json, references, type Scope, type Section, type TemplateResource } from "./template.ts";

/** What an update would do, as a change set says it: from the two templates, with what is not known before marked so. */
export function changesOf(stack: Stack, wanted: Wanted, scope: (wanted: Wanted) => Scope): readonly Change[] {
  const before = stack.now;
  const here = scope(wanted);
  const ids = (template: Wanted["template"], of: Scope): readonly string[] =>
    Object.entries(template.Resources)
      .filter(([, { Condition: condition }]) => condition === undefined || holds(of, condition))
      .map(([id]) => id);
  const now = new Set(ids(wanted.template, here));
  const then = new Set(before === undefined ? [] : ids(before.template, scope(before)));
  const changes = new Map<string, Change>();

  for (const id of now) {
    const resource = wanted.template.Resources[id];
    if (resource === undefined || then.has(id)) continue;
    changes.set(id, {
      action: "Add",
      logical: id,
      physical: "",
      type: resource.Type,
      replacement: undefined,
      scope: [],
      details: [],
    });
  }
  if (before !== undefined)
    for (const id of then)
      if (!now.has(id))
        changes.set(id, {
          action: "Remove",
          logical: id,
          physical: stack.resources.get(id)?.physical ?? "",
          type: before.template.Resources[id]?.Type ?? "",
          replacement: undefined,
          scope: [],
          details: [],
        });

  // Until nothing more follows: who points at what changes may change, too.
  for (let grown = true; grown;) {
    grown = false;
    for (const id of now) {
      const resource = wanted.template.Resources[id];
      const old = before?.template.Resources[id];
      if (resource === undefined || old === undefined || before === undefined || !then.has(id)) continue;
      const change = modified(id, resource, old, wanted, before, changes, stack);
      if (change === undefined) continue;
      if (JSON.stringify(changes.get(id)) !== JSON.stringify(change)) {
        changes.set(id, change);
        grown = true;
      }
    }
  }
  return [...changes.values()].toSorted((a, b) => (a.logical < b.logical ? -1 : 1));
}

function modified(
  id: string,
  resource: TemplateResource,
  old: TemplateResource,
  wanted: Wanted,
  before: Wanted,
  changes: ReadonlyMap<string, Change>,
  stack: Stack,
): Change | undefined {
  const replacedBy = new Set(handlerOf(resource.Type)?.replacedBy);
  const properties = settled(resource.Properties ?? {}, wanted);
  const earlier = settled(old.Properties ?? {}, before);
  const details: Change["details"][number][] = [];
  const scope = new Set<string>();
  let replacement: Change["replacement"] = resource.Type === old.Type ? "False" : "True";
  for (const name of new Set([...Object.keys(properties), ...Object.keys(earlier)])) {
    const attribute = name === "Tags" ? "Tags" : "Properties";
    const recreates = replacedBy.has(name);
    if (JSON.stringify(properties[name]) !== JSON.stringify(earlier[name])) {
      scope.add(attribute);
      if (recreates) replacement = "True";
      details.push({
        attribute,
        name: attribute === "Tags" ? undefined : name,
        recreation: recreates ? "Always" : "Never",
        evaluation: "Static",
        source: "DirectModification",
        cause: undefined,
      });
      continue;
    }
    for (const { cause, source } of causes(resource.Properties?.[name], changes)) {
      scope.add(attribute);
      if (recreates && replacement === "False") replacement = "Conditional";
      details.push({
        attribute,
        name: attribute === "Tags" ? undefined : name,
        recreation: recreates ? "Conditionally" : "Never",
        evaluation: "Dynamic",
        source,
        cause,
      });
    }
  }
  for (const name of ["DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy", "Metadata"] as const)
    if (JSON.stringify(resource[name]) !== JSON.stringify(old[name])) {
      scope.add(name);
      details.push({
        attribute: name,
        name: undefined,
        recreation: "Never",
        evaluation: "Static",
        source: "DirectModification",
        cause: undefined,
      });
    }
  if (details.length === 0) return undefined;
  return {
    action: "Modify",
    logical: id,
    physical: stack.resources.get(id)?.physical ?? "",
    type: resource.Type,
    replacement,
    scope: [...scope].toSorted(),
    details,
  };
}

/** Of what a value points at, that which changes: an id only where there will be another one, an attribute in any case. */
function causes(
  value: Json | undefined,
  changes: ReadonlyMap<string, Change>,
): readonly { readonly cause: string; readonly source: string }[] {
  if (value === null || value === undefined || typeof value !== "object") return [];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one) => causes(one, changes));
  const object = value as Section;
  const { Ref: ref, "Fn::GetAtt": attribute } = object;
  if (typeof ref === "string") {
    const change = changes.get(ref);
    return change !== undefined && (change.replacement === "True" || change.replacement === "Conditional")
      ? [{ cause: ref, source: "ResourceReference" }]
      : [];
  }
  if (attribute !== undefined) {
    const [id = ""] = references(object);
    const change = changes.get(id);
    // Most attributes are as lasting as the resource; a launch template's version is not.
    const lasting = !/Version/.test(Array.isArray(attribute) ? String(attribute[1]) : String(attribute));
    if (change === undefined || change.action !== "Modify" || (lasting && change.replacement === "False")) return [];
    return [
      {
        cause: Array.isArray(attribute) ? attribute.map(String).join(".") : String(attribute),
        source: "ResourceAttribute",
      },
    ];
  }
  return Object.values(object).flatMap((one) => causes(one, changes));
}

/** Parameters put in, resources left as they are pointed at. */
function settled(properties: Section, wanted: Wanted): Section {
  const values = parameterValues(wanted);
  const settle = (value: Json): Json => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return (value as readonly Json[]).map(settle);
    const object = value as Section;
    const { Ref: ref } = object;
    if (typeof ref === "string") return values.get(ref) ?? object;
    return Object.fromEntries(Object.entries(object).map(([key, one]) => [key, settle(one)]));
  };
  return settle(properties) as Section;
}
