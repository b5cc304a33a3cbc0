import { describe, expect, test } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { readRecord } from "../../../src/records/access.ts";
import { demo, example, operatorOn, world } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet();

/** A launch that must fail: its error, and the operator that it failed for. */
async function failing(options: { readonly leave?: boolean } = {}) {
  const one = operatorOn(started.standIn);
  const begun = started.standIn.clock.now();
  const error: unknown = await launch(one.context, { cluster: example(), ...options }).then(
    () => expect.fail("it did not fail"),
    (failure: unknown) => failure,
  );
  if (!(error instanceof Error)) return expect.fail("it failed of nothing");
  return { one, error, begun };
}

async function storeOf() {
  const access = await operatorOn(started.standIn).context.target.store(demo);
  return access?.store ?? expect.fail("the store is gone");
}

/** The same command again, with nodes that are well. */
async function again(): Promise<void> {
  started.fleet.word = () => "ready";
  const { status } = await launch(operatorOn(started.standIn).context, { cluster: example() });
  expect(status.state).toBe("ready");
  expect(status.nodes.map(({ name }) => name)).toEqual([
    "demo-control-1",
    "demo-control-2",
    "demo-control-3",
    "demo-worker-1",
    "demo-worker-2",
  ]);
  await cleanup(operatorOn(started.standIn).context, { cluster: demo });
  expect(await world(started.standIn)).toEqual([]);
}

describe("a creation of which a node", () => {
  test("fails is named with its reason and its log lines within a minute, and rolled back to nothing but the store", async () => {
    const { standIn } = started;
    started.fleet.word = (instance) => (instance.tags["slipway.node"] === "demo-control-2" ? "failed" : "ready");
    const { one, error } = await failing();
    expect(error.message).toContain("demo-control-2");
    expect(error.message).toContain("etcd.service failed: exit code 1");
    expect(error.message).toContain("no space left on device");
    const failed = one.events.find(({ name }) => name === "node.failed");
    const signalled = standIn.calls.find(
      ({ action, parameters }) =>
        action === "SignalResource" && JSON.stringify([...Object.values(parameters)]).includes("FAILURE"),
    );
    expect((failed?.time ?? Infinity) - (signalled?.time ?? 0)).toBeLessThan(60_000);
    expect((await world(standIn)).map((line) => line.split(" ")[0])).toEqual(["bucket"]);
    const store = await storeOf();
    expect(await readRecord(store, "cluster")).toBeUndefined();
    const [generation = ""] = (await store.list("generation/")).keys();
    expect((await readRecord(store, "generation", { generation: generation.split("/")[1] ?? "" }))?.value.state).toBe(
      "closed",
    );
    await again();
  });

  test("says nothing is named with its console, which was fetched before it was taken away, and nobody waits a quarter of an hour", async () => {
    started.fleet.word = (instance) => (instance.tags["slipway.node"] === "demo-control-3" ? "silent" : "ready");
    const { one, error, begun } = await failing();
    expect(error.message).toContain("demo-control-3");
    expect(error.message).toContain("slipway-agent: silent");
    const failed = one.events.find(({ name }) => name === "node.failed");
    expect((failed?.time ?? Infinity) - begun).toBeLessThan(13 * 60_000);
    expect(
      started.standIn.calls.find(
        ({ action, caller }) => action === "SignalResource" && caller.endsWith("user/operator"),
      ),
    ).toBeDefined();
    await again();
  });
});

test("a resource that CloudFormation refuses is named with the field that asked for it", async () => {
  started.standIn.faults.resource("WorkerTemplate", "create", {
    reason: "You are not authorized to perform this operation.",
  });
  const { one, error } = await failing();
  expect(error.message).toContain("WorkerTemplate (AWS::EC2::LaunchTemplate, groups.worker): You are not authorized");
  expect(error.message).not.toContain("cancelled");
  expect(one.events.filter(({ name }) => name === "resource.failed")).toHaveLength(1);
  expect(one.events.at(-1)).toMatchObject({ name: "operation.failed" });
  await again();
});

test("a creation that is kept stays as it is, and the next launch takes it away first", async () => {
  started.standIn.faults.resource("WorkerNodes", "create", { reason: "no capacity" });
  const { error } = await failing({ leave: true });
  expect(error.message).toContain("no capacity");
  expect((await world(started.standIn)).filter((line) => line.startsWith("stack"))).toEqual(["stack demo"]);
  await again();
});
