import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { readCluster } from "../../src/cluster/read.ts";
import { compile } from "../../src/targets/aws/compile.ts";
import { noFacts } from "../../src/targets/aws/facts/facts.ts";
import { inOrder, needsOf } from "../../src/targets/aws/graph/order.ts";
import { resourceTypes } from "../../src/targets/aws/graph/resource.ts";
import { limits } from "../../src/targets/aws/limits.ts";
import { awsCluster, boot, compiled, templateOf, type Template } from "./scenarios.ts";

const cidr = fc.constantFrom("203.0.113.0/24", "198.51.100.7/32", "0.0.0.0/0");
const name = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/);
const type = fc.constantFrom("t3.small", "m5.large", "c6i.xlarge");
const maybe = <Item>(item: fc.Arbitrary<Item>) => fc.option(item, { nil: undefined });

const volume = fc.record(
  {
    size: fc.constantFrom("10G", "1T"),
    mount: fc.constantFrom("/srv/a", "/srv/b"),
    on_termination: fc.constantFrom("keep", "delete"),
  },
  { requiredKeys: ["size", "mount"] },
);
const node = {
  root_volume: maybe(fc.constant({ size: "40G", type: "gp2" })),
  detailed_monitoring: maybe(fc.boolean()),
  allocate_ip_address: maybe(fc.boolean()),
  key_pair: maybe(fc.constantFrom("mine", "a key ${AWS::Region} {x}")),
  tags: maybe(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.constantFrom("", "a b", "c/d"), { maxKeys: 3 })),
};
const worker = fc
  .record({
    count: fc.integer({ min: 0, max: 50 }),
    more: fc.integer({ min: 0, max: 5 }),
    volume: maybe(volume),
    types: fc.uniqueArray(type, { minLength: 1, maxLength: 3 }),
    spot: fc.integer({ min: 0, max: 100 }),
    node: fc.record(node),
  })
  .map(({ count, more, volume: disk, types, spot, node: rest }) => ({
    count,
    ...(disk === undefined ? {} : { volumes: { disk } }),
    aws: { ...rest, instance_types: types, spot_percent: spot, max: count + more, allocate_ip_address: false },
  }));

const network = fc.oneof(
  fc.record({
    cidr: fc.constantFrom("10.42.0.0/16", "192.168.0.0/20"),
    zones: maybe(fc.integer({ min: 1, max: 6 })),
    nodes: maybe(fc.constantFrom("public", "private")),
  }),
  fc.record({ nodes: fc.constant("private"), outbound: fc.constantFrom("nat", "nat-per-zone", "endpoints") }),
  fc.constant({
    vpc: "vpc-0123456789abcdef0",
    subnets: { "eu-central-1b": "subnet-0123456789abcdef1", "eu-central-1a": "subnet-0123456789abcdef0" },
  }),
);

const file = fc.record({
  name: fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,8}[a-z0-9])?$/),
  os: fc.constantFrom("flatcar", "fedora-coreos"),
  orchestrator: fc.constantFrom("swarm", "none"),
  groups: fc
    .tuple(
      fc.constantFrom(1, 3, 5),
      maybe(volume),
      fc.record(node),
      fc.dictionary(
        name.filter((one) => one !== "head"),
        worker,
        { maxKeys: 5 },
      ),
    )
    .map(([count, disk, aws, workers]) => ({
      ...workers,
      head: { role: "control", count, aws, ...(disk === undefined ? {} : { volumes: { disk } }) },
    })),
  aws: fc.record({
    network: maybe(network),
    allow_ssh_from: maybe(fc.uniqueArray(cidr)),
    allow_api_from: maybe(cidr),
    security_groups: maybe(
      fc.constant([
        { name: "web", allow_inbound: [{ from_port: 443, ip: "0.0.0.0/0" }] },
        { name: "office", action: "find" },
      ]),
    ),
    session_manager: maybe(fc.boolean()),
    tags: maybe(fc.constant({ team: "web" })),
  }),
});

/** Everything that a template points at, and whatever else could be read as a reference. */
function references(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key === "Ref" && typeof inner === "string") return [inner];
    if (key === "Fn::GetAtt" && Array.isArray(inner)) return [String(inner[0])];
    if (key === "DependsOn" && Array.isArray(inner)) return inner.map(String);
    return references(inner);
  });
}

function keysOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)])
    : [];
}

