import { Readable } from "node:stream";
import type { NodeName } from "../../cluster/cluster.ts";
import { execCommand } from "../../host/command.ts";
import type { ExecOptions, ExecResult, NodeAccess } from "../target.ts";
import { orDone, type Engine } from "./engine.ts";
import { tunnel } from "./tunnel.ts";

function exec(node: NodeName, command: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const environment = Object.keys(options.environment ?? {}).flatMap((name) => ["--env", name]);
  return execCommand(["docker", "exec", "-i", ...environment, node, ...command], options);
}

/** What an operator can do with one node's container. */
export function nodeAccess(engine: Engine, node: NodeName): NodeAccess {
  return {
    exec: (command, options = {}) => exec(node, command, options),
    terminal: (command) => ["docker", "exec", "-it", node, ...(command.length === 0 ? ["/bin/bash", "-l"] : command)],
    async put(folder, bytes) {
      await engine.call(`copy to ${node}:${folder}`, "PUT", `/containers/${node}/archive`, {
        query: { path: folder },
        archive: Readable.from([bytes]),
      });
    },
    get: (path) => engine.bytes(`copy from ${node}:${path}`, `/containers/${node}/archive`, { query: { path } }),
    async console(lines) {
      const bytes = await engine.bytes(`read the console of ${node}`, `/containers/${node}/logs`, {
        query: { stdout: true, stderr: true, tail: lines },
      });
      return unframed(bytes);
    },
    start: () => orDone(engine.call(`start ${node}`, "POST", `/containers/${node}/start`)),
    stop: (seconds) =>
      orDone(engine.call(`stop ${node}`, "POST", `/containers/${node}/stop`, { query: { t: seconds } })),
    restart: async (seconds) =>
      void (await engine.call(`restart ${node}`, "POST", `/containers/${node}/restart`, { query: { t: seconds } })),
    connect: async (port) => tunnel(node, `TCP:127.0.0.1:${port}`),
  };
}

/** Logs come in frames: one byte of stream, three of nothing, four of length, then the bytes. */
function unframed(bytes: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString("utf8");
}
