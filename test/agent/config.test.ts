import { describe, expect, test } from "vitest";
import { ConfigKeeper, trial } from "../../src/agent/config.ts";
import type { RecordValue } from "../../src/records/table.ts";
import { memoryNode } from "./memory-node.ts";

type GroupRevision = RecordValue<"groupRevision">;
const pointer = (revision: string, apply = 0): RecordValue<"pointer"> => ({ revision, apply, nonce: "n" });
function revision(id: string, content: string): GroupRevision {
  return {
    revision: id,
    group: "worker",
    role: "worker",
    machine: {
      files: [
        {
          path: "/etc/note",
          contents: { kind: "text", text: content },
          mode: "0644",
          user: "root",
          group: "root",
          origin: { kind: "component", component: "a" },
        },
      ],
      directories: [],
      links: [],
      users: [],
      groups: [],
      kernelArguments: [],
      units: [
        {
          name: "app.service",
          content: `[Service]\nExecStart=/bin/app ${content}\n`,
          dropIns: [],
          state: "on",
          origin: { kind: "component", component: "a" },
        },
      ],
    },
    wanted: { labels: {} },
  };
}

const one = revision("r1", "one");
const two = revision("r2", "two");

describe("a node's config", () => {
  test("is applied once, and stays as it is", async () => {
    const { ports, calls, texts } = memoryNode();
    const keeper = new ConfigKeeper(ports, "life");
    expect(await keeper.settle(one, pointer("r1"))).toMatchObject({
      revision: "r1",
      changed: true,
      refused: undefined,
    });
    expect(texts.get("/etc/note")?.content).toBe("one");
    calls.length = 0;
    expect(await keeper.settle(one, pointer("r1"))).toMatchObject({ revision: "r1", changed: false });
    expect(calls).toEqual([]);
  });

  test("is remembered over a restart of the agent, and forgotten by another container over the same data", async () => {
    const { ports, calls } = memoryNode();
    await new ConfigKeeper(ports, "life").settle(one, pointer("r1"));
    calls.length = 0;
    expect(await new ConfigKeeper(ports, "life").settle(one, pointer("r1"))).toMatchObject({ changed: false });
    expect(calls).toEqual([]);
    expect(await new ConfigKeeper(ports, "another life").settle(one, pointer("r1"))).toMatchObject({ changed: true });
  });

  test("that the target put in before the first start is not written again, and its units run", async () => {
    const { ports, calls, texts, states } = memoryNode();
    const owner = { mode: 0o644, user: "root", group: "root" };
    texts.set("/etc/note", { content: "one", owner });
    texts.set("/etc/systemd/system/app.service", { content: "[Service]\nExecStart=/bin/app one\n", owner });
    states.set("app.service", { active: "active", enabled: "enabled", masked: false });
    await new ConfigKeeper(ports, "life").settle(one, pointer("r1"));
    expect(calls).toEqual(["write /var/lib/slipway/config.json"]);
  });

  test("is put back when the operator asks for it", async () => {
    const { ports, texts } = memoryNode();
    const keeper = new ConfigKeeper(ports, "life");
    await keeper.settle(one, pointer("r1"));
    texts.set("/etc/note", { content: "edited", owner: { mode: 0o644, user: "root", group: "root" } });
    expect(await keeper.settle(one, pointer("r1"))).toMatchObject({ changed: false });
    expect(texts.get("/etc/note")?.content).toBe("edited");
    expect(await keeper.settle(one, pointer("r1", 1))).toMatchObject({ changed: true, apply: 1 });
    expect(texts.get("/etc/note")?.content).toBe("one");
  });
});

