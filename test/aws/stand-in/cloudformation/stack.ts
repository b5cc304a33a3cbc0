import type { Json, Scope, Section, Template, TemplateResource } from "./template.ts";

export type StackStatus =
  | "REVIEW_IN_PROGRESS"
  | `${"CREATE" | "UPDATE" | "DELETE" | "ROLLBACK" | "UPDATE_ROLLBACK"}_${"IN_PROGRESS" | "COMPLETE" | "FAILED"}`
  | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
  | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS";

export type ResourceStatus =
  | `${"CREATE" | "UPDATE" | "DELETE"}_${"IN_PROGRESS" | "COMPLETE" | "FAILED"}`
  | "DELETE_SKIPPED";

/** A resource of a stack that is there, or was. */
export type Resource = {
  readonly id: string;
  readonly type: string;
  physical: string;
  status: ResourceStatus;
  reason: string;
  time: number;
  /** As it was made, with all functions worked out. */
  properties: Section;
  attributes: Readonly<Record<string, string>>;
  template: TemplateResource;
  /** Whether the running operation has made it. */
  fresh: boolean;
};

export type StackEvent = {
  readonly id: string;
  readonly time: number;
  readonly logical: string;
  readonly physical: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly token: string;
};

/** A stack's description as one request gives it: what an operation goes to. */
export type Wanted = {
  readonly text: string;
  readonly template: Template;
  readonly parameters: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
};

export type Change = {
  readonly action: "Add" | "Modify" | "Remove";
  readonly logical: string;
  readonly physical: string;
  readonly type: string;
  readonly replacement: "True" | "False" | "Conditional" | undefined;
  readonly scope: readonly string[];
  readonly details: readonly {
    readonly attribute: string;
    readonly name: string | undefined;
    readonly recreation: "Never" | "Conditionally" | "Always";
    readonly evaluation: "Static" | "Dynamic";
    readonly source: string;
    readonly cause: string | undefined;
  }[];
};

export type ChangeSet = {
  readonly id: string;
  readonly name: string;
  readonly kind: "CREATE" | "UPDATE";
  readonly wanted: Wanted;
  readonly createdAt: number;
  readonly description: string;
  readonly onFailure: string;
  /** With drift that it takes back. */
  readonly reverts: boolean;
  status: "CREATE_PENDING" | "CREATE_IN_PROGRESS" | "CREATE_COMPLETE" | "FAILED" | "DELETE_COMPLETE";
  execution: "UNAVAILABLE" | "AVAILABLE" | "EXECUTE_IN_PROGRESS" | "EXECUTE_COMPLETE" | "EXECUTE_FAILED" | "OBSOLETE";
  reason: string;
  changes: readonly Change[];
};

export type Stack = {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  updatedAt: number | undefined;
  deletedAt: number | undefined;
  status: StackStatus;
  reason: string;
  /** What it is, or is on its way to. */
  now: Wanted | undefined;
  /** What it was when the running update began. */
  before: Wanted | undefined;
  readonly resources: Map<string, Resource>;
  /** Newest last. */
  readonly events: StackEvent[];
  readonly changeSets: Map<string, ChangeSet>;
  outputs: readonly { readonly key: string; readonly value: string; readonly description: string }[];
  protected: boolean;
  onFailure: string;
  /** Signals that have come, by logical id. */
  readonly signals: Map<string, Map<string, "SUCCESS" | "FAILURE">>;
  /** Woken at each signal. */
  readonly listeners: Set<() => void>;
  cancelled: boolean;
  role: string;
  /** The client token of the operation that runs. */
  token: string;
  operations: Map<string, string>;
};

export function isBusy({ status }: Stack): boolean {
  return status.endsWith("_IN_PROGRESS") && status !== "REVIEW_IN_PROGRESS";
}

/** Parameters as a template's `Ref` gives them: lists are lists. */
export function parameterValues(wanted: Wanted): ReadonlyMap<string, string | readonly string[]> {
  return new Map(
    Object.entries(wanted.template.Parameters).map(([name, { Type: type, Default: usual }]) => {
      const value = wanted.parameters.get(name) ?? text(usual);
      return [name, /^(?:List<|CommaDelimitedList)/.test(text(type)) ? value.split(",") : value];
    }),
  );
}

function text(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

export function scopeOf(
  stack: Stack,
  wanted: Wanted,
  place: { readonly account: string; readonly region: string; readonly zones: readonly string[] },
  resource: Scope["resource"],
): Scope {
  return {
    template: wanted.template,
    parameters: parameterValues(wanted),
    zones: place.zones,
    pseudo: {
      "AWS::AccountId": place.account,
      "AWS::Partition": "aws",
      "AWS::Region": place.region,
      "AWS::StackId": stack.id,
      "AWS::StackName": stack.name,
      "AWS::URLSuffix": "amazonaws.com",
    },
    resource,
  };
}
