import { ExitCode } from "@stricli/core";
import { describe, expect, it } from "vitest";
import { exitOfStricli, exits } from "../../src/cli/exit.ts";
import { OperationError } from "../../src/operations/context.ts";
import { run, type Setting } from "./fakeWorld.ts";

/** A world in which looking at the status fails with this. */
function failing(error: unknown, signal?: AbortSignal): Setting {
  return {
    operations: { status: async () => () => Promise.reject(error) },
    ...(signal === undefined ? {} : { signal }),
  };
}

describe("exit codes", () => {
  it("are these", () => {
    expect(exits).toEqual({
      done: 0,
      failed: 1,
      wrong: 2,
      changes: 3,
      locked: 4,
      interrupted: 130,
    });
  });

  it("give every code of stricli a word", () => {
    expect(Object.fromEntries(Object.entries(ExitCode).map(([name, code]) => [name, exitOfStricli(code)]))).toEqual({
      Success: "done",
      UnknownCommand: "wrong",
      InvalidArgument: "wrong",
      InternalError: "failed",
      ContextLoadError: "failed",
      CommandLoadError: "failed",
      CommandRunError: "failed",
      IntegrationError: "failed",
    });
  });

  const aborted = AbortSignal.abort();
  const held = Object.assign(new Error("ada on laptop has been working on this cluster"), {
    name: "LockHeld",
  });
  it.each([
    ["an operation that fails", ["status", "demo"], failing(new OperationError("no luck", "slipway doctor")), 1],
    ["something unforeseen", ["status", "demo"], failing(new TypeError("x is not a function")), 1],
    ["a lock that is held", ["status", "demo"], failing(held), 4],
    [
      "a lock that is held, told by the error around it",
      ["status", "demo"],
      failing(new Error("cannot", { cause: held })),
      4,
    ],
    ["an interrupt", ["status", "demo"], failing(new Error("aborted"), aborted), 130],
    ["an unknown verb", ["statsu"], {}, 2],
    ["an unknown flag", ["status", "--jsn"], {}, 2],
    ["a value that is none", ["logs", "--lines", "many"], {}, 2],
    ["a word too many", ["status", "demo", "demo"], {}, 2],
    ["no file", ["check", "nowhere.yml"], {}, 2],
    ["an invalid file", ["check"], { files: { "cluster.yml": "name: demo\n" } }, 2],
    ["help", ["--help"], {}, 0],
    ["help on a verb", ["help", "status"], {}, 0],
  ] satisfies readonly (readonly [string, readonly string[], Setting, number])[])(
    "%s",
    async (_, words, setting, code) => {
      expect((await run(words, setting)).code).toBe(code);
    },
  );
});

describe("what went wrong", () => {
  it("is said with the next step", async () => {
    const { stderr, stdout } = await run(
      ["status", "demo"],
      failing(new OperationError("no luck", "slipway doctor demo")),
    );
    expect(stderr).toBe("error: no luck\nnext: slipway doctor demo\n");
    expect(stdout).toBe("");
  });

  it("is JSON with --json", async () => {
    const { stderr, stdout } = await run(
      ["status", "demo", "--json"],
      failing(new OperationError("no luck", "slipway doctor")),
    );
    expect(JSON.parse(stdout)).toEqual({
      error: { message: "no luck", next: "slipway doctor", exit: 1 },
    });
    expect(stderr).toBe("");
  });

  it("has its causes, and a stack only when asked for", async () => {
    const error = new Error("cannot reach the engine", { cause: new Error("ECONNREFUSED") });
    expect((await run(["status", "demo"], failing(error))).stderr).toBe(
      "error: cannot reach the engine: ECONNREFUSED\n",
    );
    const debug = await run(["status", "demo"], {
      ...failing(error),
      environment: { SLIPWAY_DEBUG: "1" },
    });
    expect(debug.stderr).toContain("exit.test.ts");
  });

  it("is, after an interrupt, that the state is safe and how to go on", async () => {
    const { stderr } = await run(["status", "demo"], failing(new Error("aborted"), AbortSignal.abort()));
    expect(stderr).toBe("error: interrupted; the state is safe\nnext: bin/slipway status demo\n");
  });

  it("names the nearest verb and flag", async () => {
    expect((await run(["statsu"])).stderr).toContain("did you mean `status`?");
    expect((await run(["status", "--jsn"])).stderr).toContain("--json");
    const { stdout } = await run(["status", "--jsn", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ error: { exit: 2, next: "slipway status --help" } });
  });

  it("shows an invalid file like a compiler", async () => {
    const { stderr } = await run(["check", "bad.yml"], {
      files: { "bad.yml": "name: demo\ngroups:\n  control: { role: control, cuont: 3 }\n" },
    });
    expect(stderr).toMatch(/^bad\.yml:3:29: error: /);
    expect(stderr).toContain("count");
  });
});
