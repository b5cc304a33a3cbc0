import { describe, expect, test } from "vitest";
import type { LocalSwarm } from "../../src/components/swarm/local.ts";
import { EngineHealer, Leaderless } from "../../src/components/swarm/heal.ts";
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
    await after(0, { kind: "pending", manages: false });
    await after(39_999, { kind: "pending", manages: false });
    expect(restarts()).toBe(0);
    await after(1, { kind: "pending", manages: false });
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

  test("is restarted when it runs and has not answered for a minute", async () => {
    const { after, restarts, states } = healer();
    states.set("docker.service", { active: "active", enabled: "enabled", masked: false });
    await after(0, undefined);
    await after(59_999, undefined);
    expect(restarts()).toBe(0);
    await after(1, undefined);
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

describe("a manager without a leader", () => {
  const manager: LocalSwarm = { kind: "manager", nodeId: "s1", state: undefined };
  const pending: LocalSwarm = { kind: "pending", manages: true };

  test("has waited long enough after the time that an election takes, whatever its engine calls it", () => {
    const leaderless = new Leaderless();
    expect(leaderless.lasts(manager, 0)).toBe(false);
    expect(leaderless.lasts(pending, 14_999)).toBe(false);
    expect(leaderless.lasts(pending, 15_000)).toBe(true);
  });

  test("waits anew after it had one; silence of its engine says nothing", () => {
    const leaderless = new Leaderless();
    leaderless.lasts(manager, 0);
    expect(leaderless.lasts(undefined, 10_000)).toBe(false);
    expect(leaderless.lasts(manager, 15_000)).toBe(true);
    expect(leaderless.lasts({ kind: "worker", nodeId: "s1" }, 16_000)).toBe(false);
    expect(leaderless.lasts(manager, 17_000)).toBe(false);
  });

  test("is not who is only being let in", () => {
    const leaderless = new Leaderless();
    for (const now of [0, 60_000]) expect(leaderless.lasts({ kind: "pending", manages: false }, now)).toBe(false);
  });
});
