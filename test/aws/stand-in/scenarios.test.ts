import { CreateStackCommand, DeleteStackCommand, DescribeStackEventsCommand } from "@aws-sdk/client-cloudformation";
import { CreateVpcCommand, CreateSecurityGroupCommand, CreateSubnetCommand } from "@aws-sdk/client-ec2";
import { type BucketLocationConstraint, CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import type { ResourceType } from "../../../src/targets/aws/graph/resource.ts";
import { handlers } from "../../../src/targets/aws/policy/handlers.ts";
import { scenarios, templateOf } from "../scenarios.ts";
import { waited } from "./example.ts";
import { sdkOver } from "./sdk.ts";
import type { StandIn } from "./stand-in.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();

/** The first region has no name in S3. */
function locationOf(region: string) {
  return region === "us-east-1"
    ? {}
    : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } };
}

/** What a scenario's file names, and its template's parameters ask for, made beforehand. */
async function prepared(
  standIn: StandIn,
  region: string,
  text: string,
  parameters: ReturnType<typeof templateOf>["Parameters"],
) {
  const { ec2, s3 } = sdkOver(standIn.client(), region);
  await s3.send(new CreateBucketCommand({ Bucket: "a-store", ...locationOf(region) }));
  await s3.send(new PutObjectCommand({ Bucket: "a-store", Key: "template.json", Body: text }));
  const vpc = (await ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }))).Vpc?.VpcId ?? "";
  const subnets = await Promise.all(
    ["a", "b", "c"].map(async (zone, index) => {
      const made = await ec2.send(
        new CreateSubnetCommand({ VpcId: vpc, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${region}${zone}` }),
      );
      return made.Subnet?.SubnetId ?? "";
    }),
  );
  const group =
    (await ec2.send(new CreateSecurityGroupCommand({ GroupName: "found", Description: "found", VpcId: vpc })))
      .GroupId ?? "";
  // Ids that files and facts name are ids of nothing here.
  let shown = text;
  for (const id of new Set(text.match(/\bvpc-[0-9a-f]+\b/g))) shown = shown.replaceAll(id, vpc);
  for (const [index, id] of [...new Set(text.match(/\bsubnet-[0-9a-f]+\b/g))].entries())
    shown = shown.replaceAll(id, subnets[index] ?? "");
  for (const id of new Set(text.match(/\bsg-[0-9a-f]+\b/g))) shown = shown.replaceAll(id, group);
  for (const id of new Set(text.match(/\bami-[0-9a-f]+\b/g)))
    standIn.place(standIn.account, region).ec2.images.push({
      id,
      name: id,
      owner: "000000000000",
      architecture: "x86_64",
      created: "2026-01-01T00:00:00.000Z",
      rootDevice: "/dev/xvda",
      state: "available",
    });
  await s3.send(new PutObjectCommand({ Bucket: "a-store", Key: "template.json", Body: shown }));
  const image = (arm: boolean) =>
    standIn
      .place(standIn.account, region)
      .ec2.images.find(({ architecture }) => architecture === (arm ? "arm64" : "x86_64"))?.id ?? "";
  return Object.entries(parameters).flatMap(([name, { Type: type, Default: usual }]) => {
    if (name === "StoreBucket" || usual !== undefined) return [];
    if (type === "AWS::EC2::Image::Id") return [{ ParameterKey: name, ParameterValue: image(name.includes("Arm64")) }];
    return [{ ParameterKey: name, ParameterValue: group }];
  });
}

/** A launch makes the store's bucket before the stack; only who launches by the template alone has it made there. */
const bucketTypes: readonly string[] = ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"];

/** Rights that were used in the caller's name, and that the table of `slipway policy` does not name for that type. */
function unnamed({ onBehalf }: StandIn): readonly string[] {
  return [...onBehalf]
    .filter(([type]) => !bucketTypes.includes(type))
    .flatMap(([type, used]) => {
      const { see, make, change, remove } = handlers[type as ResourceType];
      const named = new Set([...see, ...make, ...change, ...remove]);
      return [...used].filter((action) => !named.has(action)).map((action) => `${type} ${action}`);
    });
}

describe("the template of every scenario", () => {
  test.each(scenarios.map((one) => [one.name, one] as const))(
    "%s is made and removed",
    async (_name, { compiled, cluster, facts }) => {
      const region = cluster.aws.region ?? facts.region ?? "eu-central-1";
      const { standIn } = started;
      standIn.settings.quotas.addresses = 50;
      standIn.settings.quotas.vcpus = 1_000;
      const client = standIn.client();
      const { cloudformation } = sdkOver(client, region);
      const parameters = await prepared(standIn, region, compiled.text, templateOf(compiled).Parameters);
      const { StackId: id = "" } = await cloudformation.send(
        new CreateStackCommand({
          StackName: "whole",
          TemplateURL: `https://a-store.s3.${region}.amazonaws.com/template.json`,
          Parameters: parameters,
          Capabilities: ["CAPABILITY_IAM"],
        }),
      );
      const made = await waited(standIn, id, region);
      const failed = async () => {
        const { StackEvents: events = [] } = await cloudformation.send(
          new DescribeStackEventsCommand({ StackName: id }),
        );
        return JSON.stringify(
          events
            .filter((one) => one.ResourceStatus?.endsWith("_FAILED"))
            .map((one) => [one.LogicalResourceId, one.ResourceStatusReason]),
        );
      };
      expect(made, await failed()).toBe("CREATE_COMPLETE");
      await cloudformation.send(new DeleteStackCommand({ StackName: id }));
      expect(await waited(standIn, id, region), await failed()).toBe("DELETE_COMPLETE");
      expect(unnamed(standIn)).toEqual([]);
      expect(standIn.onBehalf.get("AWS::IAM::Role")).toContain("iam:CreateRole");
    },
  );
});
