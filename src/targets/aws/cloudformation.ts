import { layers, resourceTypes, type Graph, type Lasting, type Parameter, type Resource } from "./graph/resource.ts";
import { inOrder } from "./graph/order.ts";
import { isList, isReference, type Pseudo, type Reference, type Value } from "./graph/value.ts";
import { templateText } from "./quote.ts";

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };
type Section = { readonly [key: string]: Json };

/** A graph in CloudFormation's words, as the value that JSON and YAML are written from. */
export function template(graph: Graph): Section {
  const resources = inOrder(graph.resources);
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: templateText(graph.description),
    Metadata: { Slipway: { Layers: layersOf(resources) } },
    Parameters: Object.fromEntries(graph.parameters.map((parameter) => [parameter.name, parameterOf(parameter)])),
    Conditions: Object.fromEntries(
      graph.conditions.map(({ name, empty }) => [name, { "Fn::Equals": [{ Ref: empty }, ""] }]),
    ),
    Resources: Object.fromEntries(resources.map((resource) => [resource.id, resourceOf(resource)])),
    Outputs: Object.fromEntries(
      graph.outputs.map(({ name, description, value }) => [
        name,
        { Description: templateText(description), Value: valueOf(value) },
      ]),
    ),
  };
}

/** The same as text without white space, but a line for each resource: every byte of it counts. */
export function templateJson(graph: Graph): string {
  const { Resources, ...rest } = template(graph);
  const head = JSON.stringify(rest).slice(0, -1);
  const lines = Object.entries(objectIn(Resources)).map(
    ([id, resource]) => `${JSON.stringify(id)}:${JSON.stringify(resource)}`,
  );
  return `${head},"Resources":{\n${lines.join(",\n")}\n}}\n`;
}

/** The same for people. */
export function prettyTemplate(graph: Graph): string {
  return `${JSON.stringify(template(graph), undefined, 2)}\n`;
}

function objectIn(value: Json | undefined): Section {
  if (typeof value !== "object" || isJsonList(value)) throw new Error("a section of a template is an object");
  return value;
}

function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function layersOf(resources: readonly Resource[]): Section {
  return Object.fromEntries(
    layers.map((layer) => [layer, resources.filter((resource) => resource.layer === layer).length]),
  );
}

function parameterOf({ type, description, default: usual, least, most, pattern }: Parameter): Section {
  return {
    Type: type,
    Description: templateText(description),
    ...(usual === undefined ? {} : { Default: usual }),
    ...(least === undefined ? {} : { MinValue: least }),
    ...(most === undefined ? {} : { MaxValue: most }),
    ...(pattern === undefined ? {} : { AllowedPattern: pattern }),
  };
}

function resourceOf(resource: Resource): Section {
  const { type, condition, after = [], signals, rolling, lasting } = resource;
  const properties = withTags(resource);
  return {
    Type: type,
    ...(condition === undefined ? {} : { Condition: condition }),
    ...(after.length === 0 ? {} : { DependsOn: after.toSorted() }),
    ...(signals === undefined
      ? {}
      : { CreationPolicy: { ResourceSignal: { Count: valueOf(signals.count), Timeout: `PT${signals.minutes}M` } } }),
    ...(rolling === undefined
      ? {}
      : {
          UpdatePolicy: {
            AutoScalingRollingUpdate: {
              MaxBatchSize: rolling.batch,
              PauseTime: `PT${rolling.minutes}M`,
              SuspendProcesses: [
                "AlarmNotification",
                "AZRebalance",
                "HealthCheck",
                "ReplaceUnhealthy",
                "ScheduledActions",
              ],
              WaitOnResourceSignals: true,
            },
          },
        }),
    ...(lasting === undefined ? {} : lastingOf(lasting)),
    ...(Object.keys(properties).length === 0 ? {} : { Properties: properties }),
  };
}

const deleted = {
  delete: "Delete",
  keep: "Retain",
  "keep-unless-new": "RetainExceptOnCreate",
  snapshot: "Snapshot",
} as const;

function lastingOf({ deleted: gone, replaced }: Lasting): Section {
  return { DeletionPolicy: deleted[gone], UpdateReplacePolicy: deleted[replaced] };
}

/** Each type bears tags in its own way. */
function withTags({ type, properties, tags }: Resource): Section {
  const given = objectOf(properties);
  const listed = Object.entries(tags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ Key: templateText(name), Value: valueOf(value) }));
  if (listed.length === 0) return given;
  switch (resourceTypes[type]) {
    case "list":
      return { ...given, Tags: listed };
    case "propagated":
      return { ...given, Tags: listed.map((tag) => ({ ...tag, PropagateAtLaunch: true })) };
    case "specifications":
      return { ...given, TagSpecifications: [{ ResourceType: "launch-template", Tags: listed }] };
    case "none":
      return given;
  }
}

function objectOf(values: { readonly [key: string]: Value }): Section {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [templateText(key), valueOf(value)]));
}

/** A value in CloudFormation's words. Every text of the file comes through here; `Fn::Sub`, which reads texts, is not used. */
function valueOf(value: Value): Json {
  if (typeof value === "string") return templateText(value);
  if (typeof value !== "object") return value;
  if (isList(value)) return value.map(valueOf);
  return isReference(value) ? referenceOf(value) : objectOf(value);
}

function referenceOf(reference: Reference): Json {
  switch (reference.$) {
    case "id":
      return { Ref: reference.of };
    case "attribute":
      return { "Fn::GetAtt": [reference.of, reference.attribute] };
    case "parameter":
      return { Ref: reference.name };
    case "pseudo":
      return pseudoOf(reference.name);
    case "zone":
      return { "Fn::Select": [reference.index, { "Fn::GetAZs": "" }] };
    case "text":
      return { "Fn::Join": ["", reference.parts.map(valueOf)] };
    case "base64":
      return { "Fn::Base64": valueOf(reference.of) };
    case "if":
      return { "Fn::If": [reference.condition, valueOf(reference.held), valueOf(reference.otherwise)] };
  }
}

function pseudoOf(name: Pseudo): Json {
  return { Ref: `AWS::${name}` };
}

/** A value without references, as JSON has it. */
export function plainValue(values: { readonly [key: string]: Value }): object {
  return objectOf(values);
}
