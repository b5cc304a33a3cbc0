import { Refusal } from "../call.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Section = { readonly [key: string]: Json };

export type TemplateResource = {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: Section;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly CreationPolicy?: Json;
  readonly UpdatePolicy?: Json;
  readonly Metadata?: Json;
};

export type Template = {
  readonly Description?: string;
  readonly Metadata?: Json;
  readonly Parameters: Readonly<Record<string, Section>>;
  readonly Conditions: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, Section>>;
};

/** AWS takes a template's text up to this size, beyond it only from S3, up to `byAddress` ("AWS CloudFormation quotas"). */
export const templateLimits = { body: 51_200, byAddress: 1_048_576, resources: 500 } as const;

/** Reads a template; only JSON, which is all that our compiler writes. */
export function parseTemplate(text: string): Template {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new Refusal(
      "ValidationError",
      `Template format error: JSON not well-formed. (${error instanceof Error ? error.message : ""})`,
    );
  }
  const template = read as Partial<Template> | null;
  if (
    template === null ||
    typeof template !== "object" ||
    template.Resources === undefined ||
    Object.keys(template.Resources).length === 0
  )
    throw new Refusal("ValidationError", "Template format error: At least one Resources member must be defined.");
  const whole: Template = { Parameters: {}, Conditions: {}, Outputs: {}, ...template, Resources: template.Resources };
  if (Object.keys(whole.Resources).length > templateLimits.resources)
    throw new Refusal(
      "ValidationError",
      `Template format error: Number of resources, ${Object.keys(whole.Resources).length}, is greater than maximum allowed, ${templateLimits.resources}`,
    );
  refuseUnresolved(whole);
  return whole;
}

/** Names that nothing stands behind, and resources that wait for each other. */
function refuseUnresolved(template: Template): void {
  const missing = new Set<string>();
  for (const resource of Object.values(template.Resources))
    for (const name of [...references(resource.Properties ?? {}), ...after(resource)])
      if (template.Resources[name] === undefined && template.Parameters[name] === undefined) missing.add(name);
  if (missing.size > 0)
    throw new Refusal(
      "ValidationError",
      `Template format error: Unresolved resource dependencies [${[...missing].join(", ")}] in the Resources block of the template`,
    );
  const done = new Set<string>();
  const visit = (id: string, way: readonly string[]): void => {
    if (done.has(id)) return;
    if (way.includes(id))
      throw new Refusal(
        "ValidationError",
        `Circular dependency between resources: [${way.slice(way.indexOf(id)).join(", ")}]`,
      );
    for (const need of needsOf(template, id)) visit(need, [...way, id]);
    done.add(id);
  };
  for (const id of Object.keys(template.Resources)) visit(id, []);
}

function after({ DependsOn }: TemplateResource): readonly string[] {
  return DependsOn === undefined ? [] : typeof DependsOn === "string" ? [DependsOn] : DependsOn;
}

/** Logical ids that a value points at, pseudo parameters left out. */
export function references(value: Json | undefined): readonly string[] {
  if (value === null || typeof value !== "object") return [];
  if (isList(value)) return value.flatMap(references);
  const { Ref: ref, "Fn::GetAtt": attribute } = value;
  if (typeof ref === "string") return ref.startsWith("AWS::") ? [] : [ref];
  if (attribute !== undefined) return [String(isList(attribute) ? attribute[0] : String(attribute).split(".")[0])];
  return Object.values(value).flatMap(references);
}

/** The resources that must be there before one. */
export function needsOf(template: Template, id: string): readonly string[] {
  const resource = template.Resources[id];
  if (resource === undefined) return [];
  const named = [...references(resource.Properties ?? {}), ...references(resource.CreationPolicy), ...after(resource)];
  return [...new Set(named)].filter((name) => name !== id && template.Resources[name] !== undefined);
}

