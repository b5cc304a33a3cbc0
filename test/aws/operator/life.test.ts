import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { status } from "../../../src/operations/status.ts";
import { useStandIn } from "../stand-in/started.ts";
import { fleetOn, type Fleet } from "./fleet.ts";
import { demo, example, operatorOn } from "./operator.ts";

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const started = useStandIn();
let fleet: Fleet;
beforeEach(() => {
  fleet = fleetOn(started.standIn);
});
afterEach(() => fleet.stop());

describe("the example's cluster", () => {
  test("is planned, launched, seen and removed, and nothing of it is left", async () => {
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

    const gone = await cleanup(operatorOn(standIn).context, { cluster: demo });
    expect(gone.left).toEqual([]);
    expect(await operatorOn(standIn).context.target.leftovers(demo)).toEqual([]);
  });
});