/** The same data with its keys in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, turned(inner)]),
  );
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("any valid file", () => {
  test("gives a template within the limits, in which every reference leads somewhere", { timeout: 60_000 }, () => {
    let good = 0;
    fc.assert(
      fc.property(file, (data) => {
        const read = readCluster(stringify(plain(data)), "cluster.yml", { on: "aws" });
        if (read.kind === "bad") return;
        good += 1;
        const { text, graph, size } = compiled(read.value);
        const template = JSON.parse(text) as Template;
        const there = new Set([...Object.keys(template.Resources), ...Object.keys(template.Parameters)]);
        expect(references(template).filter((id) => !there.has(id) && !/^AWS::[A-Z]\w+$/.test(id))).toEqual([]);
        expect(size).toBeLessThan(limits.template);
        expect(Object.keys(template.Resources).length).toBeLessThanOrEqual(limits.resources);
        expect(Object.keys(template.Parameters).length).toBeLessThanOrEqual(limits.parameters);
        expect(Object.keys(template.Resources).every((id) => /^[A-Za-z0-9]{1,255}$/.test(id))).toBe(true);
        // What reads texts is not used, so no text of the file is read.
        expect(keysOf(template)).not.toContain("Fn::Sub");
        const seen = new Set<string>();
        for (const resource of inOrder(graph.resources)) {
          for (const need of needsOf(resource)) expect(seen.has(need), `${resource.id} after ${need}`).toBe(true);
          seen.add(resource.id);
        }
      }),
      { numRuns: 150 },
    );
    // Most of what is made up is valid: else nothing would have been shown.
    expect(good).toBeGreaterThan(75);
  });

  test("gives the same bytes again, and in whatever order its keys stand", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(file, (data) => {
        const texts = [plain(data), plain(data), turned(plain(data))].map((one) => {
          const read = readCluster(stringify(one), "cluster.yml", { on: "aws" });
          return read.kind === "bad" ? undefined : compiled(read.value).text;
        });
        expect(texts[1]).toBe(texts[0]);
        expect(texts[2]).toBe(texts[0]);
      }),
      { numRuns: 60 },
    );
  });
});

describe("control nodes", () => {
  test("are never replaced by CloudFormation, and their number is no parameter", () => {
    const { Resources, Parameters } = templateOf(
      compiled(awsCluster("name: demo\ngroups: { control: { role: control, count: 5 }, w: { count: 2 } }\n")),
    );
    const groups = Object.entries(Resources).filter(([, { Type }]) => Type === "AWS::AutoScaling::AutoScalingGroup");
    expect(groups.map(([id, { UpdatePolicy }]) => [id, UpdatePolicy !== undefined])).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => [`ControlNode${n}`, false]),
      ["WNodes", true],
    ]);
    for (const [id, { Properties: its }] of groups)
      if (id.startsWith("Control"))
        expect([its?.["MinSize"], its?.["MaxSize"], its?.["DesiredCapacity"]]).toEqual(["1", "1", "1"]);
    expect(Object.keys(Parameters)).toEqual([
      "StoreBucket",
      "ImageX8664",
      "ControlInstanceType",
      "WCount",
      "WInstanceType",
    ]);
    // Whoever is not ready fails the stack.
    expect(groups.every(([, { CreationPolicy }]) => CreationPolicy !== undefined)).toBe(true);
  });
});

test("texts of the file stay texts", () => {
  const { Resources } = templateOf(
    compiled(
      awsCluster(
        'name: demo\ngroups: { control: {} }\naws: { key_pair: "${AWS::Region} {\\"Ref\\": 1}", tags: { a: "=: /@" } }\n',
      ),
    ),
  );
  const data = Resources["ControlTemplate"]?.Properties?.["LaunchTemplateData"];
  expect(data).toMatchObject({ KeyName: '${AWS::Region} {"Ref": 1}' });
});

test("a text that CloudFormation would replace is refused before anything is written", () => {
  const read = readCluster(
    'name: demo\ngroups: { control: {} }\naws: { key_pair: "{{resolve:ssm:/x}}" }\n',
    "cluster.yml",
    { on: "aws" },
  );
  expect(read.kind).toBe("bad");
});

test("five thousand workers are as large as five", () => {
  const size = (count: number) =>
    compiled(
      awsCluster(`name: demo\ngroups: { control: {}, worker: { count: ${count} } }\naws: { network: { zones: 3 } }\n`),
    ).size;
  expect(size(5_000) - size(5)).toBeLessThan(20);
});

test("more than a stack takes is said at what makes it so", () => {
  const cluster = awsCluster(
    "name: demo\ngroups: { control: {}, worker: { count: 600, aws: { allocate_ip_address: true } } }\naws: { network: { zones: 3 } }\n",
  );
  const read = compile(cluster, noFacts, boot);
  expect(read).toMatchObject({
    kind: "bad",
    problems: [
      {
        code: "out-of-range",
        path: ["groups", "worker"],
        message: expect.stringContaining("CloudFormation takes 500"),
      },
    ],
  });
});

test("every type of resource that can be is in some scenario", async () => {
  const { scenarios } = await import("./scenarios.ts");
  const used = new Set(
    scenarios.flatMap(({ compiled: { graph } }) => graph.resources.map((resource) => resource.type)),
  );
  expect(Object.keys(resourceTypes).filter((one) => !used.has(one as keyof typeof resourceTypes))).toEqual([]);
});
