import { describe, expect, test } from "vitest";
import { routerOf } from "../../src/agent/platforms/ec2/address.ts";
import { disksOf, kernelName, mountDisks, showDisks } from "../../src/agent/platforms/ec2/disks.ts";
import { memberIdentity } from "../../src/agent/platforms/ec2/identity.ts";
import { mayGo } from "../../src/agent/platforms/ec2/lifecycle.ts";
import { untilOurs } from "../../src/agent/platforms/ec2/own.ts";
import { Signal, wordFor } from "../../src/agent/platforms/ec2/signal.ts";
import { machineOf } from "../../src/operations/revision.ts";
import { awsCluster } from "../aws/scenarios.ts";
import { AwsError } from "../../src/host/aws/request.ts";
import { attachedFolder } from "../../src/records/tags.ts";
import { memoryNode } from "./memory-node.ts";
import type { NodeRecord } from "../../src/agent/nodeRecord.ts";

/** A control group on AWS, whose data lies on disks of their own unless the file says otherwise. */
const cluster = awsCluster(
  "name: demo\naws: { region: eu-central-1 }\ngroups: { control: { role: control, count: 1 } }\n",
);
const [group] = cluster.groups;
const control = () => group ?? expect.fail("no group");

const root = { mode: 0o600, user: "root", group: "root" };

describe("a disk of EBS", () => {
  test("is found by its serial number on Nitro, and by its device on Xen", async () => {
    const { ports, texts } = memoryNode();
    const disk = { id: "vol-0123456789abcdef0", device: "/dev/sdf" };
    expect(await kernelName(ports, disk)).toBeUndefined();
    texts.set("/sys/class/block/xvdf", { content: "", owner: root });
    expect(await kernelName(ports, disk)).toBe("/dev/xvdf");
    for (const name of ["nvme0n1", "nvme1n1"]) texts.set(`/sys/class/block/${name}`, { content: "", owner: root });
    texts.set("/sys/class/block/nvme1n1/device/serial", { content: "vol0123456789abcdef0\n", owner: root });
    expect(await kernelName(ports, disk)).toBe("/dev/nvme1n1");
  });

  test("is shown where the file's volumes look for it", async () => {
    const { ports, links, texts } = memoryNode();
    texts.set("/sys/class/block/xvdf", { content: "", owner: root });
    await showDisks(ports, new Map([["data", { id: "vol-1", device: "/dev/sdf" }]]));
    expect([...links]).toEqual([[`${attachedFolder}/data`, "/dev/xvdf"]]);
    expect(control().volumes.map(({ device }) => device)).toContain(`${attachedFolder}/data`);
  });

  test("is mounted before anything else is done, and a unit that fails is told with its last lines", async () => {
    const { ports, calls, states, failing } = memoryNode();
    const { machine } = machineOf(cluster, control());
    expect(disksOf(machine).units.map(({ name }) => name)).toContain("var-lib-slipway.mount");
    await mountDisks(ports, machine);
    expect(states.get("var-lib-slipway.mount")?.active).toBe("active");
    expect(calls.filter((line) => line.includes("etcd.service"))).toEqual([]);

    failing.add("slipway-disk-data.service");
    states.clear();
    failing.add("var-lib-slipway.mount");
    await expect(mountDisks(ports, machine)).rejects.toThrow(/slipway-disk-data.service failed: .* said something/);
  });
});

describe("what is to be attached", () => {
  const clock = () => memoryNode().clock;
  test("is attached once, when it is free", async () => {
    const words = [
      undefined,
      undefined,
      { instance: "i-1", state: "attaching" },
      { instance: "i-1", state: "attached" },
    ];
    let asked = 0;
    const time = clock();
    const done = untilOurs(
      "it",
      "i-1",
      time,
      async () => words.shift(),
      async () => void asked++,
    );
    await time.advance(10_000);
    await done;
    expect(asked).toBe(1);
  });

  test("is waited for while another instance has it, and never taken from it", async () => {
    let asked = 0;
    const time = clock();
    const done = untilOurs(
      "the disk",
      "i-1",
      time,
      async () => ({ instance: "i-2", state: "attached" }),
      async () => void asked++,
    );
    const failed = expect(done).rejects.toThrow("the disk is attached to i-2");
    await time.advance(70_000);
    await failed;
    expect(asked).toBe(0);
  });
});

test("a disk says which member it is, whichever instance has it, and another member's is refused", async () => {
  const { ports } = memoryNode();
  expect(await memberIdentity(ports.files, { instance: "A.i-1", node: "demo-control-1" })).toBe("A.i-1");
  expect(await memberIdentity(ports.files, { instance: "A.i-2", node: "demo-control-1" })).toBe("A.i-1");
  await expect(memberIdentity(ports.files, { instance: "A.i-3", node: "demo-control-2" })).rejects.toThrow(
    "is that of demo-control-1, and this machine is demo-control-2",
  );
});

test.each([
  ["10.0.16.0/20", "10.0.16.1"],
  ["192.168.255.128/25", "192.168.255.129"],
])("the router of %s is %s", (range, router) => {
  expect(routerOf(range)).toBe(router);
});

test("the stack is told of readiness at once, of a failure when it lasts, and else nothing", () => {
  expect(wordFor({ state: "ready", since: 0 }, 1)).toBe("SUCCESS");
  expect(wordFor({ state: "failed", since: 0 }, 19_999)).toBeUndefined();
  expect(wordFor({ state: "failed", since: 0 }, 20_000)).toBe("FAILURE");
  expect(wordFor({ state: "starting", since: 0 }, 1_000_000)).toBeUndefined();
});

describe("the signal", () => {
  // Only what the signal looks at.
  const ready = { state: "ready", since: 0 } as NodeRecord;
  const waiting = { stack: "demo", resource: "WorkerNodes" };

  test("is said once, and a stack that waits no more is as good", async () => {
    const said: unknown[] = [];
    const signal = new Signal(async (...call) => void said.push(call) as never, waiting, "i-1");
    expect(await signal.tell(ready, 1)).toBe("SUCCESS");
    expect(await signal.tell(ready, 2)).toBeUndefined();
    expect(said).toEqual([
      ["SignalResource", { StackName: "demo", LogicalResourceId: "WorkerNodes", UniqueId: "i-1", Status: "SUCCESS" }],
    ]);
    let asked = 0;
    const refuse = async (): Promise<never> => {
      asked++;
      throw new AwsError("invalid", "ValidationError", "the resource is in CREATE_COMPLETE");
    };
    const late = new Signal(refuse, waiting, "i-1");
    await late.tell(ready, 1);
    await late.tell(ready, 2);
    expect(asked).toBe(1);
  });

  test("is said again when AWS did not hear it", async () => {
    let asked = 0;
    const signal = new Signal(
      async () => {
        if (asked++ === 0) throw new AwsError("unreachable", "", "busy");
        return undefined as never;
      },
      waiting,
      "i-1",
    );
    await expect(signal.tell(ready, 1)).rejects.toThrow("busy");
    expect(await signal.tell(ready, 2)).toBe("SUCCESS");
  });
});

test("a worker goes when it has left, a control member when it is told: its disk goes on elsewhere", () => {
  expect(mayGo("InService", false, { phase: "left" })).toBe(false);
  expect(mayGo(undefined, true, { phase: "ready" })).toBe(false);
  expect(mayGo("Terminated", false, { phase: "leaving" })).toBe(false);
  expect(mayGo("Terminated", false, { phase: "left" })).toBe(true);
  expect(mayGo("Terminated", true, { phase: "ready" })).toBe(true);
});
