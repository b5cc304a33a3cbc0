import { beforeEach, expect, test, vi } from "vitest";
import { launch } from "../../../src/operations/launch.ts";
import { status } from "../../../src/operations/status.ts";
import { bucketName } from "../../../src/targets/aws/bucket/name.ts";
import { ec2Machine, type Disks, type Machine } from "../ec2-machine.ts";
import { useStandIn } from "../stand-in/started.ts";
import { demo, example, operatorOn } from "./operator.ts";

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const started = useStandIn();
const minute = 60_000;
const small = example(["count: 3", "count: 1"], ["count: 2", "count: 1"]);
let machines: Map<string, Machine>;
let pin: string | undefined;

beforeEach(() => {
  const { standIn } = started;
  const disks: Disks = new Map();
  machines = new Map();
  pin = undefined;
  standIn.nodes = {
    booted(instance) {
      const bucket = bucketName(demo, standIn.account, standIn.region);
      if (!machines.has(instance.id))
        machines.set(
          instance.id,
          ec2Machine(standIn, instance, { disks, bucket, ...(pin === undefined ? {} : { pin }) }),
        );
    },
    leaving: () => undefined,
    stopped: () => undefined,
    terminated: () => undefined,
  };
});

test("a machine that does not get its disk says so long before anybody's patience ends, to who launches and to who looks", async () => {
  const { standIn } = started;
  standIn.settings.denied.add("ec2:AttachVolume");
  const begun = standIn.clock.now();
  const one = operatorOn(standIn);
  const failed = await launch(one.context, { cluster: small, leave: true }).then(
    () => "",
    (error: unknown) => String(error),
  );
  expect(failed).toMatch(/demo-control-1 \(i-\w+\) in disks: .*AttachVolume/);
  // Its stack would have waited for a quarter of an hour after it has booted.
  expect(standIn.clock.now() - begun).toBeLessThan(12 * minute);
  const phases = one.events.flatMap((event) => (event.name === "node.phase" ? [`${event.node} ${event.phase}`] : []));
  expect(phases).toContain("demo-control-1 disks");

  const { nodes } = await status(operatorOn(standIn).context, { cluster: demo });
  expect(nodes.find(({ name }) => name === "demo-control-1")).toMatchObject({
    state: "failed",
    phase: "disks",
    reason: expect.stringContaining("AttachVolume"),
  });
});

test("one that is not let in says why under its own name, also when it has no node's name yet", async () => {
  const { standIn } = started;
  pin = "0".repeat(64);
  const failed = await launch(operatorOn(standIn).context, { cluster: small, leave: true }).then(
    () => "",
    (error: unknown) => String(error),
  );
  const why = "join: the bucket's root certificate is not the one that this machine's user data pins";
  expect(failed).toContain(`in join: ${why}`);
  const { nodes } = await status(operatorOn(standIn).context, { cluster: demo });
  const worker = nodes.find(({ group }) => group === "worker");
  expect(worker?.name).toBe(
    [...machines.values()].find(({ instance }) => instance.tags["slipway.node"] === undefined)?.instance.id,
  );
  expect(worker).toMatchObject({ state: "failed", phase: "join", reason: why });
});
