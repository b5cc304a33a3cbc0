import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { plainValue, prettyTemplate } from "../../src/targets/aws/cloudformation.ts";
import { nodePolicy, operatorPolicy } from "../../src/targets/aws/policy/policy.ts";
import { scenarios } from "../aws/scenarios.ts";
import { ask, ownFolder, pathOf } from "./judge.ts";

const folder = ownFolder();
const files = new Map<string, string>();

beforeAll(() => {
  for (const { name, compiled } of scenarios) files.set(folder.write(`${name}.json`, compiled.text), name);
});

/** The policies that are printed, as resources of a template. */
function policies(): string {
  const printed = scenarios
    .filter(({ name }) => ["aws-swarm", "private-endpoints", "private-nat", "fixed-addresses"].includes(name))
    .flatMap(({ name, cluster, compiled, facts }) => [
      ...(["launch", "operate", "cleanup"] as const).map((purpose) => ({
        id: `${name}${purpose}`,
        policy: operatorPolicy(cluster, compiled.graph, facts, purpose),
      })),
      ...cluster.groups.map((group) => ({ id: `${name}${group.name}`, policy: nodePolicy(cluster, group, facts) })),
    ]);
  const resources = Object.fromEntries(
    printed.map(({ id, policy }) => [
      id.replaceAll("-", ""),
      { Type: "AWS::IAM::ManagedPolicy", Properties: { PolicyDocument: plainValue(policy) } },
    ]),
  );
  return JSON.stringify({ AWSTemplateFormatVersion: "2010-09-09", Resources: resources });
}

describe("cfn-lint", () => {
  test(
    "has no finding in any scenario's template and knows every action of the policies",
    { timeout: 600_000 },
    async (context) => {
      const judge = await pathOf("cfn-lint", context);
      const written = folder.write("policies.txt", policies());
      const { code, stdout, stderr } = await ask(judge, ["--format", "parseable", ...files.keys(), written]);
      expect(stdout + stderr).toBe("");
      expect(code).toBe(0);
    },
  );

  test("would see a wrong address and an action that there is not", { timeout: 60_000 }, async (context) => {
    const judge = await pathOf("cfn-lint", context);
    const [first] = scenarios;
    const broken = prettyTemplate(first?.compiled.graph ?? expect.fail("no scenario")).replace(
      '"CidrBlock": "10.42.0.0/16"',
      '"CidrBlock": "10.42.0.0/99"',
    );
    const wrong = policies().replaceAll("ec2:DescribeInstances", "ec2:DescribeInstanzen");
    const written = [folder.write("broken.txt", broken), folder.write("wrong.txt", wrong)];
    const { code, stdout } = await ask(judge, ["--format", "parseable", ...written]);
    expect(code).not.toBe(0);
    expect(stdout).toContain("10.42.0.0/99");
    expect(stdout).toMatch(/instanzen/i);
  });
});

type Reason = { readonly check: string; readonly type: string; readonly reason: string };
type Finding = { readonly check_id: string; readonly resource: string; readonly file_path: string };

/** Why a finding of checkov's stands, by check and type of resource. */
const reasons = JSON.parse(
  readFileSync(join(import.meta.dirname, "checkov-reasons.json"), "utf8"),
) as readonly Reason[];

describe("checkov", () => {
  test("has no finding without a written reason, and every reason is needed", { timeout: 600_000 }, async (context) => {
    const judge = await pathOf("checkov", context);
    const words = ["--framework", "cloudformation", "--output", "json", "--compact", "--skip-download"];
    const { stdout, stderr } = await ask(judge, [...words, ...[...files.keys()].flatMap((file) => ["--file", file])]);
    const said = JSON.parse(stdout) as {
      readonly results: { readonly failed_checks: readonly Finding[] };
      readonly summary: { readonly passed: number; readonly parsing_errors: number };
    };
    expect(said.summary.parsing_errors, stderr).toBe(0);
    // It has looked at every template.
    expect(said.summary.passed).toBeGreaterThan(scenarios.length * 20);
    const reasonOf = ({ check_id: check, resource }: Finding) =>
      reasons.find((one) => one.check === check && resource.startsWith(`${one.type}.`));
    const found = said.results.failed_checks;
    expect(
      found
        .filter((one) => reasonOf(one) === undefined)
        .map((one) => `${one.check_id} ${one.file_path} ${one.resource}`),
    ).toEqual([]);
    expect(reasons.filter((one) => !found.some((finding) => reasonOf(finding) === one))).toEqual([]);
    expect(reasons.filter(({ reason }) => reason.length < 20)).toEqual([]);
  });
});
