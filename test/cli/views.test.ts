import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodeName } from "../../src/cluster/cluster.ts";
import { levels } from "../../src/events/event.ts";
import type { Change } from "../../src/plan/plan.ts";
import { duration } from "../../src/cli/views/duration.ts";
import { frame } from "../../src/cli/views/frame.ts";
import { byLines } from "../../src/cli/views/lines.ts";
import { ndjsonView } from "../../src/cli/views/ndjson.ts";
import { plainView } from "../../src/cli/views/plain.ts";
import { planText } from "../../src/cli/views/plan.ts";
import { advance, noProgress } from "../../src/cli/views/progress.ts";
import { launchReport } from "../../src/cli/views/report.ts";
import { sentence } from "../../src/cli/views/sentence.ts";
import { rowsOf, withSettled } from "../../src/cli/views/spans.ts";
import { statusText } from "../../src/cli/views/status.ts";
import { table } from "../../src/cli/views/table.ts";
import { isLive, theme, themeOf } from "../../src/cli/views/theme.ts";
import { waterfall } from "../../src/cli/views/waterfall.ts";
import { output } from "./fakeWorld.ts";
import { everyEvent, later, recordedEvents, status } from "./recording.ts";

const plain = theme(false, true);
const ascii = theme(false, false);
const painted = theme(true, true);
const events = recordedEvents();

function expected(name: string): string {
  return `expected/${name}.txt`;
}

describe("every event there is", () => {
  const every = everyEvent();

  it("keeps its own name, whatever its fields", () => {
    expect(every.map(({ name }) => name)).toEqual(Object.keys(levels));
  });

  it("is said in a sentence", async () => {
    const said = every.map((event) => `${event.name}\n  ${sentence(event)}\n`);
    await expect(said.join("")).toMatchFileSnapshot(expected("sentences"));
  });

  it("is taken by every view", () => {
    const to = output();
    for (const event of every) {
      for (const view of [plainView(to, plain, false), plainView(to, plain, true), ndjsonView(to)]) view.listen(event);
    }
    expect(to.text()).toContain("volume demo-control-1-data: left: in use");
    expect(waterfall(rowsOf(every), 80, plain)).toContain("demo-control-1");
    const now = every.at(-1)?.time ?? 0;
    expect(frame(every.reduce(advance, noProgress), now, { columns: 80, rows: 24 }, plain)).toContain("demo-control-1");
  });
});

describe("the plain view", () => {
  it("has a line per change", async () => {
    const to = output();
    const view = plainView(to, plain, false);
    events.forEach(view.listen);
    await expect(to.text()).toMatchFileSnapshot(expected("plain"));
  });

  it("has, when quiet, only what must be seen", async () => {
    const to = output();
    events.forEach(plainView(to, plain, true).listen);
    await expect(to.text()).toMatchFileSnapshot(expected("quiet"));
  });
});

describe("the NDJSON view", () => {
  it("gives every event as it is", () => {
    const to = output();
    events.forEach(ndjsonView(to).listen);
    const lines = to.text().trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
  });
});

describe("the terminal view", () => {
  const size = { columns: 80, rows: 24 };
  const at = (milliseconds: number, to: { columns: number; rows: number } = size): string => {
    const [first] = events;
    const now = (first?.time ?? 0) + milliseconds;
    return frame(events.filter((event) => event.time <= now).reduce(advance, noProgress), now, to, plain);
  };

  it("shows nodes and services as they go on", async () => {
    const moments = [100, 2500, 4700, 6500].map((moment) => `${moment} ms\n${at(moment)}\n`);
    await expect(moments.join("\n")).toMatchFileSnapshot(expected("frames"));
  });

  it("never has more lines or columns than the terminal", () => {
    fc.assert(
      fc.property(
        fc.nat(7000),
        fc.integer({ min: 20, max: 100 }),
        fc.integer({ min: 4, max: 12 }),
        (moment, columns, rows) => {
          const lines = at(moment, { columns, rows }).split("\n");
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThan(columns);
        },
      ),
    );
  });
});

describe("the waterfall", () => {
  const rows = rowsOf(events);

  it.each([
    ["waterfall", plain, 100],
    ["waterfall-ascii", ascii, 100],
    ["waterfall-narrow", plain, 50],
  ] as const)("%s", async (name, looks, columns) => {
    const text = waterfall(rows, columns, looks);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    await expect(`${text}\n`).toMatchFileSnapshot(expected(name));
  });

  it("takes the nodes' own times where they fall into this operation", () => {
    const [start = 0] = rows.flatMap((row) => row.spans.map((span) => span.from));
    const settled = [
      {
        name: "demo-control-1",
        settled: {
          config: { from: start + 900, to: start + 1200 },
          etcd: { from: start + 1200, to: start + 3000 },
        },
      },
      { name: "demo-worker-1", settled: { config: { from: start - 9000, to: start - 8000 } } },
    ];
    const merged = withSettled(rows, settled);
    expect(merged.find((row) => row.name === "demo-control-1")?.spans.map((span) => span.phase)).toEqual([
      "boot",
      "config",
      "etcd",
    ]);
    expect(merged.find((row) => row.name === "demo-worker-1")).toEqual(
      rows.find((row) => row.name === "demo-worker-1"),
    );
  });

  it("has a line of its own for what goes on side by side", () => {
    const spans = [
      { phase: "config", from: 0, to: 3000, failed: false },
      { phase: "etcd", from: 3000, to: 9000, failed: false },
      { phase: "swarm", from: 3100, to: 5000, failed: false },
      { phase: "services", from: 9000, to: 10_000, failed: false },
    ];
    expect(waterfall([{ name: "n1", spans }], 66, ascii).split("\n")).toEqual([
      "    0 s                     5 s                     10 s",
      "n1  [config------][etcd-----------------------][ser]  10.0 s",
      "                   [swarm--]",
    ]);
  });

  it("is empty where nothing took time", () => {
    expect(waterfall([], 80, plain)).toBe("");
    expect(rowsOf([])).toEqual([]);
  });

  it("shows something for every span, however short, and keeps to the width", () => {
    const time = fc.integer({ min: 0, max: 100_000 });
    const span = fc
      .tuple(time, time)
      .map(([from, length]) => ({ phase: "p", from, to: from + length + 1, failed: false }));
    fc.assert(
      fc.property(
        fc.array(span, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 60, max: 200 }),
        (spans, columns) => {
          const lines = waterfall([{ name: "node", spans }], columns, plain).split("\n");
          expect(lines.length).toBeLessThanOrEqual(spans.length + 1);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
          for (const line of lines.slice(1)) expect(line).toMatch(/[├│]/);
        },
      ),
    );
  });
});

