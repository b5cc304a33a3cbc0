import { describe, expect, test } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { launch } from "../../../src/operations/launch.ts";
import { census } from "./census.ts";
import { killedAtKind } from "./kill.ts";
import { operatorOn, world } from "./operator.ts";
import { picture } from "./picture.ts";
import { refused, small, two, useTrial } from "./trial.ts";

// Which fault is where: faults.test.ts.

const trial = useTrial();

/** A launch that is killed right after its change set was executed: CloudFormation goes on without it. */
const leftAlone = (cluster: Cluster): Promise<void> =>
  killedAtKind(trial.standIn, ({ context }) => launch(context, { cluster }), operatorOn(trial.standIn), {
    at: "committed",
    kind: "cloudformation:ExecuteChangeSet",
  });

describe("a stack", () => {
  test("F23: whose network interfaces stay for ten minutes goes all the same", async () => {
    trial.standIn.clock.haste = 1;
    await trial.launches();
    trial.standIn.settings.interfaceLingers = 600_000;
    await trial.cleaning();
    expect(await world(trial.standIn)).toEqual([]);
  });

  test("F23: whose network interfaces do not go is left with each of them named, and goes by the same command later", async () => {
    const { standIn } = trial;
    standIn.clock.haste = 1;
    await trial.launches();
    standIn.settings.interfaceLingers = 75 * 60_000;
    const said = await refused(() => trial.cleaning());
    const left = (await world(standIn)).filter((line) => line.startsWith("network-interface "));
    expect(left.length).toBeGreaterThan(0);
    for (const line of left) expect(said).toContain(line);
    expect(said).toContain("has dependencies and cannot be deleted");
    expect(said).toContain("next: slipway cleanup demo");
    await standIn.clock.advance(60 * 60_000);
    await trial.cleaning();
    expect(await world(standIn)).toEqual([]);
  });

  test("F24: is removed, and data is kept where that is asked for; the bucket is emptied, whoever still writes to it", async () => {
    const { standIn } = trial;
    await trial.launches();
    expect((await trial.cleaning({ keepData: true })).kept?.map(({ kind }) => kind).toSorted()).toEqual([
      "bucket",
      "volume",
    ]);
    const kept = await census(standIn);
    expect(kept.filter((line) => line.includes("object records/")).length).toBeGreaterThan(10);
    let late = 3;
    standIn.onRequest = (at, { action, path }) => {
      if (at !== "before" || action !== "DeleteBucket" || late-- <= 0) return;
      const shelf = standIn.place().s3.buckets.get(path.slice(1).replace(/\/$/, ""))?.shelf;
      shelf?.objects.set(`late-${late}`, [{ id: "v", body: new Uint8Array(), etag: '""', headers: {}, made: 0 }]);
    };
    expect((await trial.cleaning()).left).toEqual([]);
    expect(late).toBeLessThanOrEqual(0);
    expect(await world(standIn)).toEqual([]);
  });

  test("F26: whose creation fails is rolled back to nothing, disks too; its first failure is named, and the same command makes it", async () => {
    const { standIn } = trial;
    standIn.faults.resource("WorkerNodes", "create", { reason: "The requested configuration is not supported" });
    const said = await refused(() => trial.launching());
    expect(said).toContain("WorkerNodes (AWS::AutoScaling::AutoScalingGroup, groups.worker): The requested");
    expect(said).not.toContain("cancelled");
    expect((await world(standIn)).map((line) => line.split(" ")[0])).toEqual(["bucket"]);
    expect((await census(standIn)).filter((line) => line.includes("DescribeVolumes"))).toEqual([]);
    await trial.launches();
  });

  test("F27: that cannot be taken back is never deleted, and what to do is said", async () => {
    await trial.launches();
    const stack = [...trial.standIn.place().cloudformation.stacks.values()].at(-1) ?? expect.fail("no stack");
    stack.status = "UPDATE_ROLLBACK_FAILED";
    const said = await refused(() => trial.launching(two));
    expect(said).toContain("UPDATE_ROLLBACK_FAILED");
    expect(said).toContain("continue-update-rollback");
    expect(trial.changes()).not.toContain("DeleteStack");
    expect(await picture(trial.standIn)).toContain("1 stack demo");
  });

  test("F28: whose creation was left alone is waited for, and what it has made stands in nobody's way", async () => {
    trial.standIn.clock.haste = 1;
    await leftAlone(small());
    await trial.standIn.clock.advance(25_000);
    await trial.launches();
  });

  test("F28: at which somebody else is, is waited for", async () => {
    trial.standIn.clock.haste = 1;
    await trial.launches();
    await leftAlone(two);
    await trial.standIn.clock.advance(5_000);
    const planned = await trial.planning(two);
    expect(planned.changes).toMatchObject([{ action: "unclear", kind: "stack", name: "demo" }]);
    const next = operatorOn(trial.standIn);
    await launch(next.context, { cluster: two });
    expect(
      next.events
        .filter(({ name }) => name === "warning")
        .map((event) => JSON.stringify(event))
        .join("\n"),
    ).toContain("an earlier run has begun it");
  });

  test("F29: whose node says nothing is taken back with that node's console, which was fetched before", async () => {
    trial.standIn.clock.haste = 1;
    const { standIn } = trial;
    trial.fleet.word = ({ tags }) => (tags["slipway.group"] === "worker" ? "silent" : "ready");
    const said = await refused(() => trial.launching());
    expect(said).toContain("slipway-agent: silent");
    const own = standIn.calls.filter(({ caller }) => caller.endsWith("user/operator"));
    const at = (name: string): number => own.findIndex(({ action }) => action === name);
    expect(at("GetConsoleOutput")).toBeGreaterThan(0);
    expect(at("SignalResource")).toBeGreaterThan(at("GetConsoleOutput"));
    const [stack] = standIn.place().cloudformation.stacks.values();
    const back = stack?.events.find(({ status }) => status === "ROLLBACK_IN_PROGRESS")?.time;
    expect(back).toBeGreaterThanOrEqual(own[at("SignalResource")]?.time ?? Infinity);
  });

  test("F30: of which somebody has deleted a rule is shown as such by a plan, and put right by a launch", async () => {
    const { standIn } = trial;
    await trial.launches();
    const before = await census(standIn);
    const { place, cloudformation, autoscaling } = standIn.place();
    const [stack] = cloudformation.stacks.values();
    const rule = stack?.resources.get("ControlGuardTcp2379FromControl") ?? expect.fail("no rule");
    await place.ask("ec2", "RevokeSecurityGroupIngress", {
      GroupId: String(rule.properties["GroupId"]),
      SecurityGroupRuleId: [rule.physical],
    });
    expect(await census(standIn)).not.toEqual(before);
    const planned = await trial.planning();
    expect(planned.changes.map(({ action, name }) => `${action} ${name}`)).toEqual([
      "create ControlGuardTcp2379FromControl",
    ]);
    expect(planned.outlook?.notes.join("\n")).toContain(
      "ControlGuardTcp2379FromControl (AWS::EC2::SecurityGroupIngress) was deleted beside the stack; a launch puts it right",
    );
    const instances = [...autoscaling.engine.groups.values()].flatMap(({ members }) => [...members.keys()]);
    await trial.launches();
    expect((await census(standIn)).map((line) => line.replace("UPDATE_COMPLETE", "CREATE_COMPLETE"))).toEqual(before);
    expect([...autoscaling.engine.groups.values()].flatMap(({ members }) => [...members.keys()])).toEqual(instances);
    expect((await trial.planning()).changes).toEqual([]);
  });

  test("F30: of which somebody has deleted a disk with data is an error: nothing empty takes its place", async () => {
    const { standIn } = trial;
    await trial.launches();
    const { cloudformation, place } = standIn.place();
    const [stack] = cloudformation.stacks.values();
    const disk = stack?.resources.get("ControlNode1VolumeData")?.physical ?? expect.fail("no disk");
    await place.ask("ec2", "DeleteVolume", { VolumeId: disk });
    expect((await trial.planning()).outlook?.notes.join("\n")).toContain(
      "its data is gone, and a launch refuses to go on",
    );
    const from = trial.changes().length;
    expect(await refused(() => trial.launching())).toContain(
      "ControlNode1VolumeData (AWS::EC2::Volume) of demo was deleted",
    );
    expect(
      trial
        .changes()
        .slice(from)
        .filter((action) => action !== "PutObject"),
    ).toEqual([]);
  });

  test("F31: in a zone where EC2 changes nothing freezes: nothing is terminated, and the same command goes on when it can", async () => {
    const { standIn } = trial;
    const three = (type: string) => small(["count: 1 }", "count: 3 }"], ["t3.small", type]);
    await trial.launches(three("t3.small"));
    const controls = () =>
      [...standIn.place().ec2.instances.all.values()]
        .filter(({ state, tags }) => state === "running" && tags["slipway.node"] !== undefined)
        .map(({ id }) => id);
    const before = controls();
    const changing = /^(?:Terminate|Set|Update|Resume|Suspend)/;
    const mend = standIn.faults.fail({ service: "autoscaling", action: changing }, { status: 503 });
    expect(await refused(() => trial.launching(three("t3.medium")))).toContain("the same command again");
    mend();
    expect(controls()).toEqual(before);
    await trial.launches(three("t3.medium"));
    expect(controls().filter((id) => before.includes(id))).toEqual([]);
  });

  test("of that name which is somebody else's is not touched", async () => {
    await trial.launches();
    const stack = [...trial.standIn.place().cloudformation.stacks.values()].at(-1) ?? expect.fail("no stack");
    stack.now = stack.now === undefined ? undefined : { ...stack.now, tags: new Map() };
    expect(await refused(() => trial.launching())).toContain("Slipway has not made");
    expect(await refused(() => trial.cleaning())).toContain("Slipway has not made");
  });
});
