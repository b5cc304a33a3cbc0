import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event } from "../../src/events/event.ts";
import { frame } from "../../src/cli/views/frame.ts";
import { neutral, neutralLines } from "../../src/cli/views/neutral.ts";
import { linesOf } from "../../src/cli/views/plain.ts";
import { advance, noProgress } from "../../src/cli/views/progress.ts";
import { theme } from "../../src/cli/views/theme.ts";

const hostile = "\u001b[2J\u001b]0;owned\u0007\u001b[31mred\u009b1m\r\nforged: ready\u202e";
// oxlint-disable-next-line no-control-regex -- these are what must not come through
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

describe("text from nodes", () => {
  it("has no control characters and stays on its line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(neutral(text)).not.toMatch(unsafe);
      }),
    );
    expect(neutral(hostile)).not.toMatch(unsafe);
    expect(neutral("ready, waits 3 s — grün")).toBe("ready, waits 3 s — grün");
  });

  it("is not endless", () => {
    expect(neutral("x".repeat(1000))).toHaveLength(500);
  });

  it("keeps its lines where they are wanted", () => {
    expect(neutralLines("a\n\u001b[1mb\n")).toBe("a\n␛[1mb\n");
  });

  const events: readonly Event[] = [
    { time: 0, name: "operation.started", level: "info", operation: "launch", cluster: "demo" },
    {
      time: 1,
      name: "node.phase",
      level: "info",
      node: "demo-worker-1",
      phase: hostile,
      reason: hostile,
    },
    { time: 2, name: "image.building", level: "info", image: "slipway-node", line: hostile },
    {
      time: 3,
      name: "node.failed",
      level: "error",
      node: "demo-worker-1",
      phase: "etcd",
      reason: hostile,
      log: [hostile],
    },
    {
      time: 4,
      name: "service.state",
      level: "info",
      service: "web",
      running: 0,
      desired: 1,
      reason: hostile,
    },
  ];

  it("is harmless in the plain view", () => {
    for (const event of events) for (const line of linesOf(event, theme(false, true))) expect(line).not.toMatch(unsafe);
  });

  it("is harmless in the terminal view", () => {
    const progress = events.reduce(advance, noProgress);
    const shown = frame(progress, 10, { columns: 400, rows: 20 }, theme(false, true));
    for (const line of shown.split("\n")) expect(line).not.toMatch(unsafe);
    expect(shown).toContain("forged: ready");
  });
});
