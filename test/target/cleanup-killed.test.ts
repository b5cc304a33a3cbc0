import { describe, expect, test } from "vitest";
import { cleanup } from "../../src/operations/cleanup.ts";
import { launch } from "../../src/operations/launch.ts";
import { plan } from "../../src/operations/plan.ts";
import { complete, killEverywhere, type Command } from "./kill.ts";
import { launched, launching } from "./launched.ts";
import { demo, demoCluster, memoryWorld, operator, until, type MemoryWorld } from "./memory-target.ts";

const cleaning: Command = ({ context }) => cleanup(context, { cluster: demo });

/** Nothing at all is left on the engine. */
function isEmpty({ engine }: MemoryWorld): void {
  expect([
    ...engine.containers.keys(),
    ...engine.volumes.keys(),
    ...engine.networks.keys(),
    ...engine.stores.keys(),
  ]).toEqual([]);
}

describe("cleanup", () => {
  const whole = launched(demoCluster(3, 2));

  test("killed at any call, it is completed by the same command", async () => {
    // Taking everything away takes the quorum away too, and nobody minds.
    const points = await killEverywhere({
      base: whole,
      command: cleaning,
      ignoreQuorum: true,
      after: async (world) => isEmpty(world),
    });
    expect(points).toBeGreaterThan(20);
  }, 300_000);

  test("of a creation that was killed at any call leaves nothing", async () => {
    for (let call = 1; ; call++) {
      const world = memoryWorld();
      const first = operator(world);
      first.process.at = (number, when) => {
        if (number === call && when === (call % 2 === 0 ? "before" : "after")) first.process.die();
      };
      const end = await until(world, first, launching(demoCluster(3, 2))(first));
      if (end.kind === "done") break;
      expect(end.kind).toBe("killed");
      const second = operator(world);
      const cleaned = await until(world, second, cleaning(second));
      expect(cleaned, `killed at call ${call}: ${first.process.calls[call - 1]}`).toMatchObject({
        kind: "done",
        value: { left: [] },
      });
      isEmpty(world);
    }
  }, 300_000);

  test("leaves another cluster's things alone", async () => {
    const world = await whole();
    await complete(world, ({ context }) =>
      launch(context, { cluster: { ...demoCluster(1, 1, { port: 9090 }), name: "other" as typeof demo } }),
    );
    const others = (): string[] =>
      [...world.engine.containers.keys(), ...world.engine.volumes.keys(), ...world.engine.networks.keys()].filter(
        (name) => name.startsWith("other"),
      );
    const before = others();
    await complete(world, cleaning);
    expect(others()).toEqual(before);
    expect([...world.engine.containers.keys()].filter((name) => name.startsWith("demo"))).toEqual([]);
  });

  test("a cleanup of nothing changes nothing, and a plan of nothing leaves nothing behind", async () => {
    const world = memoryWorld();
    expect((await complete(world, cleaning)).process.calls).toEqual([]);
    const planning = operator(world);
    const planned = await until(world, planning, plan(planning.context, { cluster: demoCluster(3, 2) }));
    expect(planned).toMatchObject({ kind: "done", value: { cluster: "demo", forecast: "computed" } });
    expect(planning.process.calls).toEqual([]);
    isEmpty(world);
  });
});
