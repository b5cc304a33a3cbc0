import { describe, expect, test } from "vitest";
import type { ClusterName } from "../../src/cluster/cluster.ts";
import { bucketName } from "../../src/targets/aws/bucket/name.ts";
import { noFacts } from "../../src/targets/aws/facts/facts.ts";
import { plainValue } from "../../src/targets/aws/cloudformation.ts";
import { handlers } from "../../src/targets/aws/policy/handlers.ts";
import { nodePolicy, operatorPolicy } from "../../src/targets/aws/policy/policy.ts";
import { scenarios } from "./scenarios.ts";

type Statement = {
  readonly Sid: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

function statementsOf(policy: object): readonly Statement[] {
  return (JSON.parse(JSON.stringify(policy)) as { readonly Statement: readonly Statement[] }).Statement;
}

const purposes = ["launch", "operate", "cleanup"] as const;
const of = (name: string) => scenarios.find((scenario) => scenario.name === name) ?? expect.fail(name);
const policyFor = (name: string, purpose: (typeof purposes)[number]) => {
  const { cluster, compiled, facts } = of(name);
  return statementsOf(plainValue(operatorPolicy(cluster, compiled.graph, facts, purpose)));
};

describe("a launch may do", () => {
  test("what each of the cluster's resources needs, and nothing for others", () => {
    for (const { cluster, compiled, facts } of scenarios) {
      const allowed = new Set(
        statementsOf(plainValue(operatorPolicy(cluster, compiled.graph, facts, "launch"))).flatMap(
          ({ Action }) => Action,
        ),
      );
      for (const { type } of compiled.graph.resources)
        for (const part of ["see", "make", "change", "remove"] as const)
          expect(handlers[type][part].filter((action) => !allowed.has(action))).toEqual([]);
    }
    const actions = policyFor("single", "launch").flatMap(({ Action }) => Action);
    expect(actions).not.toContain("ec2:CreateNatGateway");
    expect(actions).not.toContain("ec2:AllocateAddress");
    expect(policyFor("private-nat", "launch").flatMap(({ Action }) => Action)).toContain("ec2:CreateNatGateway");
  });

  test("pass this cluster's roles, to instances", () => {
    expect(policyFor("aws-swarm", "launch").find(({ Action }) => Action.includes("iam:PassRole"))).toEqual({
      Sid: "PassRoles",
      Effect: "Allow",
      Action: ["iam:PassRole"],
      Resource: "arn:aws:iam::012345678901:role/slipway/demo/*",
      Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
    });
  });
});

test.each(purposes)("to %s, nothing is changed that is not this cluster's", (purpose) => {
  for (const { cluster, compiled, facts, name } of scenarios)
    for (const { Sid, Action, Resource, Condition } of statementsOf(
      plainValue(operatorPolicy(cluster, compiled.graph, facts, purpose)),
    )) {
      expect(Action.filter((action) => action.includes("*"))).toEqual([]);
      expect(Action).toEqual([...new Set(Action)].toSorted());
      if (Resource !== "*") continue;
      const bound = JSON.stringify(Condition ?? {}).includes("aws:ResourceTag/slipway.cluster");
      const seeing = Action.every((action) => /:(?:Describe|List|Get|Simulate|Validate)/.test(action));
      // What is not there yet bears no tag; it is made in the cluster's region, where that is known.
      const making = Sid === "Make" && purpose === "launch";
      expect(bound || seeing || making, `${name} ${purpose} ${Sid}`).toBe(true);
    }
});

test("who operates a cluster makes and removes nothing of its stack", () => {
  const actions = policyFor("aws-swarm", "operate").flatMap(({ Action }) => Action);
  expect(
    actions.filter((action) => /cloudformation:(?:Create|Delete|Execute|Update)|iam:|:CreateTags/.test(action)),
  ).toEqual([]);
});

test("a node's policy is the one in the template, with what is known outside of a stack", () => {
  const { cluster } = of("aws-swarm");
  const [, worker] = cluster.groups;
  const statements = statementsOf(plainValue(nodePolicy(cluster, worker ?? expect.fail("no worker"), noFacts)));
  expect(statements.map(({ Sid }) => Sid)).toEqual([
    "ReadRecords",
    "CreateRecords",
    "ChangeRecords",
    "ListRecords",
    "FetchPrograms",
    "SayReady",
    "LeaveInOrder",
    "WriteLogs",
    "SeeDisks",
    "BeReached",
  ]);
  expect(statements.find(({ Sid }) => Sid === "LeaveInOrder")?.Resource).toBe(
    "arn:aws:autoscaling:eu-central-1:012345678901:autoScalingGroup:*:autoScalingGroupName/demo.worker",
  );
  expect(statements.find(({ Sid }) => Sid === "CreateRecords")?.Resource).toContain(
    `arn:aws:s3:::${bucketName("demo" as ClusterName, "012345678901", "eu-central-1")}/records/nodes/\${aws:userid}`,
  );
});
