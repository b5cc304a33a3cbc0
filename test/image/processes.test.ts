import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ProcessError, systemProcesses } from "../../src/host/processes.ts";

const node = (script: string): readonly [string, ...string[]] => [process.execPath, "--eval", script];

async function refusal(promise: Promise<unknown>): Promise<ProcessError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProcessError)) throw new Error(`not a ProcessError: ${String(error)}`);
  return error;
}

describe("a stream", () => {
  test("hands on the lines of both outputs as they come, the last without an end too", async () => {
    const lines: string[] = [];
    await systemProcesses.stream(
      node('process.stdout.write("one\\ntwo"); process.stderr.write("three\\n\\n")'),
      (line) => lines.push(line),
    );
    expect(lines.toSorted()).toEqual(["one", "three", "two"]);
  });

  test("that fails carries its code and last lines", async () => {
    const error = await refusal(
      systemProcesses.stream(
        node('for (let n = 0; n < 50; n++) console.error("line " + n); process.exitCode = 7'),
        () => undefined,
      ),
    );
    expect(error.code).toBe(7);
    expect(error.stderr.split("\n")).toHaveLength(20);
    expect(error.stderr).toMatch(/line 49$/);
  });

  test("that says nothing is given up; one that has spoken may go on", async () => {
    const error = await refusal(
      systemProcesses.stream(node("setInterval(() => undefined, 1000)"), () => undefined, {
        firstLineWithin: 300,
      }),
    );
    expect(error.message).toContain("said nothing or did not end within 300 ms");
    const spoken = systemProcesses.stream(
      node('console.log("here"); setTimeout(() => undefined, 3000)'),
      () => undefined,
      { firstLineWithin: 2500 },
    );
    await expect(spoken).resolves.toBeUndefined();
  });

  test("of a program that is not there says so", async () => {
    const error = await refusal(systemProcesses.stream(["/no/such/program"], () => undefined));
    expect(error.message).toContain("ENOENT");
  });

  test("ends when asked to", async () => {
    const stop = new AbortController();
    const endless = systemProcesses.stream(
      node('console.log("up"); setInterval(() => undefined, 1000)'),
      () => stop.abort(),
      { signal: stop.signal },
    );
    await expect(endless).rejects.toThrow(/abort/i);
  });
});

describe("a pipe", () => {
  test("carries bytes unchanged and hands on what is said beside them", async () => {
    const lines: string[] = [];
    const hash =
      'const h = require("node:crypto").createHash("sha256"); process.stdin.on("data", (d) => h.update(d)).on("end", () => console.log(h.digest("hex")))';
    await systemProcesses.pipe(
      node('console.error("sending"); process.stdout.write(Buffer.alloc(3_000_000, 7))'),
      node(hash),
      (line) => lines.push(line),
    );
    expect(lines).toEqual(["sending", createHash("sha256").update(Buffer.alloc(3_000_000, 7)).digest("hex")]);
  });

  test("fails with the sender's cause, though the receiver was content", async () => {
    const error = await refusal(
      systemProcesses.pipe(
        node('console.error("no mirror"); process.exitCode = 3'),
        node("process.stdin.resume()"),
        () => undefined,
      ),
    );
    expect(error.code).toBe(3);
    expect(error.stderr).toBe("no mirror");
  });

  test("fails with the receiver's cause when that ends first", async () => {
    const sender = node("const b = Buffer.alloc(1 << 16); const more = () => process.stdout.write(b, more); more()");
    const error = await refusal(
      systemProcesses.pipe(sender, node('console.error("disk full"); process.exit(9)'), () => undefined),
    );
    expect(error.stderr).toBe("disk full");
    expect(error.code).toBe(9);
  });

  test("fails when the receiver is not there, however much the sender has to say", async () => {
    const sender = node("const b = Buffer.alloc(1 << 16); const more = () => process.stdout.write(b, more); more()");
    const error = await refusal(systemProcesses.pipe(sender, ["/no/such/program"], () => undefined));
    expect(error.message).toContain("ENOENT");
  });
});
