import { describe, expect, test } from "vitest";
import type { LocalSwarm } from "../../src/components/swarm/form.ts";
import { EngineHealer } from "../../src/components/swarm/heal.ts";
import { memoryNode } from "../agent/memory-node.ts";

const error: LocalSwarm = { kind: "error", text: "manager stopped: can't initialize raft node" };

describe("an engine that gave up", () => {
  function healer() {
    const { ports, clock, calls, states } = memoryNode();
    const its = new EngineHealer();
    return {
      states,
      restarts: () => calls.filter((call) => call === "restart docker.service").length,
      async after(milliseconds: number, local: LocalSwarm | undefined) {
        await clock.advance(milliseconds);
        await its.tend(ports, local);
      },
    };
  }

  test("is restarted once it has lasted, then with growing pauses", async () => {
    const { after, restarts } = healer();
    await after(0, error);
    await after(4_999, error);
    expect(restarts()).toBe(0);
    await after(1, error);
    expect(restarts()).toBe(1);
    for (let n = 0; n < 29; n++) await after(1_000, error);
    expect(restarts()).toBe(1);
    await after(1_000, error);
    expect(restarts()).toBe(2);
    for (let n = 0; n < 59; n++) await after(1_000, error);
    expect(restarts()).toBe(2);
    await after(1_000, error);
    expect(restarts()).toBe(3);
  });

  test("may wait longer to be accepted than it may be in error", async () => {
    const { after, restarts } = healer();
    await after(0, { kind: "pending" });
    await after(39_999, { kind: "pending" });
    expect(restarts()).toBe(0);
    await after(1, { kind: "pending" });
    expect(restarts()).toBe(1);
  });

  test("is started again when systemd has given it up, and left alone while it only starts", async () => {
    const { after, restarts, states } = healer();
    states.set("docker.service", { active: "activating", enabled: "enabled", masked: false });
    await after(0, undefined);
    await after(100_000, undefined);
    expect(restarts()).toBe(0);
    states.set("docker.service", { active: "failed", enabled: "enabled", masked: false });
    await after(0, undefined);
    await after(5_000, undefined);
    expect(restarts()).toBe(1);
  });

  test("is not touched when it is well, or in no swarm", async () => {
    const { after, restarts } = healer();
    for (const local of [{ kind: "inactive" }, { kind: "worker", nodeId: "n" }, { kind: "locked" }] as const) {
      await after(0, local);
      await after(1_000_000, local);
    }
    expect(restarts()).toBe(0);
  });
});
