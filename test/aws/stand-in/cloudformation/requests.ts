import { Refusal } from "../call.ts";
import { listAt, textAt } from "../xml.ts";
import { type Parameters, parts, said, texts } from "../parameters.ts";
import type { Place } from "../place.ts";
import type { Wanted } from "./stack.ts";
import { parseTemplate, type Section, type Template, templateLimits } from "./template.ts";

/** Reads an object of S3 in the caller's name. */
export type ReadObject = (bucket: string, key: string) => Promise<string>;

/** A request's template, from its body or from S3. */
export async function templateText(
  parameters: Parameters,
  read: ReadObject,
  before: Wanted | undefined,
): Promise<string> {
  if (said(parameters, "UsePreviousTemplate") === "true") {
    if (before === undefined) throw new Refusal("ValidationError", "No previous template is available");
    return before.text;
  }
  const body = said(parameters, "TemplateBody");
  const url = said(parameters, "TemplateURL");
  if (body !== "") {
    if (Buffer.byteLength(body) > templateLimits.body)
      throw new Refusal(
        "ValidationError",
        `1 validation error detected: Value '${body.slice(0, 40)}...' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${templateLimits.body}`,
      );
    return body;
  }
  if (url === "") throw new Refusal("ValidationError", "Either Template URL or Template Body must be specified.");
  const { host, pathname, protocol } = new URL(url);
  const virtual = /^(.+)\.s3[.-][\w.-]*amazonaws\.com$/.exec(host)?.[1];
  const path = decodeURIComponent(pathname.slice(1));
  const [first = "", ...rest] = path.split("/");
  if (protocol !== "https:" || !host.endsWith(".amazonaws.com"))
    throw new Refusal("ValidationError", "TemplateURL must be a supported URL.");
  const text = virtual === undefined ? await read(first, rest.join("/")) : await read(virtual, path);
  if (Buffer.byteLength(text) > templateLimits.byAddress)
    throw new Refusal("ValidationError", `Template may not exceed ${templateLimits.byAddress} bytes in size.`);
  return text;
}

/** All of a request: template, parameters as they are to be, tags. */
export async function wantedIn(
  place: Place,
  parameters: Parameters,
  read: ReadObject,
  before: Wanted | undefined,
): Promise<Wanted> {
  const text = await templateText(parameters, read, before);
  const template = parseTemplate(text);
  refuseCapabilities(template, texts(parameters, "Capabilities"));
  const given = new Map<string, string>();
  for (const one of parts(parameters, "Parameters")) {
    const name = said(one, "ParameterKey");
    if (said(one, "UsePreviousValue") === "true") {
      const value = before?.parameters.get(name);
      if (value === undefined)
        throw new Refusal(
          "ValidationError",
          `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`,
        );
      given.set(name, value);
    } else given.set(name, said(one, "ParameterValue"));
  }
  const unknown = [...given.keys()].filter((name) => template.Parameters[name] === undefined);
  if (unknown.length > 0)
    throw new Refusal("ValidationError", `Parameters: [${unknown.join(", ")}] do not exist in the template`);
  const missing: string[] = [];
  const values = new Map<string, string>();
  for (const [name, parameter] of Object.entries(template.Parameters)) {
    const value = given.get(name) ?? usual(parameter);
    if (value === undefined) missing.push(name);
    else values.set(name, value);
  }
  if (missing.length > 0) throw new Refusal("ValidationError", `Parameters: [${missing.join(", ")}] must have values`);
  for (const [name, value] of values) await refuseValue(place, name, template.Parameters[name] ?? {}, value);
  const tags = new Map(parts(parameters, "Tags").map((tag) => [said(tag, "Key"), said(tag, "Value")]));
  return { text, template, parameters: values, tags: tags.size === 0 && before !== undefined ? before.tags : tags };
}

function usual({ Default: value }: Section): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

function refuseCapabilities(template: Template, said: readonly string[]): void {
  const named = Object.values(template.Resources).some(
    ({ Type: type, Properties: properties = {} }) =>
      type.startsWith("AWS::IAM::") &&
      (properties["RoleName"] !== undefined || properties["InstanceProfileName"] !== undefined),
  );
  const any = Object.values(template.Resources).some(({ Type: type }) => type.startsWith("AWS::IAM::"));
  const needed = named ? "CAPABILITY_NAMED_IAM" : "CAPABILITY_IAM";
  if (any && !said.includes("CAPABILITY_NAMED_IAM") && !said.includes(needed))
    throw new Refusal("InsufficientCapabilitiesException", `Requires capabilities : [${needed}]`);
}

/** What CloudFormation checks before it begins (template reference, "Parameters": constraints and AWS-specific types). */
async function refuseValue(place: Place, name: string, parameter: Section, value: string): Promise<void> {
  const { Type: type, AllowedPattern: pattern, MinValue: least, MaxValue: most, AllowedValues: allowed } = parameter;
  const refused = (constraint: string): Refusal =>
    new Refusal("ValidationError", `Parameter ${name} failed to satisfy constraint: ${constraint}`);
  if (typeof pattern === "string" && !new RegExp(`^(?:${pattern})$`).test(value))
    throw refused(`must match pattern ${pattern}`);
  if (Array.isArray(allowed) && !allowed.map(String).includes(value))
    throw new Refusal("ValidationError", `Parameter '${name}' must be one of AllowedValues`);
  if (type === "Number" && Number.isNaN(Number(value)))
    throw new Refusal("ValidationError", `Parameter '${name}' must be a number`);
  if (least !== undefined && Number(value) < Number(least))
    throw new Refusal("ValidationError", `Parameter '${name}' must be a number not less than ${String(least)}`);
  if (most !== undefined && Number(value) > Number(most))
    throw new Refusal("ValidationError", `Parameter '${name}' must be a number not greater than ${String(most)}`);
  const kind = /^AWS::EC2::(Image::Id|AvailabilityZone::Name|SecurityGroup::Id|KeyPair::KeyName)$/.exec(
    String(type),
  )?.[1];
  if (kind === undefined) return;
  const absent = new Refusal(
    "ValidationError",
    `Parameter validation failed: parameter value ${value} for parameter name ${name} does not exist`,
  );
  try {
    switch (kind) {
      case "Image::Id":
        await place.ask("ec2", "DescribeImages", { ImageId: [value] });
        return;
      case "AvailabilityZone::Name": {
        const answer = await place.ask("ec2", "DescribeAvailabilityZones");
        if (!listAt(answer, "availabilityZoneInfo").some((zone) => textAt(zone, "zoneName") === value)) throw absent;
        return;
      }
      case "SecurityGroup::Id":
        await place.ask("ec2", "DescribeSecurityGroups", { GroupId: [value] });
        return;
      default:
        await place.ask("ec2", "DescribeKeyPairs", { KeyName: [value] });
        return;
    }
  } catch (error) {
    if (error instanceof Refusal && error.code !== "ValidationError") throw absent;
    throw error;
  }
}
