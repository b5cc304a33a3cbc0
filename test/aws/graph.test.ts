import { describe, expect, test } from "vitest";
import { architectureOf } from "../../src/cluster/aws.ts";
import { compile } from "../../src/targets/aws/compile.ts";
import { readFacts, type AwsFacts } from "../../src/targets/aws/facts/facts.ts";
import { partOf } from "../../src/targets/aws/graph/network.ts";
import { idPart } from "../../src/targets/aws/graph/names.ts";
import { GraphError, inOrder } from "../../src/targets/aws/graph/order.ts";
import type { Resource } from "../../src/targets/aws/graph/resource.ts";
import { idOf } from "../../src/targets/aws/graph/value.ts";
import { limits } from "../../src/targets/aws/limits.ts";
import { templateText } from "../../src/targets/aws/quote.ts";
import { userDataText } from "../../src/targets/aws/user-data.ts";
import { awsCluster, boot, scenarios } from "./scenarios.ts";

function resource(id: string, ...needs: readonly string[]): Resource {
  return {
    id,
    type: "AWS::EC2::EIP",
    layer: "network",
    properties: { Needs: needs.map(idOf) },
    tags: {},
    origin: { kind: "component", component: "test" },
  };
}

describe("order", () => {
  test("what is needed comes first, whatever the order was", () => {
    const all = [resource("A", "C"), resource("B"), resource("C", "B")];
    expect(inOrder(all).map(({ id }) => id)).toEqual(["B", "C", "A"]);
    expect(inOrder(all.toReversed()).map(({ id }) => id)).toEqual(["B", "C", "A"]);
  });
  test("rings, gaps and twins are refused", () => {
    expect(() => inOrder([resource("A", "B"), resource("B", "A")])).toThrow("A -> B -> A");
    expect(() => inOrder([resource("A", "B")])).toThrow("A points at B, which is not there");
    expect(() => inOrder([resource("A"), resource("A")])).toThrow(GraphError);
  });
});

describe("addresses", () => {
  test.each([
    ["10.42.0.0/16", 0, "10.42.0.0/20"],
    ["10.42.0.0/16", 15, "10.42.240.0/20"],
    ["192.168.255.0/24", 8, "192.168.255.128/28"],
    ["10.77.0.0/20", 9, "10.77.9.0/24"],
  ])("part of %s, %i, is %s", (cidr, part, expected) => {
    expect(partOf(cidr, part)).toBe(expected);
  });
});

test("names that are alike have ids of their own", () => {
  const names = ["a-1", "a1", "a--1", "ax1", "a-x1", "1", "1-1", "web-front", "webfront", "web--front", "-"];
  const ids = names.map(idPart);
  expect(new Set(ids).size).toBe(names.length);
  expect(ids.every((id) => /^[A-Z][A-Za-z0-9]*$/.test(id))).toBe(true);
});

test.each([
  ["t3.small", "x86_64"],
  ["t4g.small", "arm64"],
  ["m7gd.large", "arm64"],
  ["c6gn.xlarge", "arm64"],
  ["g5.xlarge", "x86_64"],
  ["g4dn.xlarge", "x86_64"],
  ["g5g.xlarge", "arm64"],
  ["a1.large", "arm64"],
  ["im4gn.large", "arm64"],
  ["m7i-flex.large", "x86_64"],
  ["u-6tb1.metal", "x86_64"],
])("%s is %s", (type, architecture) => {
  expect(architectureOf(type)).toBe(architecture);
});

test("user data is a pointer of at most 4 KB on every system, and names the bucket once it is known", () => {
  for (const { cluster } of scenarios)
    for (const group of cluster.groups) {
      const text = userDataText(cluster, group, boot);
      expect(Buffer.byteLength(text), `${cluster.name} ${cluster.os}`).toBeLessThanOrEqual(4_096);
      expect(text.split("SLIPWAYSTOREBUCKET")).toHaveLength(2);
    }
  expect(limits.userData).toBe(16_384);
});

test("a text that CloudFormation would replace cannot be written", () => {
  expect(() => templateText("{{resolve:secretsmanager:x}}")).toThrow("CloudFormation would replace");
  expect(templateText("${AWS::Region} {{x}}")).toBe("${AWS::Region} {{x}}");
});

describe("facts", () => {
  const cluster = awsCluster(
    "name: demo\ngroups: { control: { role: control, count: 3 } }\naws: { region: eu-central-1, accounts: [012345678901] }\n",
  );
  const flatcar = { id: "ami-0123456789abcdef0", owner: "075585003325", name: "Flatcar-stable-1-hvm" };
  const problems = (facts: AwsFacts, one = cluster) => {
    const read = compile(one, facts, boot);
    return read.kind === "bad" ? read.problems.map(({ path, message }) => `${path.join(".")}: ${message}`) : [];
  };
  test("that fit are good", () => {
    expect(
      problems({
        account: "012345678901",
        region: "eu-central-1",
        zones: ["a", "b", "c"],
        images: { x86_64: flatcar },
      }),
    ).toEqual([]);
  });
  test("another account than the file allows", () => {
    expect(problems({ account: "210987654321" })).toEqual([
      "aws.accounts: the account is 210987654321, which the file does not allow",
    ]);
  });
  test("another region", () => {
    expect(problems({ region: "eu-west-1" })).toEqual([
      "aws.region: the facts are of eu-west-1, the file is for eu-central-1",
    ]);
  });
  test("fewer zones than the cluster needs", () => {
    expect(problems({ zones: ["eu-central-1a"] })).toEqual([
      "aws.network.zones: eu-central-1 has 1 zones that offer these instance types; 3 are asked for",
    ]);
  });
  test("an image of somebody else", () => {
    expect(problems({ images: { x86_64: { ...flatcar, owner: "111111111111" } } })).toEqual([
      "os: ami-0123456789abcdef0 (Flatcar-stable-1-hvm) is of the account 111111111111, and flatcar is published by 075585003325",
    ]);
  });
  test("a zone that does not offer the type, and one image for two architectures", () => {
    const file =
      "name: demo\ngroups: { control: {}, arm: { aws: { instance_type: t4g.small } } }\naws: { region: us-east-1, images: { us-east-1: ami-0123456789abcdef0 }, network: { zone_names: [us-east-1e] } }\n";
    expect(problems({ zones: ["us-east-1a"] }, awsCluster(file))).toEqual([
      "aws.network.zone_names.0: us-east-1e does not offer these instance types",
      "aws.images.us-east-1: the groups have machines of two architectures, and ami-0123456789abcdef0 is an image of one",
    ]);
  });
  test("that are none are refused", () => {
    expect(() => readFacts('{ "acount": "1" }')).toThrow("these are no facts of AWS");
  });
});
