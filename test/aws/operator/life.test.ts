import { describe, expect, test } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { start } from "../../../src/operations/start.ts";
import { status } from "../../../src/operations/status.ts";
import { stop } from "../../../src/operations/stop.ts";
import { demo, example, operatorOn } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet();

describe("the example's cluster", () => {
  test("is planned, launched, changed, mended, stopped, started and removed, and nothing of it is left", async () => {
    const { standIn } = started;
    const planned = await plan(operatorOn(standIn).context, { cluster: example() });
    expect(planned.forecast).toBe("computed");
    expect(planned.changes.length).toBeGreaterThan(40);
    expect(standIn.calls.filter(({ mutating }) => mutating)).toEqual([]);

    const one = operatorOn(standIn);
    const launched = await launch(one.context, { cluster: example() });
    expect(launched.status.state).toBe("ready");
    expect(launched.status.nodes.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "demo-control-1 ready",
      "demo-control-2 ready",
      "demo-control-3 ready",
      "demo-worker-1 ready",
      "demo-worker-2 ready",
    ]);

    const seen = await status(operatorOn(standIn).context, { cluster: demo });
    expect(seen.state).toBe("ready");

    // One worker more.
    const more = example(["count: 2", "count: 3"]);
    expect((await plan(operatorOn(standIn).context, { cluster: more })).forecast).toBe("change-set");
    await launch(operatorOn(standIn).context, { cluster: more });
    const whole = await status(operatorOn(standIn).context, { cluster: demo });
    expect(whole.nodes.map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => "ready"));
    expect((await launch(operatorOn(standIn).context, { cluster: more })).changes).toBe(0);

    // An instance ends: another takes its disks, and is the same member.
    const { instances } = standIn.place().ec2;
    const machine = () =>
      [...instances.all.values()].find(({ state, tags }) => state === "running" && tags["slipway.node"] === second);
    const second = "demo-control-2";
    const ended = machine()?.id ?? expect.fail("it has no machine");
    instances.terminate(ended);
    await standIn.clock.advance(10 * 60_000);
    expect(machine()?.id).not.toBe(ended);
    const mended = await status(operatorOn(standIn).context, { cluster: demo });
    expect([mended.state, mended.etcd.members]).toEqual(["ready", whole.etcd.members]);

    await stop(operatorOn(standIn).context, { cluster: demo, nodes: [], force: false, grace: 30 });
    expect((await status(operatorOn(standIn).context, { cluster: demo })).state).toBe("stopped");
    await start(operatorOn(standIn).context, { cluster: demo, nodes: [], timeout: 600_000 });
    expect((await status(operatorOn(standIn).context, { cluster: demo })).state).toBe("ready");

    const gone = await cleanup(operatorOn(standIn).context, { cluster: demo });
    expect(gone.left).toEqual([]);
    expect(await operatorOn(standIn).context.target.leftovers(demo)).toEqual([]);
  });
});
