import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { swarmSeen } from "../../src/agent/membership.ts";
import { EngineSilence, unixEngine, type Engine } from "../../src/components/docker/engine.ts";
import { seen } from "../../src/components/reconciler.ts";
import { lookAtSwarm } from "../../src/components/swarm/api.ts";
import type { LocalSwarm } from "../../src/components/swarm/local.ts";
import { EngineHealer, Leaderless } from "../../src/components/swarm/heal.ts";
import { placeOf, turned } from "../../src/components/swarm/turn.ts";
import { memoryNode } from "../agent/memory-node.ts";

const error: LocalSwarm = { kind: "error", text: "manager stopped: can't initialize raft node" };

describe("an engine that gave up", () => {
  function healer() {
    const { ports, clock, calls, states } = memoryNode();
    const its = new EngineHealer();
    return {
      states,
      restarts: () => calls.filter((call) => call === "restart docker.service").length,
      async after(milliseconds: number, local: LocalSwarm | undefined, leaves = false) {
        await clock.advance(milliseconds);
        await its.tend(ports, local, leaves);
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

  test("is restarted soon when others wait for it to leave its swarm", async () => {
    const { after, restarts, states } = healer();
    states.set("docker.service", { active: "active", enabled: "enabled", masked: false });
    await after(0, undefined, true);
    await after(9_999, undefined, true);
    expect(restarts()).toBe(0);
    await after(1, undefined, true);
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

describe("a manager's engine that does not answer for its swarm", () => {
  const info = { Swarm: { LocalNodeState: "active", NodeID: "s1", ControlAvailable: true } };
  const engine: Engine = {
    async call(method, path) {
      if (path === "/info") return info;
      throw new EngineSilence(`Docker did not answer ${method} ${path} within 8000 ms`);
    },
  };

  test("has no leader, as one that says so", async () => {
    expect(await lookAtSwarm(engine)).toEqual({ kind: "manager", nodeId: "s1", state: undefined });
  });

  test("is not asked again for the node's record", async () => {
    const { ports } = memoryNode({ orchestrator: "swarm" });
    const refused = () => Promise.reject(new Error("asked once more"));
    const node = { ...ports, engine: { call: refused } };
    const local = seen<LocalSwarm>({ kind: "manager", nodeId: "s1", state: undefined });
    expect(await swarmSeen(node, local, refused)).toEqual({});
  });

  test("is waited for as long as the call says, and no longer", async () => {
    const socket = join(mkdtempSync(join(tmpdir(), "slipway-engine-")), "docker.sock");
    const server = createServer(() => undefined).listen(socket);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const asked = unixEngine(socket).call("GET", "/nodes", undefined, {}, 50);
    await expect(asked).rejects.toThrow(new EngineSilence("Docker did not answer GET /nodes within 50 ms"));
    server.closeAllConnections();
  });
});

describe("two that enter at once", () => {
  const present = (n: number) => ({ instance: `i${n}`, node: `c${n}`, group: "control", address: `10.0.0.${n}` });
  const roster = seen([1, 2, 3].map((n) => ({ ...present(n), role: "control" as const, state: "present" as const })));
  const alone = { first: "i1", grown: false, full: [], joining: ["i2"], whole: false };

  test("may, until the first had to make the swarm whole; from then on they come one at a time", () => {
    expect(placeOf("i3", seen(alone), roster)).toMatchObject({ kind: "free" });
    const whole = turned(alone, { kind: "decideWhole" }, "i1");
    const left = turned(whole, { kind: "giveTurn" }, "i2");
    const again = turned(left, { kind: "endWhole" }, "i1");
    expect(placeOf("i2", seen(again), roster)).toEqual({ kind: "free", take: { kind: "takeTurn", room: 1 } });
    const second = turned(again, { kind: "takeTurn", room: 1 }, "i2");
    expect(placeOf("i3", seen(second), roster)).toMatchObject({ kind: "taken" });
    const grown = turned(second, { kind: "endTurn" }, "i2");
    expect(placeOf("i3", seen(grown), roster)).toMatchObject({ kind: "free" });
  });
});
