import { beforeEach, describe, expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { remove } from "../../../src/operations/remove.ts";
import { restart } from "../../../src/operations/restart.ts";
import { start } from "../../../src/operations/start.ts";
import { status } from "../../../src/operations/status.ts";
import { stop } from "../../../src/operations/stop.ts";
import { demo, example, operatorOn, type Operator } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet();
beforeEach(async () => {
  await launching(example());
});

async function launching(cluster: Cluster): Promise<Operator> {
  const one = operatorOn(started.standIn);
  const { status: now } = await launch(one.context, { cluster });
  expect(now.state).toBe("ready");
  return one;
}

const seen = () => status(operatorOn(started.standIn).context, { cluster: demo });
const names = async () => (await seen()).nodes.map(({ name }) => name);
const instances = async () =>
  new Map<string, string>((await seen()).nodes.map(({ name, instance }) => [name, instance]));
/** On which machine of EC2's each node runs. */
const machines = async () => {
  const { nodes } = await operatorOn(started.standIn).context.target.observe(demo);
  return new Map<string, string>(nodes.map(({ name, machine = "" }) => [name, machine]));
};
/** Calls that change something of AWS's, beside records and locks, since the given one. */
const changing = (from: number) =>
  started.standIn.calls
    .slice(from)
    .filter(({ mutating, caller, service }) => mutating && service !== "s3" && caller.endsWith("user/operator"))
    .map(({ action }) => action);

describe("a launch of a cluster that is there", () => {
  test("changes nothing when nothing has changed, and asks CloudFormation for no change set", async () => {
    const from = started.standIn.calls.length;
    const { changes } = await launch(operatorOn(started.standIn).context, { cluster: example() });
    expect(changes).toBe(0);
    expect(changing(from)).toEqual([]);
  });

  test("brings what only the store has to tell without a change set", async () => {
    const from = started.standIn.calls.length;
    await launching(example(["replicas: 2", "replicas: 3"]));
    expect(changing(from)).toEqual([]);
    expect((await seen()).services).toMatchObject([{ name: "web", running: 3 }]);
  });

  test("makes more workers by one change set, and waits until they have joined", async () => {
    const before = await instances();
    const more = example(["count: 2", "count: 4"]);
    const planned = await plan(operatorOn(started.standIn).context, { cluster: more });
    expect(planned.forecast).toBe("change-set");
    expect(planned.changes.map(({ action, name }) => `${action} ${name}`)).toContain("update WorkerNodes");
    const from = started.standIn.calls.length;
    await launching(more);
    expect(changing(from)).toEqual(["CreateChangeSet", "ExecuteChangeSet"]);
    expect(await names()).toEqual([...before.keys(), "demo-worker-3", "demo-worker-4"]);
    for (const [name, instance] of before) expect((await instances()).get(name)).toBe(instance);
  });

  test("replaces control nodes one after the other, each when the one before is ready, and their names and disks stay", async () => {
    const { standIn } = started;
    const [before, machinesBefore] = [await instances(), await machines()];
    let least = 3;
    const watch = setInterval(() => {
      const running = [...standIn.place().ec2.instances.all.values()].filter(
        ({ state, tags }) => state === "running" && tags["slipway.node"] !== undefined,
      );
      least = Math.min(least, running.length);
    }, 1);
    const bigger = example(["instance_type: t3.small", "instance_type: t3.medium"]);
    const planned = await plan(operatorOn(standIn).context, { cluster: bigger });
    expect(planned.outlook?.notes.join("\n")).toContain("3 control nodes are replaced one after the other");
    const one = await launching(bigger);
    clearInterval(watch);
    const after = await instances();
    expect([...after.keys()]).toEqual([...before.keys()]);
    // They are the same members, each on another machine.
    expect(after).toEqual(before);
    for (const n of [1, 2, 3])
      expect(standIn.place().ec2.instances.all.get(machinesBefore.get(`demo-control-${n}`) ?? "")?.state).toBe(
        "terminated",
      );
    expect(least).toBe(2);
    const order = one.events.flatMap((event) =>
      event.name === "step.finished" && event.step !== "stack" ? [`${event.step} ${event.subject}`] : [],
    );
    expect(order.filter((line) => line.includes("control"))).toEqual(
      [1, 2, 3].flatMap((n) => [`pause demo-control-${n}`, `replace demo-control-${n}`, `await demo-control-${n}`]),
    );
    const again = await launch(operatorOn(standIn).context, { cluster: bigger });
    expect(again.changes).toBe(0);
  });

  test("goes no further when an instance does not come back, and goes on when it does", async () => {
    const { standIn } = started;
    const before = await machines();
    standIn.settings.noCapacity.add("eu-central-1a");
    const bigger = example(["instance_type: t3.small", "instance_type: t3.medium"]);
    const error = await launch(operatorOn(standIn).context, { cluster: bigger }).then(
      () => expect.fail("it did not fail"),
      String,
    );
    expect(error).toContain("no instance has taken demo-control-1's place");
    expect(error).toContain("demo.control.1 has 0 of 1 instances: launches failed in eu-central-1a (");
    const between = await machines();
    for (const n of [2, 3]) expect(between.get(`demo-control-${n}`)).toBe(before.get(`demo-control-${n}`));
    standIn.settings.noCapacity.clear();
    await launching(bigger);
    const after = await machines();
    for (const n of [1, 2, 3]) expect(after.get(`demo-control-${n}`)).not.toBe(before.get(`demo-control-${n}`));
  });

  test("that CloudFormation takes back leaves what was, and says why", async () => {
    const before = await instances();
    started.standIn.faults.resource("WorkerNodes", "update", { reason: "Max spot instance count exceeded" });
    const error = await launch(operatorOn(started.standIn).context, {
      cluster: example(["count: 2", "count: 5"]),
    }).then(() => expect.fail("it did not fail"), String);
    expect(error).toContain("WorkerNodes (AWS::AutoScaling::AutoScalingGroup, groups.worker): Max spot instance count");
    expect(await instances()).toEqual(before);
    await launching(example(["count: 2", "count: 5"]));
    expect(await names()).toHaveLength(8);
  });
});

test("a plan of a cluster that is as it is to be has no changes, and says what it costs", async () => {
  const { standIn } = started;
  const planned = await plan(operatorOn(standIn).context, { cluster: example() });
  expect(planned.changes).toEqual([]);
  expect(planned.outlook?.monthly).toBeGreaterThan(50);
});

describe("nodes", () => {
  test("stand still as long as they are to, and are minded again when they have been started", async () => {
    const { standIn } = started;
    const before = await instances();
    const stopped = await stop(operatorOn(standIn).context, { cluster: demo, nodes: [], force: false, grace: 30 });
    expect(stopped.nodes).toHaveLength(5);
    const groups = () => standIn.place().autoscaling.engine.groups;
    await standIn.clock.advance(30 * 60_000);
    expect((await seen()).state).toBe("stopped");
    expect([...(await instances()).values()]).toEqual([...before.values()]);
    const from = standIn.calls.length;
    await start(operatorOn(standIn).context, { cluster: demo, nodes: [], timeout: 600_000 });
    expect((await seen()).state).toBe("ready");
    expect(await instances()).toEqual(before);
    const order = changing(from).filter((action) => action === "StartInstances" || action === "ResumeProcesses");
    expect(order.lastIndexOf("StartInstances")).toBeLessThan(order.indexOf("ResumeProcesses"));
    expect([...groups().values()].flatMap(({ suspended }) => [...suspended])).toEqual([]);
    await standIn.clock.advance(10 * 60_000);
    expect(await instances()).toEqual(before);
  });

  test("are restarted one by one, and nobody takes their place", async () => {
    const before = await instances();
    await restart(operatorOn(started.standIn).context, {
      cluster: demo,
      nodes: ["worker"],
      force: false,
      grace: 30,
      timeout: 600_000,
    });
    expect(await instances()).toEqual(before);
    expect((await seen()).state).toBe("ready");
  });

  test("that are removed are gone until the file's count is launched again", async () => {
    await remove(operatorOn(started.standIn).context, { cluster: demo, node: "demo-worker-2", force: false });
    await started.standIn.clock.advance(10 * 60_000);
    expect(await names()).toEqual(["demo-control-1", "demo-control-2", "demo-control-3", "demo-worker-1"]);
    await launching(example());
    expect(await names()).toHaveLength(5);
  });

  test("whose instance ends come back under their names, and no launch minds", async () => {
    const { standIn } = started;
    const before = await instances();
    const id = (await machines()).get("demo-control-2") ?? "";
    standIn.place().ec2.instances.terminate(id);
    await standIn.clock.advance(10 * 60_000);
    // The same member, on another machine.
    expect(await instances()).toEqual(before);
    expect((await machines()).get("demo-control-2")).not.toBe(id);
    expect((await seen()).state).toBe("ready");
    const { changes } = await launch(operatorOn(standIn).context, { cluster: example() });
    expect(changes).toBe(0);
  });
});
