import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client, StandIn } from "./stand-in.ts";
import { CreateStackCommand, DescribeStacksCommand, type Parameter } from "@aws-sdk/client-cloudformation";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { awsCluster, compiled } from "../scenarios.ts";
import { imageOwners, usualImages } from "./ec2/images.ts";
import { sdkOver } from "./sdk.ts";

/** The template of an example, as a launch sends it. */
export function exampleTemplate(name = "aws-swarm"): string {
  return compiled(awsCluster(readFileSync(join(import.meta.dirname, "../../../examples", `${name}.yml`), "utf8"))).text;
}

export const flatcarImage =
  usualImages.findLast(({ owner, architecture }) => owner === imageOwners.flatcar && architecture === "x86_64")?.id ??
  "";
export const storeBucket = "demo-store";

export const exampleParameters: readonly Parameter[] = [
  { ParameterKey: "StoreBucket", ParameterValue: storeBucket },
  { ParameterKey: "ImageX8664", ParameterValue: flatcarImage },
];

/** Makes the store's bucket and the stack of the example, as a launch would; gives the stack's id. */
export async function launched(standIn: StandIn, client: Client = standIn.client()): Promise<string> {
  const { s3, cloudformation } = sdkOver(client);
  await s3.send(
    new CreateBucketCommand({ Bucket: storeBucket, CreateBucketConfiguration: { LocationConstraint: "eu-central-1" } }),
  );
  const { StackId } = await cloudformation.send(
    new CreateStackCommand({
      StackName: "demo",
      TemplateBody: exampleTemplate(),
      Parameters: [...exampleParameters],
      Capabilities: ["CAPABILITY_IAM"],
      Tags: [{ Key: "slipway.cluster", Value: "demo" }],
    }),
  );
  return StackId ?? "";
}

/** Asks every five seconds until a stack rests; gives the status in which it does. */
export async function rested(
  standIn: StandIn,
  stack: string,
  client: Client = standIn.client(),
  region = standIn.region,
): Promise<string> {
  const { cloudformation } = sdkOver(client, region);
  for (;;) {
    const { Stacks: [one] = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stack }));
    const status = one?.StackStatus ?? "";
    if (!status.endsWith("IN_PROGRESS")) return status;
    await client.clock.sleep(5_000);
  }
}

/** The same without asking anybody, for a test of many stacks: time passes until a stack rests. */
export async function waited(standIn: StandIn, stack: string, region = standIn.region): Promise<string> {
  const { stacks } = standIn.place(standIn.account, region).cloudformation;
  for (;;) {
    const status = stacks.get(stack)?.status ?? "";
    if (!status.endsWith("IN_PROGRESS")) return status;
    await standIn.clock.advance(60_000);
  }
}
