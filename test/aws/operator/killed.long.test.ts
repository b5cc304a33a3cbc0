import { expect, test, vi } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { awsCluster } from "../scenarios.ts";
import { useStandIn } from "../stand-in/started.ts";
import { killEverywhere, type Command } from "./kill.ts";
import { demo } from "./operator.ts";

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const started = useStandIn();
const file = (workers: number, type = "t3.small"): string =>
  `name: demo\ntarget: aws\nos: flatcar\norchestrator: none\ngroups:\n  control: { role: control, count: 1 }\n  worker: { count: ${workers}, aws: { max: 3 } }\naws: { region: eu-central-1, instance_type: ${type} }\n`;
const launching =
  (workers: number, type?: string): Command =>
  ({ context }) =>
    launch(context, { cluster: awsCluster(file(workers, type)) });
const cleaning: Command = ({ context }) => cleanup(context, { cluster: demo });

// KILL_STRIDE=1 takes every write to the store; by itself the test takes some of them, and all other calls.
const stride = Number(process.env["KILL_STRIDE"] ?? "12");

test("a launch that is killed at a call is completed by the same command, with nothing double and nothing lost", async () => {
  const points = await killEverywhere(started.standIn, {
    command: launching(1),
    boundaries: ["committed"],
    stride,
  });
  expect(points).toBeGreaterThan(10);
}, 1_800_000);

test("a change that is killed at a call is completed by the same command", async () => {
  const points = await killEverywhere(started.standIn, {
    base: launching(1),
    command: launching(2, "t3.medium"),
    boundaries: ["committed"],
    stride,
  });
  expect(points).toBeGreaterThanOrEqual(3);
}, 1_800_000);

test("a cleanup that is killed at a call is completed by the same command, and nothing is left", async () => {
  const points = await killEverywhere(started.standIn, {
    base: launching(1),
    command: cleaning,
    boundaries: ["committed"],
    stride,
  });
  expect(points).toBeGreaterThan(5);
}, 1_800_000);
