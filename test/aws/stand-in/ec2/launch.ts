import { Refusal } from "../call.ts";
import { type Parameters, parts, said } from "../parameters.ts";
import type { Place } from "../place.ts";
import type { Image } from "./images.ts";
import type { Instance } from "./instances.ts";

/** EC2 user guide, "Run commands when you launch an EC2 instance": user data is limited to 16 KB before it is encoded. */
const mostUserData = 16_384;

/** Versions of launch templates, as parameters that RunInstances takes. */
export type Templates = ReadonlyMap<
  string,
  { readonly name: string; readonly versions: readonly Parameters[]; usual: number }
>;

/** RunInstances' parameters, what a launch template says put in where they say nothing. */
export function withTemplate(templates: Templates, parameters: Parameters): Parameters {
  const asked = parameters["LaunchTemplate"];
  if (typeof asked !== "object") return parameters;
  const id = said(asked, "LaunchTemplateId");
  const name = said(asked, "LaunchTemplateName");
  const found = [...templates].find(([key, one]) => (id === "" ? one.name === name : key === id))?.[1];
  if (found === undefined)
    throw id === ""
      ? new Refusal(
          "InvalidLaunchTemplateName.NotFoundException",
          `The specified launch template, with template name ${name}, does not exist.`,
        )
      : new Refusal(
          "InvalidLaunchTemplateId.NotFound",
          `The specified launch template, with template ID ${id}, does not exist.`,
        );
  const version = said(asked, "Version");
  const number =
    version === "$Latest"
      ? found.versions.length
      : version === "" || version === "$Default"
        ? found.usual
        : Number(version);
  const data = found.versions[number - 1];
  if (data === undefined)
    throw new Refusal("InvalidLaunchTemplateId.VersionNotFound", `Could not find launch template version ${version}`);
  const { LaunchTemplate: _, ...own } = parameters;
  const specified = [...parts(data, "TagSpecification"), ...parts(own, "TagSpecification")];
  const merged: { [key: string]: string | Parameters } = { ...data, ...own };
  if (specified.length > 0)
    merged["TagSpecification"] = Object.fromEntries(specified.map((one, index) => [String(index + 1), one]));
  return merged;
}

/** With its first interface said, which goes when the instance does: moto would leave it behind. */
export function withInterface(parameters: Parameters): Parameters {
  const { NetworkInterface: given, SubnetId: subnet, SecurityGroupId: groups, ...rest } = parameters;
  const gone = { DeleteOnTermination: "true" };
  if (typeof given !== "object")
    return {
      ...rest,
      NetworkInterface: {
        1: {
          DeviceIndex: "0",
          ...gone,
          ...(subnet === undefined ? {} : { SubnetId: subnet }),
          ...(groups === undefined ? {} : { SecurityGroupId: groups }),
        },
      },
    };
  const filled = Object.entries(given).map(([key, one]) => [key, typeof one === "object" ? { ...gone, ...one } : one]);
  return { ...parameters, NetworkInterface: Object.fromEntries(filled) };
}

/** What moto lets pass and EC2 does not. */
export function refuseLaunch(
  place: Place,
  parameters: Parameters,
  {
    images,
    zone,
    instances,
    profileAge,
  }: {
    readonly images: readonly Image[];
    readonly zone: string;
    readonly instances: Iterable<Instance>;
    /** Milliseconds since a profile was made; `undefined` where there is none. */
    readonly profileAge: (profile: string) => number | undefined;
  },
): void {
  const image = said(parameters, "ImageId");
  if (!images.some(({ id, state }) => id === image && state === "available"))
    throw new Refusal("InvalidAMIID.NotFound", `The image id '[${image}]' does not exist`);
  if (Buffer.from(said(parameters, "UserData"), "base64").length > mostUserData)
    throw new Refusal("InvalidParameterValue", `User data is limited to ${mostUserData} bytes`);
  for (const by of ["Arn", "Name"] as const) {
    const profile = said(parameters, "IamInstanceProfile", by);
    if (profile === "") continue;
    const age = profileAge(profile.split("/").at(-1) ?? "");
    if (age === undefined || age < place.settings.profileVisibleAfter)
      throw new Refusal(
        "InvalidParameterValue",
        `Value (${profile}) for parameter iamInstanceProfile.${by.toLowerCase()} is invalid. Invalid IAM Instance Profile ${by === "Arn" ? "ARN" : "name"}`,
      );
  }
  const type = said(parameters, "InstanceType") || "m1.small";
  const { noCapacity, quotas } = place.settings;
  if (noCapacity.has(zone) || noCapacity.has(`${zone}/${type}`))
    throw new Refusal(
      "InsufficientInstanceCapacity",
      `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`,
      500,
    );
  const running = [...instances]
    .filter(({ state }) => state === "pending" || state === "running")
    .reduce((sum, one) => sum + vcpus(one.type), 0);
  const count = Number(said(parameters, "MaxCount") || "1");
  if (
    said(parameters, "InstanceMarketOptions", "MarketType") !== "spot" &&
    running + count * vcpus(type) > quotas.vcpus
  )
    throw new Refusal(
      "VcpuLimitExceeded",
      `You have requested more vCPU capacity than your current vCPU limit of ${quotas.vcpus} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.`,
    );
}

/** vCPUs by size (EC2 instance types guide); the burstable small ones have two. */
export function vcpus(type: string): number {
  const size = type.split(".")[1] ?? "";
  const times = /^(\d+)xlarge$/.exec(size)?.[1];
  if (times !== undefined) return 4 * Number(times);
  return size === "xlarge" ? 4 : 2;
}

/** Tags that a request gives to things of a kind. */
export function tagsFor(parameters: Parameters, kind: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    parts(parameters, "TagSpecification")
      .filter((one) => said(one, "ResourceType") === kind)
      .flatMap((one) => parts(one, "Tag").map((tag) => [said(tag, "Key"), said(tag, "Value")])),
  );
}

/** The subnet that a launch names. */
export function subnetIn(parameters: Parameters): string {
  const [first] = parts(parameters, "NetworkInterface");
  return said(parameters, "SubnetId") || said(first, "SubnetId");
}
