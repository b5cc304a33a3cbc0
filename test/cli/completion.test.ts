import { describe, expect, it } from "vitest";
import { run, type Setting } from "./fakeWorld.ts";

async function proposed(line: readonly string[], setting: Setting = {}): Promise<readonly string[]> {
  const { code, stdout } = await run(["complete", "--", ...line], setting);
  expect(code).toBe(0);
  return stdout
    .trimEnd()
    .split("\n")
    .map((row) => row.split("\t")[0] ?? "");
}

describe("completion proposes", () => {
  it.each([
    [["st"], ["status", "start", "stop", ":4"]],
    [
      ["status", ""],
      ["demo", "other", ":4"],
    ],
    [
      ["status", "d"],
      ["demo", ":4"],
    ],
    [
      ["exec", "demo-w"],
      ["demo-worker-1", "demo-worker-2", ":4"],
    ],
    [
      ["stop", "wor"],
      ["worker", ":4"],
    ],
    [
      ["stop", "demo", "con"],
      ["control", ":4"],
    ],
    [
      ["status", "--js"],
      ["--json", ":4"],
    ],
    [
      ["status", "--on", ""],
      ["docker", "aws", ":4"],
    ],
    [
      ["completion", "z"],
      ["zsh", ":4"],
    ],
    [["launch", "clu"], [":0"]],
    [["nothing", "x"], [":4"]],
  ] as const)("%o", async (line, words) => {
    expect(await proposed(line, { clusters: ["demo", "other"] })).toEqual(words);
  });

  it("nothing of a hidden verb, and every word with its description", async () => {
    const { stdout } = await run(["complete", "--", "com"]);
    expect(stdout).toBe("completion\tprint the completion script of a shell\n:4\n");
  });
});
