/** What CloudFormation itself knows about the place where a stack is. */
export type Pseudo = "AccountId" | "NoValue" | "Partition" | "Region" | "StackId" | "StackName";

/** A value that is known only when the resource it points at is there; data, so that every compiler has its own words for it. */
export type Reference =
  /** The resource's own id, as its type defines it. */
  | { readonly $: "id"; readonly of: string }
  | { readonly $: "attribute"; readonly of: string; readonly attribute: string }
  | { readonly $: "parameter"; readonly name: string }
  | { readonly $: "pseudo"; readonly name: Pseudo }
  /** The zone of this number in the region, counted from 0. */
  | { readonly $: "zone"; readonly index: number }
  /** Texts in a row. */
  | { readonly $: "text"; readonly parts: readonly Value[] }
  | { readonly $: "base64"; readonly of: Value }
  | { readonly $: "if"; readonly condition: string; readonly held: Value; readonly otherwise: Value };

export type Value = string | number | boolean | Reference | readonly Value[] | { readonly [key: string]: Value };
export type Properties = { readonly [key: string]: Value };

export function idOf(of: string): Reference {
  return { $: "id", of };
}
export function attributeOf(of: string, attribute: string): Reference {
  return { $: "attribute", of, attribute };
}
export function parameter(name: string): Reference {
  return { $: "parameter", name };
}
export function pseudo(name: Pseudo): Reference {
  return { $: "pseudo", name };
}
/** Texts and references as one text. */
export function textOf(...parts: readonly Value[]): Reference {
  return { $: "text", parts };
}

export function isReference(value: Value): value is Reference {
  return typeof value === "object" && !Array.isArray(value) && "$" in value;
}

/** The logical ids of all resources that a value points at. */
export function pointedAt(value: Value): readonly string[] {
  if (typeof value !== "object") return [];
  if (isList(value)) return value.flatMap(pointedAt);
  if (!isReference(value)) return Object.values(value).flatMap(pointedAt);
  switch (value.$) {
    case "id":
    case "attribute":
      return [value.of];
    case "text":
      return value.parts.flatMap(pointedAt);
    case "base64":
      return pointedAt(value.of);
    case "if":
      return [...pointedAt(value.held), ...pointedAt(value.otherwise)];
    case "parameter":
    case "pseudo":
    case "zone":
      return [];
  }
}

/** `Array.isArray` does not narrow read-only lists. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
