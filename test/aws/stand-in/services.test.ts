import { CreateStackCommand, DeleteStackCommand } from "@aws-sdk/client-cloudformation";
import { SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import { PutBucketTaggingCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { launched, rested, storeBucket } from "./example.ts";
import { sdkOver } from "./sdk.ts";
import { network, templateWith } from "./small.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();

/** A request to a service that speaks JSON, signed as far as the stand-in looks. */
async function ask(service: string, target: string, body: object): Promise<Record<string, unknown>> {
  const { standIn } = started;
  const answer = await standIn.fetch(`https://${service}.eu-central-1.amazonaws.com/`, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": target,
      authorization: `AWS4-HMAC-SHA256 Credential=${standIn.credentials.accessKeyId}/20261121/eu-central-1/${service}/aws4_request, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const kindsWithTag = async (): Promise<Readonly<Record<string, number>>> => {
  const { ResourceTagMappingList: found } = await ask("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", {
    TagFilters: [{ Key: "slipway.cluster", Values: ["demo"] }],
  });
  const counts: Record<string, number> = {};
  for (const { ResourceARN: arn } of found as readonly { readonly ResourceARN: string }[]) {
    const [, , service = "", , , rest = ""] = arn.split(":");
    const kind = service === "ec2" ? (rest.split("/")[0] ?? "") : service;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
};

describe("a search by tag", () => {
  test("finds what the example's stack has made, and after its removal what stays", async () => {
    const { standIn } = started;
    const client = standIn.client();
    const { cloudformation, s3 } = sdkOver(client);
    const id = await launched(standIn, client);
    const TagSet = [{ Key: "slipway.cluster", Value: "demo" }];
    await s3.send(new PutBucketTaggingCommand({ Bucket: storeBucket, Tagging: { TagSet } }));
    expect(await rested(standIn, id, client)).toBe("CREATE_COMPLETE");
    expect(await kindsWithTag()).toEqual({
      cloudformation: 1,
      instance: 5,
      "internet-gateway": 1,
      "launch-template": 2,
      logs: 1,
      // One for each instance, and one for each control node that stays.
      "network-interface": 8,
      "route-table": 1,
      s3: 1,
      "security-group": 3,
      subnet: 3,
      // Boot disks, two for each control node, one for each worker.
      volume: 5 + 6 + 2,
      vpc: 1,
      "vpc-endpoint": 1,
    });
    await cloudformation.send(new DeleteStackCommand({ StackName: id }));
    expect(await rested(standIn, id, client)).toBe("DELETE_COMPLETE");
    // AWS shows terminated instances for an hour.
    await standIn.clock.advance(4_000_000);
    expect(await kindsWithTag()).toEqual({ s3: 1, volume: 6 });
  });

  test("goes by type, too", async () => {
    const { standIn } = started;
    const { cloudformation } = sdkOver(standIn.client());
    const Tags = [{ Key: "slipway.cluster", Value: "demo" }];
    await cloudformation.send(new CreateStackCommand({ StackName: "demo", TemplateBody: templateWith(network), Tags }));
    await rested(standIn, "demo");
    const { ResourceTagMappingList: found } = await ask("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", {
      TagFilters: [{ Key: "slipway.cluster" }],
      ResourceTypeFilters: ["ec2:subnet"],
    });
    expect(found).toMatchObject([{ ResourceARN: expect.stringContaining(":subnet/subnet-") }]);
  });
});

test("quotas and rights are what a test says", async () => {
  const { standIn } = started;
  standIn.settings.quotas.vcpus = 7;
  const { Quotas: quotas } = await ask("servicequotas", "ServiceQuotasV20190624.ListServiceQuotas", {
    ServiceCode: "ec2",
  });
  expect(quotas).toMatchObject([
    { QuotaCode: "L-1216C47A", Value: 7 },
    { QuotaCode: "L-0263D0A3", Value: 5 },
  ]);
  standIn.settings.denied.add("ec2:CreateVpc");
  const { iam } = sdkOver(standIn.client());
  const { EvaluationResults: results = [] } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: "arn:aws:iam::012345678901:user/operator",
      ActionNames: ["ec2:CreateVpc", "ec2:DeleteVpc"],
    }),
  );
  expect(results.map((one) => one.EvalDecision)).toEqual(["implicitDeny", "allowed"]);
});

test("logs are kept by virtual time", async () => {
  const { clock } = started.standIn;
  await clock.advance(400 * 24 * 3_600_000);
  const group = { logGroupName: "/slipway/demo" };
  const stream = { ...group, logStreamName: "control/i-1" };
  const timestamp = clock.now();
  await ask("logs", "Logs_20140328.CreateLogGroup", group);
  await ask("logs", "Logs_20140328.CreateLogStream", stream);
  await ask("logs", "Logs_20140328.PutLogEvents", { ...stream, logEvents: [{ timestamp, message: "no store" }] });
  const { events } = await ask("logs", "Logs_20140328.FilterLogEvents", { ...group, startTime: timestamp - 1_000 });
  const [event] = events as readonly { readonly timestamp: number; readonly message: string }[];
  expect(event?.message).toBe("no store");
  expect(Math.abs((event?.timestamp ?? 0) - timestamp)).toBeLessThan(10_000);
});
