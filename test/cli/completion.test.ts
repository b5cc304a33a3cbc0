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
    [["st"], ["status", "start", "stop", "store", ":4"]],
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
      ["docker", "files", "aws", ":4"],
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

  describe("names on files, where the file in this folder says so", () => {
    const file = (more = ""): Setting => ({
      clusters: ["demo"],
      files: {
        "cluster.yml": `name: metal\ntarget: files\nos: debian\ngroups: { control: { count: 1 } }\nfiles: { store: "https://10.0.0.5:7443"${more} }\n`,
      },
    });

    it("beside the engine's", async () => {
      const setting = { ...file(), handedOut: ["metal"] };
      expect(await proposed(["status", ""], setting)).toEqual(["demo", "metal", ":4"]);
      expect(await proposed(["exec", "metal-w"], setting)).toEqual(["metal-worker-1", "metal-worker-2", ":4"]);
    });

    it("but not through ssh, and the engine's also when no store answers", async () => {
      expect(await proposed(["status", ""], { ...file(", ssh: there"), handedOut: ["metal"] })).toEqual(["demo", ":4"]);
      expect(await proposed(["status", ""], file())).toEqual(["demo", ":4"]);
    });
  });

  it("nothing of a hidden verb, and every word with its description", async () => {
    const { stdout } = await run(["complete", "--", "com"]);
    expect(stdout).toBe("completion\tprint the completion script of a shell\n:4\n");
  });
});
