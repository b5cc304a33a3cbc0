import { expect, test } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { status } from "../../../src/operations/status.ts";
import { stop } from "../../../src/operations/stop.ts";
import { terminate } from "../../../src/operations/terminate.ts";
import { plainValue } from "../../../src/targets/aws/cloudformation.ts";
import { operatorPolicy } from "../../../src/targets/aws/policy/policy.ts";
import { compiled } from "../scenarios.ts";
import { killedAtKind } from "./kill.ts";
import { demo, example, operatorOn } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet(5);

const all = { cluster: demo, nodes: [], force: false, grace: 30 };
const living = (): readonly string[] =>
  [...started.standIn.place().ec2.instances.all.values()]
    .filter(({ state }) => state === "running" || state === "stopped")
    .map(({ tags }) => tags["slipway.node"] ?? tags["slipway.group"] ?? "")
    .toSorted();

test("a cluster's machines are ended, by a run that is killed and one that completes it, and a launch brings the same nodes back", async () => {
  const { standIn } = started;
  const first = await launch(operatorOn(standIn).context, { cluster: example() });
  const members = first.status.etcd.members.map(({ id, name }) => `${id} ${name}`);
  const volumes = (await operatorOn(standIn).context.target.leftovers(demo)).filter(({ kind }) => kind === "volume");

  const from = standIn.calls.length;
  // One worker of two: its group is one smaller, and the others stay.
  await terminate(operatorOn(standIn).context, { ...all, nodes: ["demo-worker-1"] });
  expect(living()).toEqual(["demo-control-1", "demo-control-2", "demo-control-3", "worker"]);
  expect((await status(operatorOn(standIn).context, { cluster: demo })).nodes.map(({ name }) => name)).toEqual([
    "demo-control-1",
    "demo-control-2",
    "demo-control-3",
    "demo-worker-2",
  ]);

  // The groups of what stands still are told to bring nobody; killed before that is taken back, nothing is in a launch's way.
  await stop(operatorOn(standIn).context, all);
  await killedAtKind(standIn, ({ context }) => terminate(context, all), operatorOn(standIn), {
    at: "committed",
    kind: "autoscaling:TerminateInstanceInAutoScalingGroup",
    turn: 3,
  });
  await terminate(operatorOn(standIn).context, all);
  expect(living()).toEqual([]);
  expect((await terminate(operatorOn(standIn).context, all)).nodes).toEqual([]);
  const policy = JSON.stringify(plainValue(operatorPolicy(example(), compiled(example()).graph, {}, "operate")));
  const used = standIn.calls
    .slice(from)
    .filter(({ caller, service }) => caller.endsWith("user/operator") && service !== "s3")
    .map(({ service, action }) => `${service}:${action}`);
  expect(used).toContain("autoscaling:TerminateInstanceInAutoScalingGroup");
  expect([...new Set(used)].filter((action) => !policy.includes(`"${action}"`))).toEqual([]);

  const ended = await status(operatorOn(standIn).context, { cluster: demo });
  expect(ended.state).toBe("stopped");
  expect(
    ended.nodes.filter(({ role }) => role === "control").map(({ name, state, reason }) => [name, state, reason]),
  ).toEqual(
    [1, 2, 3].map((n) => [
      `demo-control-${n}`,
      "absent",
      "its machine is gone, its disks stay; slipway launch brings another",
    ]),
  );
  const left = await operatorOn(standIn).context.target.leftovers(demo);
  expect(left.filter(({ kind }) => kind === "volume")).toEqual(expect.arrayContaining([...volumes.slice(0, 3)]));

  const planned = await plan(operatorOn(standIn).context, { cluster: example() });
  expect(planned.changes.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([
    "group:demo.control.1: it has 0 of 1 nodes",
    "group:demo.control.2: it has 0 of 1 nodes",
    "group:demo.control.3: it has 0 of 1 nodes",
    "group:demo.worker: it has 0 of 2 nodes",
  ]);
  // Sizes are no drift that stands in the way: a launch sets them by the file.
  const drift = planned.outlook?.notes.filter((note) => /beside the stack: \/|was deleted beside/.test(note)) ?? [];
  expect(drift.filter((note) => !/(?:MinSize|DesiredCapacity) is 0/.test(note))).toEqual([]);

  const again = await launch(operatorOn(standIn).context, { cluster: example() });
  expect(again.status.nodes.map(({ name, state }) => `${name} ${state}`)).toEqual(
    first.status.nodes.map(({ name, state }) => `${name} ${state}`),
  );
  expect(again.status.nodes.slice(0, 3).map(({ instance }) => instance)).toEqual(
    first.status.nodes.slice(0, 3).map(({ instance }) => instance),
  );
  expect(again.status.etcd.members.map(({ id, name }) => `${id} ${name}`)).toEqual(members);
  expect((await cleanup(operatorOn(standIn).context, { cluster: demo })).left).toEqual([]);
});
