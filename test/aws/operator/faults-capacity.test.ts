import { expect, test, vi } from "vitest";
import { launch } from "../../../src/operations/launch.ts";
import { status } from "../../../src/operations/status.ts";
import { demo, operatorOn, world } from "./operator.ts";
import { refused, small, useTrial } from "./trial.ts";

// Which fault is where: faults.test.ts. F21: a zone has no more machines of a type.

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const trial = useTrial();

/** Over three zones; workers of a type that control nodes are not. */
const overThree = (workers: number, control = 1) =>
  small(
    ["control, count: 1", `control, count: ${control}`],
    ["count: 1, aws: {", `count: ${workers}, aws: { instance_type: t3.medium,`],
    ["t3.small }", "t3.small, network: { zones: 3 } }"],
  );
const lacks = (...what: readonly string[]): void => {
  for (const one of what) trial.standIn.settings.noCapacity.add(`eu-central-1${one}`);
};
const all = () => [...trial.standIn.place().ec2.instances.all.values()];
/** The zones of a group's instances that run. */
const zonesOf = (group: string): readonly string[] =>
  all()
    .filter(({ state, tags }) => state === "running" && tags["slipway.group"] === group)
    .map(({ zone }) => zone.slice(-1))
    .toSorted();
/** In which zones each control node has ever had an instance. */
const homes = (): Readonly<Record<string, readonly string[]>> => {
  const found: Record<string, string[]> = {};
  for (const { zone, tags } of all()) {
    const zones = (found[tags["slipway.node"] ?? "a worker"] ??= []);
    if (!zones.includes(zone.slice(-1))) zones.push(zone.slice(-1));
  }
  delete found["a worker"];
  return found;
};
const asked = (): number => trial.standIn.calls.filter(({ action }) => action === "DescribeScalingActivities").length;
const warnings = (one: ReturnType<typeof operatorOn>): readonly string[] =>
  one.events.flatMap((event) => (event.name === "warning" ? [event.message] : []));

test("F21: workers come in a zone that has capacity, where two others have none", async () => {
  lacks("a/t3.medium", "b/t3.medium");
  const one = operatorOn(trial.standIn);
  const { status: after } = await launch(one.context, { cluster: overThree(1) });
  expect(after.state).toBe("ready");
  expect([zonesOf("control"), zonesOf("worker")]).toEqual([["a"], ["c"]]);
  // The file's spread is kept: one instance is in one zone.
  expect(warnings(one)).toEqual([]);
  await trial.cleaning();
  expect(await world(trial.standIn)).toEqual([]);
});

