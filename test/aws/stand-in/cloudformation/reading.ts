import { type Call, Refusal } from "../call.ts";
import { page } from "../ec2/overlay.ts";
import { said, texts } from "../parameters.ts";
import type { Place } from "../place.ts";
import type { Act, Book } from "./book.ts";
import { type ReadObject, templateText } from "./requests.ts";
import { eventShape, resourceShape, stackShape } from "./shapes.ts";
import { parseTemplate } from "./template.ts";

/** What CloudFormation says of stacks and templates. */
export function readingActions(
  { settings }: Place,
  { stacks, stackIn, changeSetIn }: Book,
  readAs: (call: Call) => ReadObject,
): Readonly<Record<string, Act>> {
  return {
    async DescribeStacks(parameters) {
      const name = said(parameters, "StackName");
      const all =
        name === "" ? [...stacks.values()].filter(({ status }) => status !== "DELETE_COMPLETE") : [stackIn(parameters)];
      const { items, next } = page(all, parameters, { most: "MaxResults", token: "NextToken" }, settings.pageSize);
      return { Stacks: items.map(stackShape), NextToken: next };
    },
    async ListStacks(parameters) {
      const wanted = texts(parameters, "StackStatusFilter");
      const all = [...stacks.values()].filter(({ status }) => wanted.length === 0 || wanted.includes(status));
      const { items, next } = page(all, parameters, { most: "MaxResults", token: "NextToken" }, settings.pageSize);
      return {
        StackSummaries: items.map((stack) => ({
          StackId: stack.id,
          StackName: stack.name,
          CreationTime: new Date(stack.createdAt).toISOString(),
          DeletionTime: stack.deletedAt === undefined ? undefined : new Date(stack.deletedAt).toISOString(),
          StackStatus: stack.status,
        })),
        NextToken: next,
      };
    },
    async DescribeStackEvents(parameters) {
      const stack = stackIn(parameters);
      const { items, next } = page(
        stack.events.toReversed(),
        parameters,
        { most: "", token: "NextToken" },
        settings.pageSize ?? 100,
      );
      return { StackEvents: items.map((event) => eventShape(stack, event)), NextToken: next };
    },
    async DescribeStackResources(parameters) {
      const physical = said(parameters, "PhysicalResourceId");
      const stack =
        physical === ""
          ? stackIn(parameters)
          : [...stacks.values()].find((one) =>
              [...one.resources.values()].some((resource) => resource.physical === physical),
            );
      if (stack === undefined) throw new Refusal("ValidationError", `Stack for ${physical} does not exist`);
      const logical = said(parameters, "LogicalResourceId");
      return {
        StackResources: [...stack.resources.values()]
          .filter(({ id }) => logical === "" || id === logical)
          .slice(0, 100)
          .map((resource) => resourceShape(stack, resource, "Timestamp")),
      };
    },
    async DescribeStackResource(parameters) {
      const stack = stackIn(parameters);
      const logical = said(parameters, "LogicalResourceId");
      const resource = stack.resources.get(logical);
      if (resource === undefined)
        throw new Refusal("ValidationError", `Resource ${logical} does not exist for stack ${stack.name}`);
      return { StackResourceDetail: resourceShape(stack, resource, "LastUpdatedTimestamp") };
    },
    async ListStackResources(parameters) {
      const stack = stackIn(parameters);
      const all = [...stack.resources.values()];
      const { items, next } = page(all, parameters, { most: "", token: "NextToken" }, settings.pageSize ?? 100);
      return {
        StackResourceSummaries: items.map((resource) => resourceShape(stack, resource, "LastUpdatedTimestamp")),
        NextToken: next,
      };
    },
    async GetTemplate(parameters) {
      const set = said(parameters, "ChangeSetName");
      const wanted = set === "" ? stackIn(parameters).now : changeSetIn(parameters).set.wanted;
      return { TemplateBody: wanted?.text ?? "", StagesAvailable: ["Original", "Processed"] };
    },
    async GetTemplateSummary(parameters, call) {
      const name = said(parameters, "StackName");
      const text =
        name === "" ? await templateText(parameters, readAs(call), undefined) : (stackIn(parameters).now?.text ?? "");
      const template = parseTemplate(text);
      return {
        Description: template.Description,
        Metadata: JSON.stringify(template.Metadata ?? {}),
        ResourceTypes: [...new Set(Object.values(template.Resources).map(({ Type: type }) => type))],
      };
    },
    async ValidateTemplate(parameters, call) {
      const template = parseTemplate(await templateText(parameters, readAs(call), undefined));
      const iam = Object.values(template.Resources).some(({ Type: type }) => type.startsWith("AWS::IAM::"));
      return {
        Description: template.Description,
        Parameters: Object.entries(template.Parameters).map(([name, { Default: value, Description: description }]) => ({
          ParameterKey: name,
          DefaultValue: value === undefined ? undefined : String(value),
          Description: String(description ?? ""),
          NoEcho: false,
        })),
        Capabilities: iam ? ["CAPABILITY_IAM"] : [],
      };
    },
  };
}
