import { expect, test } from "vitest";
import { plainValue } from "../../src/targets/aws/cloudformation.ts";
import { nodePolicy, operatorPolicy } from "../../src/targets/aws/policy/policy.ts";
import { awsCluster, compiled, templateOf } from "./scenarios.ts";

const key = "arn:aws:kms:eu-central-1:012345678901:key/6f1b0c5e-0000-4000-8000-000000000000";
const text = `name: kept
groups:
  control: { role: control, count: 1 }
  worker: { count: 1, volumes: { scratch: { size: 50G, mount: /srv/scratch } } }
aws: { region: eu-central-1, kms_key: ${key} }
`;
const cluster = awsCluster(text);
const { Resources } = templateOf(compiled(cluster));

test("a key of one's own encrypts every disk and the store", () => {
  const of = (type: string): readonly string[] =>
    Object.values(Resources)
      .filter(({ Type }) => Type === type)
      .map(({ Properties }) => JSON.stringify(Properties));
  expect(of("AWS::EC2::Volume")).toHaveLength(2);
  for (const volume of of("AWS::EC2::Volume")) expect(volume).toContain(`"KmsKeyId":"${key}"`);
  // The disk that it boots from, and a worker's scratch.
  expect(of("AWS::EC2::LaunchTemplate").flatMap((one) => one.match(/"KmsKeyId":"[^"]+"/g) ?? [])).toEqual(
    Array.from({ length: 3 }, () => `"KmsKeyId":"${key}"`),
  );
  expect(of("AWS::S3::Bucket")[0]).toContain(`"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"${key}"`);
});

/** What a policy lets do with keys: the statement's name, actions, and what it is bound to. */
function keysIn(policy: object): readonly unknown[] {
  const { Statement } = policy as {
    Statement: readonly { Sid: string; Action: unknown; Resource: unknown; Condition?: unknown }[];
  };
  return Statement.filter(({ Action }) => JSON.stringify(Action).includes("kms:")).map(
    ({ Sid, Action, Resource, Condition }) => [Sid, Action, Resource, Condition],
  );
}

test("nodes use it through the services that need it alone, and only who attaches disks lends it to them", () => {
  const through = (...services: readonly string[]) => ({
    StringEquals: { "kms:ViaService": services.map((service) => `${service}.eu-central-1.amazonaws.com`) },
  });
  const groups = cluster.groups.map((group) => [group.name, keysIn(plainValue(nodePolicy(cluster, group, {})))]);
  const read = ["kms:Decrypt", "kms:GenerateDataKey"];
  expect(groups).toEqual([
    [
      "control",
      [
        ["ReadEncrypted", read, key, through("s3", "ec2")],
        ["LendKey", ["kms:CreateGrant"], key, { Bool: { "kms:GrantIsForAWSResource": true } }],
      ],
    ],
    ["worker", [["ReadEncrypted", read, key, { StringEquals: { "kms:ViaService": "s3.eu-central-1.amazonaws.com" } }]]],
  ]);
});

test("who launches may use it, and no other", () => {
  const policy = plainValue(operatorPolicy(cluster, compiled(cluster).graph, {}, "launch"));
  expect(keysIn(policy)).toEqual([
    [
      "Key",
      [
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
      ],
      key,
      undefined,
    ],
  ]);
});