test("F21: where that leaves workers uneven, the launch says so, how, and which zone lacked what", async () => {
  lacks("a/t3.medium");
  const one = operatorOn(trial.standIn);
  const { status: after } = await launch(one.context, { cluster: overThree(3) });
  expect([after.state, zonesOf("worker")]).toEqual(["ready", ["b", "b", "c"]]);
  expect(warnings(one)).toEqual([
    expect.stringMatching(
      /^demo\.worker is not spread evenly over its zones, 2 in eu-central-1b, 1 in eu-central-1c: launches failed in eu-central-1a \(We currently do not have sufficient t3\.medium capacity .*Auto Scaling evens it out when it can$/,
    ),
  ]);
  expect(asked()).toBe(1);
  expect((await trial.planning(overThree(3))).changes).toEqual([]);
});

test("F21: a group of several types keeps its zones where one of the types is left in each", async () => {
  lacks("a/t3.medium", "c/t3.medium");
  const several = small(
    ["count: 1, aws: {", "count: 3, aws: { instance_types: [t3.medium, t3a.medium],"],
    ["t3.small }", "t3.small, network: { zones: 3 } }"],
  );
  const one = operatorOn(trial.standIn);
  const { status: after } = await launch(one.context, { cluster: several });
  expect([after.state, zonesOf("worker"), warnings(one)]).toEqual(["ready", ["a", "b", "c"], []]);
  const types = all().flatMap(({ tags, type, zone }) =>
    tags["slipway.group"] === "worker" ? [`${zone.slice(-1)} ${type}`] : [],
  );
  expect(types.toSorted()).toEqual(["a t3a.medium", "b t3.medium", "c t3a.medium"]);
  expect(asked()).toBe(0);
});

test("F21: a change whose workers find no capacity is taken back, with the reason", async () => {
  await trial.launches(overThree(2));
  const before = zonesOf("worker");
  lacks("a/t3.large", "b/t3.large", "c/t3.large");
  const larger = small(
    ["count: 1, aws: {", "count: 2, aws: { instance_type: t3.large,"],
    ["t3.small }", "t3.small, network: { zones: 3 } }"],
  );
  const said = await refused(() => trial.launching(larger));
  expect(said).toMatch(/demo\.worker has \d of 2 instances: launches failed in eu-central-1\w/);
  expect(said).toContain("We currently do not have sufficient t3.large capacity");
  await trial.launches(overThree(2));
  expect(zonesOf("worker").length).toBe(before.length);
});

test("F21: who may not ask Auto Scaling for its reasons is told so, and has the cluster all the same", async () => {
  lacks("a/t3.medium");
  trial.standIn.faults.add(
    { action: "DescribeScalingActivities" },
    { kind: "refuse", code: "AccessDenied", message: "ada is not authorized", status: 403 },
  );
  const one = operatorOn(trial.standIn);
  const { status: after } = await launch(one.context, { cluster: overThree(3) });
  expect(after.state).toBe("ready");
  expect(warnings(one)).toEqual([
    expect.stringContaining("Auto Scaling does not say why (autoscaling:DescribeScalingActivities: AccessDenied"),
  ]);
});

test("F21: a control member waits for its own zone and for no other: three are never two in one", async () => {
  const { standIn } = trial;
  const cluster = overThree(1, 3);
  await trial.launches(cluster);
  const spread = { "demo-control-1": ["a"], "demo-control-2": ["b"], "demo-control-3": ["c"] };
  expect(homes()).toEqual(spread);
  const before = (await status(operatorOn(standIn).context, { cluster: demo })).nodes;
  const others = all().filter(({ tags }) => /control-[23]$/.test(tags["slipway.node"] ?? ""));

  lacks("a");
  standIn
    .place()
    .ec2.instances.terminate(all().find(({ tags }) => tags["slipway.node"] === "demo-control-1")?.id ?? "");
  const begun = standIn.clock.now();
  const said = await refused(() => trial.launching(cluster));
  expect(said).toContain("demo.control.1 has 0 of 1 instances: launches failed in eu-central-1a (We currently do not");
  expect(said).toContain("sufficient t3.small capacity");
  expect(standIn.clock.now() - begun).toBeLessThan(25 * 60_000);
  // Two of three are a quorum, and nobody has touched them.
  expect([homes(), zonesOf("control")]).toEqual([spread, ["b", "c"]]);
  expect(others.map(({ state }) => state)).toEqual(["running", "running"]);

  standIn.settings.noCapacity.clear();
  await trial.launches(cluster);
  expect([homes(), zonesOf("control")]).toEqual([spread, ["a", "b", "c"]]);
  const after = (await status(operatorOn(standIn).context, { cluster: demo })).nodes;
  // The same members, one of them on another machine.
  expect(after.map(({ name, instance }) => `${name} ${instance}`)).toEqual(
    before.map(({ name, instance }) => `${name} ${instance}`),
  );
});

test("F21: a creation whose control member gets no instance in its zone ends in time with zone, type and what to do", async () => {
  const { standIn } = trial;
  lacks("b/t3.small");
  const begun = standIn.clock.now();
  const one = operatorOn(standIn);
  const said = await refused(() => launch(one.context, { cluster: overThree(1, 3) }));
  expect(said).toContain(
    "demo.control.2 has 0 of 1 instances: launches failed in eu-central-1b (We currently do not have sufficient t3.small capacity",
  );
  expect(said).toContain("other instance types, or for new nodes other zones (aws: network: zone_names)");
  expect(standIn.clock.now() - begun).toBeLessThan(20 * 60_000);
  // Said while there is still something to wait for.
  expect(warnings(one)).toEqual([
    expect.stringMatching(/^demo\.control\.2 has 0 of 1 .*; Auto Scaling goes on trying$/),
  ]);
  expect(homes()).toEqual({ "demo-control-1": ["a"], "demo-control-3": ["c"] });
  expect((await world(standIn)).map((line) => line.split(" ")[0])).toEqual(["bucket"]);
});

test("F21: where no zone has any, every group that waits is named with AWS's words, and the same command goes on", async () => {
  lacks("a", "b", "c");
  const said = await refused(() => trial.launching(overThree(2)));
  expect(said).toContain("demo.control.1 has 0 of 1 instances: launches failed in eu-central-1a (");
  expect(said).toContain(
    "demo.worker has 0 of 2 instances: launches failed in eu-central-1a, eu-central-1b, eu-central-1c (",
  );
  expect(said).toContain(
    "We currently do not have sufficient t3.medium capacity in the Availability Zone you requested",
  );
  trial.standIn.settings.noCapacity.clear();
  await trial.launches(overThree(2));
});
