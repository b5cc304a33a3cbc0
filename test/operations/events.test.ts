import { describe, expect, it } from "vitest";
import { events, type PastEvent } from "../../src/operations/events.ts";
import { journaling } from "../../src/operations/journal.ts";
import { stop } from "../../src/operations/stop.ts";
import { demo, fillReady, put, run, start, world, type World } from "./fake-target.ts";

async function journal(made: World, entry: string, operation: string, ...times: readonly number[]): Promise<void> {
  const list = times.map((time) => ({
    time,
    name: "warning",
    level: "warning",
    message: `${operation} at ${time}`,
  }));
  await put(made.store, "journal", { entry }, { time: times[0] ?? 0, operation, events: list });
}
async function read(made: World, fields: { operation?: string; since?: string } = {}): Promise<PastEvent[]> {
  const told: PastEvent[] = [];
  const { count } = await events(made.context, {
    cluster: demo,
    follow: false,
    output: (event) => told.push(event),
    ...fields,
  });
  expect(count).toBe(told.length);
  return told;
}

describe("events", () => {
  it("come in the order of time over all operations", async () => {
    const made = world();
    await journal(made, "2-b", "stop", start - 3000, start - 1000);
    await journal(made, "1-a", "launch", start - 4000, start - 2000);
    const told = await read(made);
    expect(told.map((event) => event.operation)).toEqual(["launch", "stop", "launch", "stop"]);
    expect(told[0]).toEqual({
      time: start - 4000,
      operation: "launch",
      name: "warning",
      level: "warning",
      fields: { message: `launch at ${start - 4000}` },
    });
  });

  it("are filtered by operation and time", async () => {
    const made = world();
    await journal(made, "1-a", "launch", start - 7_200_000, start - 1000);
    await journal(made, "2-b", "stop", start - 500);
    expect(await read(made, { operation: "launch" })).toHaveLength(2);
    expect(await read(made, { operation: "launch", since: "1h" })).toHaveLength(1);
    await expect(read(made, { since: "soon" })).rejects.toThrow('"soon" is not a time');
  });

  it("are followed until the user stops", async () => {
    const made = world();
    const told: PastEvent[] = [];
    const following = events(made.context, {
      cluster: demo,
      follow: true,
      output: (event) => told.push(event),
    });
    await made.clock.advance(1500);
    await journal(made, "1-a", "launch", start);
    await made.clock.advance(1500);
    expect(told).toHaveLength(1);
    await made.clock.advance(5000);
    made.abort.abort();
    expect(await run(made, following)).toEqual({ count: 1 });
  });
});

describe("the journal", () => {
  it("keeps what an operation said", async () => {
    const made = world();
    await fillReady(made.store);
    await run(made, stop(made.context, { cluster: demo, nodes: ["worker"], force: false, grace: 1 }));
    const names = (await read(made)).map((event) => event.name);
    expect(names[0]).toBe("operation.started");
    expect(names.at(-1)).toBe("operation.finished");
  });

  it("never keeps the recovery key", async () => {
    const made = world();
    const kept = journaling(made.context, "launch");
    kept.emit("root.recoveryKey", { key: "AGE-SECRET-KEY-1" });
    kept.emit("warning", { message: "kept" });
    await kept.write(made.store);
    expect(made.events).toHaveLength(2);
    expect((await read(made)).map((event) => event.fields)).toEqual([{ message: "kept" }]);
  });

  it("warns when it cannot be written, and does not fail what was done", async () => {
    const made = world();
    const kept = journaling(made.context, "launch");
    made.target.storeDown = true;
    const broken = {
      ...made.store,
      putIfAbsent: async () =>
        Promise.reject(new (await import("../../src/store/store.ts")).StoreError("unreachable", "gone")),
    };
    await kept.write(broken);
    expect(made.events).toMatchObject([{ name: "warning", message: "the journal could not be written: gone" }]);
  });
});
