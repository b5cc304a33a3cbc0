import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const exec = promisify(execFile);
const root = join(import.meta.dirname, "../..");
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-process-"));
  await exec(process.execPath, ["scripts/build.mjs", join(folder, "dist")], { cwd: root });
});
afterAll(() => rm(folder, { recursive: true }));

type Ended = { readonly code: number | null; readonly stderr: string };

/** Runs the real program against an engine that never answers, until `ready` and whatever it does with the process. */
async function withSilentEngine(act: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  const socket = join(folder, "engine.sock");
  const reached = deferred();
  const engine = createServer(() => reached.resolve()).listen(socket);
  try {
    const child = spawn(process.execPath, [join(folder, "dist/cli.js"), "status", "demo"], {
      cwd: folder,
      env: { PATH: process.env["PATH"], DOCKER_HOST: `unix://${socket}` },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await reached.promise;
    act(child);
    return { code: await ended, stderr };
  } finally {
    engine.closeAllConnections();
    await new Promise((resolve) => engine.close(resolve));
  }
}

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => void (resolve = done));
  return { promise, resolve: () => resolve() };
}

it("the second Ctrl-C ends at once with 130 and says how to go on", async () => {
  const { code, stderr } = await withSilentEngine((child) => {
    child.kill("SIGINT");
    child.kill("SIGTERM");
  });
  expect(code).toBe(130);
  expect(stderr).toContain("the state is safe");
  expect(stderr).toContain("slipway status demo");
});

it("a reader that goes away ends it quietly", async () => {
  const child = spawn(process.execPath, [join(folder, "dist/cli.js"), "schema"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect([code, stderr]).toEqual([0, ""]);
});

it("a long result reaches a pipe whole", async () => {
  const { stdout } = await exec(process.execPath, [join(folder, "dist/cli.js"), "schema"], {
    maxBuffer: 10_000_000,
  });
  expect(JSON.parse(stdout)).toMatchObject({ type: "object" });
});
