import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import type { DockerClient } from "@docker/node-sdk";
import type { NodeName } from "../../cluster/cluster.ts";
import { ProcessError } from "../../host/processes.ts";
import type { ExecOptions, ExecResult, NodeAccess } from "../target.ts";
import { collector, must, orDone } from "./engine.ts";
import { tunnel } from "./tunnel.ts";

function exec(node: NodeName, command: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const environment = Object.keys(options.environment ?? {}).flatMap((name) => ["--env", name]);
  const words = ["exec", "-i", ...environment, node, ...command];
  return new Promise((resolve, reject) => {
    // Values of variables travel in the docker command's own environment, so that no process list shows them.
    const child = spawn("docker", words, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...options.environment }, signal: options.signal });
    const kept: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].on("data", (chunk: Buffer) => {
        if (options.output === undefined) kept[stream].push(chunk);
        else options.output(stream, chunk);
      });
    }
    // A command that does not read its input may end first; its exit code tells the story.
    child.stdin.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") reject(error);
    });
    child.stdin.end(options.input);
    child.on("error", (error) => reject(new ProcessError(["docker", ...words], undefined, "", `could not run (${error.message})`)));
    child.on("close", (code, signal) => {
      if (code === null) reject(new ProcessError(["docker", ...words], undefined, "", `ended by ${signal}`));
      else resolve({ code, stdout: Buffer.concat(kept.stdout).toString("utf8"), stderr: Buffer.concat(kept.stderr).toString("utf8") });
    });
  });
}

/** What an operator can do with one node's container. */
export function nodeAccess(engine: () => Promise<DockerClient>, node: NodeName): NodeAccess {
  return {
    exec: (command, options = {}) => exec(node, command, options),
    terminal: (command) => ["docker", "exec", "-it", node, ...(command.length === 0 ? ["/bin/bash", "-l"] : command)],
    async put(folder, bytes) {
      await must(`copy to ${node}:${folder}`, (await engine()).putContainerArchive(node, folder, Readable.from([bytes])));
    },
    async get(path) {
      const { stream, bytes } = collector();
      const { Writable } = await import("node:stream");
      await must(`copy from ${node}:${path}`, (await engine()).containerArchive(node, path, Writable.toWeb(stream)));
      return bytes();
    },
    async console(lines) {
      const { stream, bytes } = collector();
      await must(`read the console of ${node}`, (await engine()).containerLogs(node, stream, stream, { stdout: true, stderr: true, tail: String(lines) }));
      return bytes().toString("utf8");
    },
    start: async () => orDone(`start ${node}`, (await engine()).containerStart(node)),
    stop: async (seconds) => orDone(`stop ${node}`, (await engine()).containerStop(node, { timeout: seconds })),
    restart: async (seconds) => must(`restart ${node}`, (await engine()).containerRestart(node, { timeout: seconds })),
    connect: async (port) => tunnel(node, `TCP:127.0.0.1:${port}`),
  };
}
