import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { ClusterName } from "../../src/cluster/cluster.ts";
import { systemClock } from "../../src/host/clock.ts";
import { thisProcess } from "../../src/host/owner.ts";
import { type Finished, type RunOptions, systemProcesses } from "../../src/host/processes.ts";
import { systemRandom } from "../../src/host/random.ts";
import type { Context } from "../../src/operations/context.ts";
import type { Status } from "../../src/operations/status-shape.ts";
import { status as look } from "../../src/operations/status.ts";
import { dockerTarget } from "../../src/targets/docker/target.ts";
import type { Target } from "../../src/targets/target.ts";

/** The command line as it was built for these tests; bin/slipway would build it anew in the middle of one. */
export const program = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "dist/cli.js");
/** Longer than any command here may take, on a machine that does other things as well. Milliseconds. */
const commandTime = 240_000;
const anyCode = Array.from({ length: 256 }, (_, code) => code);
const cluster = "slipway.cluster";

/** Runs the command line; its exit code is an answer. */
export function slipway(words: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return systemProcesses.run([process.execPath, program, ...words], {
    timeout: commandTime,
    accept: anyCode,
    ...options,
    environment: { NO_COLOR: "1", ...options.environment },
  });
}

/** Runs the command line and fails with all that it said when it does not end with 0. */
export async function succeeds(words: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await slipway(words, options);
  expect(code, `slipway ${words.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

const target = dockerTarget({
  environment: process.env,
  node: process.execPath,
  architecture: process.arch,
  platform: process.platform,
  programs: dirname(program),
  cacheFolder: join(tmpdir(), "slipway-tests"),
  processes: systemProcesses,
  clock: systemClock,
  random: systemRandom,
}) as Target;

/** What `slipway status` says of a cluster, asked in this process: tests ask often, and a command line each is a third of a second of a core. */
export function status(name: string): Promise<Status> {
  const context: Context = {
    target,
    emit: () => undefined,
    signal: AbortSignal.timeout(commandTime),
    clock: systemClock,
    random: systemRandom,
    processes: systemProcesses,
    owner: thisProcess(),
    environment: process.env,
    readFile: (path) => readFile(path),
  };
  return look(context, { cluster: name as ClusterName });
}

/** Runs a command in a node, as `docker exec` does; its exit code is an answer. */
export function inNode(node: string, command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const input = options.input === undefined ? [] : ["--interactive"];
  return systemProcesses.run(["docker", "exec", ...input, node, ...command], {
    timeout: 60_000,
    accept: anyCode,
    ...options,
  });
}

/** The output of a shell line in a node, without the last newline; fails when the line does. */
export async function shell(node: string, line: string, options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await inNode(node, ["sh", "-c", line], options);
  expect(code, `${node}: ${line}\n${stdout}${stderr}`).toBe(0);
  return stdout.trimEnd();
}

/** The output of a docker command; fails when the command does. */
export async function docker(...words: readonly string[]): Promise<string> {
  return (await systemProcesses.run(["docker", ...words], { timeout: commandTime })).stdout.trimEnd();
}

/**
 * Asks until the condition gives something true, and gives that; fails after `deadline` milliseconds with what the
 * condition said last, a value or an error.
 */
export async function untilTrue<Result>(
  what: string,
  condition: () => Promise<Result>,
  deadline: number,
): Promise<NonNullable<Result>> {
  const end = Date.now() + deadline;
  for (let wait = 500; ; wait = Math.min(wait * 1.5, 2_500)) {
    let last: string;
    try {
      const result = await condition();
      if (result !== undefined && result !== null && result !== false && result !== "") return result;
      last = `it was ${JSON.stringify(result)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() > end) throw new Error(`not within ${deadline} ms: ${what}; ${last}`);
    // Most conditions start programs: asked more often they take the machine from those they wait for.
    await pause(wait);
  }
}

/** A TCP port of the loopback that nobody holds at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, host: "127.0.0.1" }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export type ClusterFile = {
  readonly folder: string;
  readonly path: string;
  write(text: string): void;
  remove(): void;
};

/** A cluster's file in a folder of its own. */
export function clusterFile(text: string): ClusterFile {
  const folder = mkdtempSync(join(tmpdir(), "slipway-cluster-"));
  const path = join(folder, "cluster.yml");
  const write = (content: string): void => writeFileSync(path, content);
  write(text);
  return { folder, path, write, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Containers, volumes and networks that bear the cluster's label. */
export async function leftovers(name: string): Promise<readonly string[]> {
  const filter = `label=${cluster}=${name}`;
  const found = await Promise.all([
    docker("ps", "--all", "--filter", filter, "--format", "container {{.Names}}"),
    docker("volume", "ls", "--filter", filter, "--format", "volume {{.Name}}"),
    docker("network", "ls", "--filter", filter, "--format", "network {{.Name}}"),
  ]);
  return found.flatMap((text) => text.split("\n")).filter((line) => line !== "");
}

/** Removes a cluster by its own command and proves that nothing of it is left. */
export async function cleanUp(name: string): Promise<void> {
  const { code, stdout, stderr } = await slipway(["cleanup", name, "--yes"]);
  expect(await leftovers(name), `${stdout}\n${stderr}`).toEqual([]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
}

/** Removes by force what an earlier, interrupted run of the same test left behind. */
export async function clearAway(name: string): Promise<void> {
  for (const line of (await leftovers(name)).toSorted()) {
    const [kind = "", id = ""] = line.split(" ");
    await docker(...(kind === "container" ? ["rm", "--force", "--volumes", id] : [kind, "rm", id]));
  }
}