describe("a config on trial", () => {
  async function onTrial() {
    const node = memoryNode();
    const keeper = new ConfigKeeper(node.ports, "life");
    await keeper.settle(one, pointer("r1"));
    await keeper.confirm();
    const outcome = await keeper.settle(two, pointer("r2"));
    return { node, keeper, outcome };
  }

  test("is taken back when its time is up, and not before", async () => {
    const { node, keeper, outcome } = await onTrial();
    expect(outcome).toMatchObject({ revision: "r2", onTrial: true });
    await node.clock.advance(trial - 1);
    expect(await keeper.takeBack("network: gone", ["a line"], false)).toBe(false);
    await node.clock.advance(1);
    expect(await keeper.takeBack("network: gone", ["a line"], false)).toBe(true);
    expect(node.texts.get("/etc/note")?.content).toBe("one");
    expect(node.texts.get("/etc/systemd/system/app.service")?.content).toContain("one");
  });

  test("is taken back at once when a unit of it fails", async () => {
    const { node, keeper } = await onTrial();
    expect(await keeper.takeBack("units: app.service failed", ["a line"], true)).toBe(true);
    expect(await keeper.settle(two, pointer("r2"))).toMatchObject({
      revision: "r1",
      refused: { why: "revision r2 was taken back: units: app.service failed", log: ["a line"] },
      changed: false,
      onTrial: false,
    });
    expect(node.texts.get("/etc/note")?.content).toBe("one");
  });

  test("that was taken back is not tried again, not even by an agent that starts anew, until it is asked for again", async () => {
    const { node, keeper } = await onTrial();
    await keeper.takeBack("why", ["a line"], true);
    const later = new ConfigKeeper(node.ports, "life");
    expect(await later.settle(two, pointer("r2"))).toMatchObject({ revision: "r1", changed: false });
    expect(await later.settle(two, pointer("r2", 1))).toMatchObject({
      revision: "r2",
      refused: undefined,
      changed: true,
      onTrial: true,
    });
  });

  test("gives way to another revision", async () => {
    const { node, keeper } = await onTrial();
    await keeper.takeBack("why", ["a line"], true);
    expect(await keeper.settle(revision("r3", "three"), pointer("r3"))).toMatchObject({
      revision: "r3",
      refused: undefined,
      changed: true,
    });
    expect(node.texts.get("/etc/note")?.content).toBe("three");
  });

  test("that made its node ready is the one to come back to", async () => {
    const { node, keeper } = await onTrial();
    await keeper.confirm();
    expect(await keeper.takeBack("why", ["a line"], true)).toBe(false);
    await keeper.settle(revision("r3", "three"), pointer("r3"));
    await keeper.takeBack("why", ["a line"], true);
    expect(node.texts.get("/etc/note")?.content).toBe("two");
  });

  test("that cannot be applied is taken back at once", async () => {
    const { node, keeper } = await onTrial();
    await keeper.confirm();
    const three = revision("r3", "three");
    const unit = {
      name: "masked.service",
      dropIns: [],
      state: "on" as const,
      origin: { kind: "component" as const, component: "a" },
    };
    node.states.set(unit.name, { active: "inactive", enabled: "disabled", masked: true });
    const outcome = await keeper.settle(
      { ...three, machine: { ...three.machine, units: [...three.machine.units, unit] } },
      pointer("r3"),
    );
    expect(outcome).toMatchObject({
      revision: "r2",
      refused: { why: "revision r3 was taken back: it cannot be applied: unit masked.service is masked" },
    });
    expect(node.texts.get("/etc/note")?.content).toBe("two");
  });

  test("waits while the disk is full, and is applied when there is room", async () => {
    const node = memoryNode();
    let full = false;
    const files = {
      ...node.ports.files,
      write: async (...words: Parameters<typeof node.ports.files.write>) => {
        if (full) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
        return node.ports.files.write(...words);
      },
    };
    const keeper = new ConfigKeeper({ ...node.ports, files }, "life");
    await keeper.settle(one, pointer("r1"));
    await keeper.confirm();
    full = true;
    await expect(keeper.settle(two, pointer("r2"))).rejects.toThrow("ENOSPC");
    full = false;
    expect(await keeper.settle(two, pointer("r2"))).toMatchObject({ revision: "r2", refused: undefined });
    expect(node.texts.get("/etc/note")?.content).toBe("two");
  });

  test("that was taken back is forgotten when the file goes back, too", async () => {
    const { keeper } = await onTrial();
    await keeper.takeBack("why", ["a line"], true);
    expect(await keeper.settle(one, pointer("r1"))).toMatchObject({ revision: "r1", refused: undefined });
  });

  test("there is nothing to go back to from the first one", async () => {
    const { ports } = memoryNode();
    const keeper = new ConfigKeeper(ports, "life");
    expect(await keeper.settle(one, pointer("r1"))).toMatchObject({ onTrial: false });
    expect(await keeper.takeBack("why", ["a line"], true)).toBe(false);
  });
});
