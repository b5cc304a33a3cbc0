import { describe, expect, test } from "vitest";
import { missing, rivals, rosterNext, type Arrived, type RosterView } from "../../src/agent/platforms/ec2/roster.ts";
import { seen, unknown } from "../../src/components/reconciler.ts";
import type { RosterEntry } from "../../src/components/roster.ts";
import type { Ec2Instance } from "../../src/host/aws/ec2.ts";

const minute = 60_000;
const now = 100 * minute;
const worker = (id: string): string => `AROAW.i-${id}`;
const entry = (id: string, fields: Partial<RosterEntry> = {}): RosterEntry => ({
  instance: worker(id),
  node: `demo-worker-${id}`,
  group: "worker",
  role: "worker",
  address: `10.0.0.${id}`,
  state: "present",
  ...fields,
});
const machine = (id: string, state = "running", tags: Readonly<Record<string, string>> = {}): Ec2Instance => ({
  id: `i-${id}`,
  state,
  address: `10.0.0.${id}`,
  tags: new Map(Object.entries({ "slipway.cluster": "demo", "slipway.group": "worker", ...tags })),
});
const arrived = (id: string, fields: Partial<Arrived> = {}): Arrived => ({
  instance: worker(id),
  group: "worker",
  role: "worker",
  address: `10.0.0.${id}`,
  ...fields,
});
const view = (fields: Partial<RosterView>): RosterView => ({
  cluster: "demo",
  roster: seen([]),
  arrived: seen([]),
  instances: seen([]),
  lifecycle: seen(new Map()),
  missingSince: new Map(),
  now,
  ...fields,
});

describe("who says that it has arrived", () => {
  test("is let in when EC2 says the same of it", () => {
    const { acts, refused } = rosterNext(
      view({ arrived: seen([arrived("1")]), instances: seen([machine("1", "pending")]) }),
    );
    expect(acts).toEqual([{ kind: "admit", arrived: arrived("1") }]);
    expect(refused).toEqual([]);
  });

  test.each<[string, Partial<Arrived>, readonly Ec2Instance[], RegExp]>([
    ["is not listed", {}, [], /lists no such instance/],
    ["is being terminated", {}, [machine("1", "shutting-down")], /shutting-down/],
    ["is of another cluster", {}, [machine("1", "running", { "slipway.cluster": "other" })], /does not bear the tag/],
    [
      "is of another group",
      {},
      [machine("1", "running", { "slipway.group": "small" })],
      /of the group worker, its tag says small/,
    ],
    [
      "is a control member",
      {},
      [machine("1", "running", { "slipway.node": "demo-control-1" })],
      /control member's tag/,
    ],
    ["is elsewhere", { address: "10.0.0.9" }, [machine("1")], /at 10.0.0.9, EC2 says 10.0.0.1/],
  ])("is refused when it %s", (_, fields, machines, why) => {
    const { acts, refused } = rosterNext(view({ arrived: seen([arrived("1", fields)]), instances: seen(machines) }));
    expect(acts).toEqual([]);
    expect(refused).toEqual([{ instance: worker("1"), why: expect.stringMatching(why) }]);
  });

  test("is neither let in nor refused when EC2 or the roster cannot be seen, or when it says that it is a control node", () => {
    const arrivals = { arrived: seen([arrived("1")]), instances: seen([machine("1")]) };
    const nothing = { acts: [], refused: [] };
    expect(rosterNext(view({ ...arrivals, instances: unknown("a page is missing") }))).toEqual(nothing);
    expect(rosterNext(view({ ...arrivals, roster: unknown("S3 is busy") }))).toEqual(nothing);
    expect(rosterNext(view({ ...arrivals, arrived: seen([arrived("1", { role: "control" })]) }))).toEqual(nothing);
    expect(rosterNext(view({ ...arrivals, roster: seen([entry("1", { state: "gone" })]) })).refused).toEqual([]);
  });
});

describe("a worker of the roster", () => {
  const acts = (fields: Partial<RosterView>, own: Partial<RosterEntry> = {}) =>
    rosterNext(view({ roster: seen([entry("1", own)]), ...fields })).acts;

  test("leaves when Auto Scaling or EC2 is about to end it, and is gone when it has", () => {
    const waits = seen(new Map([["i-1", "Terminating:Wait"]]));
    expect(acts({ instances: seen([machine("1")]), lifecycle: waits })).toEqual([
      { kind: "leave", instance: worker("1") },
    ]);
    expect(acts({ instances: seen([machine("1", "shutting-down")]) })).toEqual([
      { kind: "leave", instance: worker("1") },
    ]);
    expect(acts({ instances: seen([machine("1")]), lifecycle: waits }, { state: "leaving" })).toEqual([]);
    expect(acts({ instances: seen([machine("1", "terminated")]) }, { state: "leaving" })).toEqual([
      { kind: "gone", instance: worker("1") },
    ]);
  });

  test("stays when it is stopped, when it is silent, and when it is not listed for a while", () => {
    expect(acts({ instances: seen([machine("1", "stopped")]) })).toEqual([]);
    expect(acts({ instances: seen([machine("1")]), lifecycle: unknown("busy") })).toEqual([]);
    expect(acts({ missingSince: new Map([["i-1", now - 9 * minute]]) })).toEqual([]);
    expect(acts({})).toEqual([]);
    expect(acts({ instances: unknown("busy"), missingSince: new Map([["i-1", 0]]) })).toEqual([]);
  });

  test("is gone when EC2 has not listed it for long", () => {
    expect(acts({ missingSince: new Map([["i-1", now - 10 * minute]]) })).toEqual([
      { kind: "gone", instance: worker("1") },
    ]);
  });
});

test("no word of EC2 makes a control member gone: it is its disk", () => {
  const member = entry("1", { role: "control", group: "control" });
  for (const instances of [[], [machine("1", "terminated")], [machine("1", "shutting-down")]])
    expect(
      rosterNext(view({ roster: seen([member]), instances: seen(instances), missingSince: new Map([["i-1", 0]]) }))
        .acts,
    ).toEqual([]);
});

test("an instance is missing from the first look that does not list it to the next that does", () => {
  const roster = [entry("1"), entry("2"), entry("3", { state: "gone" }), entry("4", { role: "control" })];
  const first = missing(new Map(), roster, [machine("2")], 5);
  expect([...first]).toEqual([["i-1", 5]]);
  expect([...missing(first, roster, [machine("2")], 9)]).toEqual([["i-1", 5]]);
  expect([...missing(first, roster, [machine("1"), machine("2")], 9)]).toEqual([]);
});

test("who else lives with a control member's tag is its rival, who is ending is not", () => {
  const tags = { "slipway.node": "demo-control-1" };
  const machines = [
    machine("1", "running", tags),
    machine("2", "stopped", tags),
    machine("3", "terminated", tags),
    machine("4"),
  ];
  expect(rivals(machines, "demo-control-1", "i-1").map(({ id }) => id)).toEqual(["i-2"]);
  expect(rivals(machines, "demo-control-1", "i-2").map(({ id }) => id)).toEqual(["i-1"]);
});