describe("status, plan and report", () => {
  it("status is a table with reasons, services and etcd", async () => {
    await expect(statusText(status, plain, later)).toMatchFileSnapshot(expected("status"));
  });

  it("status in colour says the same", () => {
    const text = statusText(status, painted, later);
    expect(text).not.toBe(stripVTControlCharacters(text));
    expect(stripVTControlCharacters(text)).toBe(statusText(status, plain, later));
  });

  it("an absent cluster is one line", () => {
    expect(statusText({ ...status, state: "absent", nodes: [], services: [] }, plain, later)).toBe(
      "demo on docker: absent\n",
    );
  });

  const change = (
    action: Change["action"],
    kind: string,
    name: string,
    reason: string,
    nodes: Partial<Change["nodes"]> = {},
  ): Change => ({
    id: `${kind}:${name}`,
    action,
    kind,
    name,
    reason,
    nodes: { restarted: [], replaced: [], ...nodes },
  });
  it("a plan is a line per change with its reason", async () => {
    const changes = [
      change("create", "node", "demo-worker-3", "the file asks for 3"),
      change("replace", "node", "demo-control-1", "image changed", {
        replaced: ["demo-control-1" as NodeName],
      }),
      change("update", "gateway", "demo", "port 8081", {
        restarted: ["demo-worker-1" as NodeName],
      }),
      change("delete", "service", "web", "the file no longer has it"),
      change("unclear", "node", "demo-worker-1", "cannot be reached"),
    ];
    await expect(planText("demo", changes, plain)).toMatchFileSnapshot(expected("plan"));
    expect(planText("demo", [], plain)).toBe("demo: nothing to change\n");
  });

  it("the end of a launch has bars where nodes came, and addresses always", async () => {
    const report = launchReport({ events, status, settled: [], columns: 100 }, plain);
    await expect(report).toMatchFileSnapshot(expected("report"));
    expect(launchReport({ events: [], status, settled: [], columns: 100 }, plain)).not.toContain("├");
  });
});

describe("small parts", () => {
  it("durations", () => {
    expect([0, 400, 12_345, 99_940, 125_000, 7_800_000, 360_000_000].map(duration)).toEqual([
      "0.0 s",
      "0.4 s",
      "12.3 s",
      "99.9 s",
      "2 min 5 s",
      "2 h 10 min",
      "4 d 4 h",
    ]);
  });

  it("tables leave out empty columns and measure without colour", () => {
    expect(
      table(
        ["A", "B", "C"],
        [
          ["x", "", "1"],
          ["long", "", "2"],
        ],
        plain,
      ),
    ).toBe("A     C\nx     1\nlong  2");
    expect(stripVTControlCharacters(table(["A", "B"], [[painted.paint("good", "x"), "1"]], painted))).toBe(
      "A  B\nx  1",
    );
  });

  it("lines of several sources come whole, also when a character is cut", () => {
    const lines = byLines();
    const got: string[] = [];
    const give = (source: string) => (line: string) => void got.push(`${source} ${line}`);
    const bytes = Buffer.from("grün\n");
    lines.add("a", bytes.subarray(0, 3), give("a"));
    lines.add("b", Buffer.from("b"), give("b"));
    lines.add("a", bytes.subarray(3), give("a"));
    lines.end();
    expect(got).toEqual(["a grün", "b b"]);
  });

  it.each([
    [{}, true, true],
    [{ NO_COLOR: "1" }, false, false],
    [{ NO_COLOR: "" }, true, true],
    [{ TERM: "dumb" }, false, false],
    [{ CI: "1" }, true, false],
  ])("a terminal with %o: colour %s, drawing %s", (environment, colour, live) => {
    const terminal = { isTTY: true };
    expect([themeOf(terminal, environment, false).colour, isLive(terminal, environment)]).toEqual([colour, live]);
    expect([themeOf({}, environment, false).colour, isLive({}, environment)]).toEqual([false, false]);
    expect(themeOf(terminal, environment, true).colour).toBe(false);
  });

  it("characters beyond ASCII only where the locale has them", () => {
    expect(themeOf({}, { LANG: "de_DE.UTF-8" }, false).unicode).toBe(true);
    expect(themeOf({}, { LC_ALL: "C", LANG: "de_DE.UTF-8" }, false).unicode).toBe(false);
    expect(themeOf({}, {}, false).unicode).toBe(false);
  });
});