/** What a template's values are worked out with. */
export type Scope = {
  readonly template: Template;
  readonly parameters: ReadonlyMap<string, string | readonly string[]>;
  readonly pseudo: Readonly<Record<string, string>>;
  readonly zones: readonly string[];
  /** A resource's own id, or an attribute of it; where it is not there yet, what stands for it. */
  readonly resource: (id: string, attribute: string | undefined) => Json;
};

const absent = Symbol("no value");
type Worked = Json | typeof absent;

export function holds(scope: Scope, name: string): boolean {
  const condition = scope.template.Conditions[name];
  if (condition === undefined)
    throw new Refusal("ValidationError", `Template format error: Unresolved condition dependency ${name}`);
  return truth(scope, condition);
}

function truth(scope: Scope, condition: Json): boolean {
  if (condition === null || typeof condition !== "object" || isList(condition))
    return condition === true || condition === "true";
  const [[name, value] = ["", null]] = Object.entries(condition);
  const all = isList(value) ? value : [value];
  switch (name) {
    case "Fn::Equals":
      return String(evaluate(scope, all[0] ?? "")) === String(evaluate(scope, all[1] ?? ""));
    case "Fn::Not":
      return !truth(scope, all[0] ?? false);
    case "Fn::And":
      return all.every((one) => truth(scope, one));
    case "Fn::Or":
      return all.some((one) => truth(scope, one));
    case "Condition":
      return holds(scope, String(value));
    default:
      throw new Refusal(
        "ValidationError",
        `Template error: every Condition member must be a condition function, not ${name}`,
      );
  }
}

/** A value with all functions worked out. */
export function evaluate(scope: Scope, value: Json): Json {
  const worked = work(scope, value);
  return worked === absent ? "" : worked;
}

function work(scope: Scope, value: Json): Worked {
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map((one) => work(scope, one)).filter((one) => one !== absent);
  const entries = Object.entries(value);
  const [[name, given] = ["", ""]] = entries;
  if (entries.length === 1 && (name === "Ref" || name.startsWith("Fn::"))) return apply(scope, name, given);
  const worked = entries.flatMap(([key, one]): readonly (readonly [string, Json])[] => {
    const result = work(scope, one);
    return result === absent ? [] : [[key, result]];
  });
  return Object.fromEntries(worked);
}

function apply(scope: Scope, name: string, given: Json): Worked {
  const list = isList(given) ? given : [given];
  switch (name) {
    case "Ref": {
      const id = String(given);
      if (id === "AWS::NoValue") return absent;
      const pseudo = scope.pseudo[id];
      if (pseudo !== undefined) return pseudo;
      const parameter = scope.parameters.get(id);
      if (parameter !== undefined) return parameter;
      return scope.resource(id, undefined);
    }
    case "Fn::GetAtt": {
      const [id = "", ...rest] = isList(given) ? given.map(String) : String(given).split(".");
      return scope.resource(id, rest.join("."));
    }
    case "Fn::Join": {
      const parts = evaluate(scope, list[1] ?? []);
      return (isList(parts) ? parts : [parts]).map(String).join(String(list[0]));
    }
    case "Fn::Select": {
      const from = evaluate(scope, list[1] ?? []);
      const picked = isList(from) ? from[Number(evaluate(scope, list[0] ?? 0))] : undefined;
      if (picked === undefined)
        throw new Refusal(
          "ValidationError",
          "Template error: Fn::Select cannot select nonexistent value at index " + String(list[0]),
        );
      return picked;
    }
    case "Fn::GetAZs":
      return scope.zones;
    case "Fn::Base64":
      return Buffer.from(String(evaluate(scope, given))).toString("base64");
    case "Fn::If":
      return work(scope, (holds(scope, String(list[0])) ? list[1] : list[2]) ?? "");
    case "Fn::Split":
      return String(evaluate(scope, list[1] ?? "")).split(String(list[0]));
    default:
      throw new Refusal("ValidationError", `the stand-in does not know the function ${name}`);
  }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
