import { describe, expect, test } from "vitest";
import { records, type RecordKind } from "../../src/records/table.ts";
import { objectKey } from "../../src/records/objects.ts";
import { nodeStatements } from "../../src/targets/aws/graph/roles.ts";
import { policyText, type Statement } from "../../src/targets/aws/graph/statements.ts";
import { isReference, type Value } from "../../src/targets/aws/graph/value.ts";
import { limits } from "../../src/targets/aws/limits.ts";
import { awsCluster, scenarios } from "./scenarios.ts";

const cluster = awsCluster("name: demo\ngroups: { control: { role: control, count: 3 }, worker: {}, other: {} }\n");
const groupOf = (name: string) => cluster.groups.find((group) => group.name === name) ?? expect.fail(name);

const userid = "AROA2EXAMPLE:i-0abc";

/** A value as IAM would see it, in an account and a region, with a bucket whose name is as long as they get. */
function said(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || !isReference(value)) throw new Error(JSON.stringify(value));
  switch (value.$) {
    case "text":
      return value.parts.map(said).join("");
    case "if":
      return "b".repeat(63);
    case "pseudo":
      return {
        AccountId: "012345678901",
        NoValue: "",
        Partition: "aws",
        Region: "ap-southeast-2",
        StackId: `arn:aws:cloudformation:ap-southeast-2:012345678901:stack/${"s".repeat(40)}/6f1b0c5e-0000-4000-8000-000000000000`,
        StackName: "s".repeat(40),
      }[value.name];
    default:
      throw new Error(JSON.stringify(value));
  }
}

/** What IAM decides: whether a pattern with wildcards and the caller's own id fits a text. */
function fits(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll("${aws:userid}", userid)
    .split("*")
    .map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&"))
    .join("[^]*");
  return new RegExp(`^${source}$`).test(text);
}

const headers = { create: "s3:if-none-match", change: "s3:if-match" } as const;

function allowed(statements: readonly Statement[], action: string, key: string, header?: string): boolean {
  const arn = `arn:aws:s3:::${"b".repeat(63)}/${key}`;
  return statements.some(({ actions, resources, condition }) => {
    const needed = Object.keys(typeof condition?.["Null"] === "object" ? condition["Null"] : {});
    return (
      actions.includes(action) &&
      resources.some((resource) => fits(said(resource), arn)) &&
      needed.every((name) => name === header)
    );
  });
}

/** Every key of the table, for an instance and a group that may be one's own. */
function keysOf(kind: RecordKind, own: boolean, group: string): string {
  const key = kind.key
    .replace("{instance}", own ? "AROA2EXAMPLE.i-0abc" : "AROA2EXAMPLE.i-0def")
    .replace("{group}", group)
    .replaceAll(/\{\w+\}/g, "x");
  return objectKey(key);
}

const rostering = new Set(["roster", "bootstrap", "nodeName"]);

describe("what roles may do with the store is what the table of records says", () => {
  const kinds: readonly (readonly [string, RecordKind])[] = Object.entries(records);
  test.each(["control", "worker"] as const)("%s", (name) => {
    const group = groupOf(name);
    const statements = nodeStatements(cluster, group, []);
    for (const [record, kind] of kinds)
      for (const own of [true, false])
        for (const of of [name, "other"]) {
          const key = keysOf(kind, own, of);
          const party = (parties: readonly string[]) =>
            parties.includes(name) ||
            parties.includes(`${name}-identity`) ||
            // A control member is its disk, whatever machine it is attached to.
            ((parties.includes("own") || parties.includes("own-identity")) && (own || name === "control")) ||
            // There is no gateway here: control nodes keep the roster.
            (name === "control" && parties.includes("gateway") && rostering.has(record)) ||
            (parties.includes("own-group") && of === name);
          expect(allowed(statements, "s3:GetObject", key), `read ${record} ${key}`).toBe(party(kind.read));
          expect(allowed(statements, "s3:PutObject", key, headers.create), `create ${record} ${key}`).toBe(
            party(kind.write),
          );
          expect(allowed(statements, "s3:PutObject", key, headers.change), `change ${record} ${key}`).toBe(
            party(kind.write) && kind.how === "conditional",
          );
          expect(allowed(statements, "s3:PutObject", key), `overwrite ${record}`).toBe(false);
          expect(allowed(statements, "s3:DeleteObject", key)).toBe(false);
        }
    expect(allowed(statements, "s3:PutObject", "runtime/0123", headers.create)).toBe(false);
    expect(allowed(statements, "s3:GetObject", "runtime/0123")).toBe(true);
  });

  test("a worker reads nothing of the control group's", () => {
    const statements = nodeStatements(cluster, groupOf("worker"), []);
    expect(allowed(statements, "s3:GetObject", "records/control/issuers/etcd-peer")).toBe(false);
    expect(allowed(statements, "s3:GetObject", "records/control/swarm-token")).toBe(false);
  });
});

test("no action is a wildcard, and only what names no resource is allowed on all", () => {
  for (const { cluster: one } of scenarios)
    for (const group of one.groups)
      for (const { actions, resources } of nodeStatements(one, group, ["Address1"])) {
        expect(actions.filter((action) => action.includes("*"))).toEqual([]);
        if (resources.includes("*"))
          expect(actions.filter((action) => !/^(?:autoscaling|ec2):Describe|^ssm(?:messages)?:/.test(action))).toEqual(
            [],
          );
      }
});

test("a role's policy is within IAM's limit, whatever the bucket is called", () => {
  for (const { cluster: one, name } of scenarios)
    for (const group of one.groups) {
      const statements = nodeStatements(one, group, ["Address1"]).map(({ resources, condition, ...rest }) => ({
        ...rest,
        resources: resources.map(said),
        condition: JSON.stringify(condition ?? ""),
      }));
      expect(JSON.stringify(statements).replaceAll(/\s/g, "").length, `${name} ${group.name}`).toBeLessThan(
        limits.rolePolicy,
      );
    }
});

test("names mean themselves in a policy", () => {
  expect(policyText("a*b?${aws:userid}")).toBe("a${*}b${?}${$}{aws:userid}");
});
