import { Readable } from "node:stream";
import type { NodeName } from "../../cluster/cluster.ts";
import type { NodeAccess } from "../target.ts";
import { orDone, type Engine } from "./engine.ts";
import { exec } from "./exec.ts";
import { frames } from "./frames.ts";
import { tunnel } from "./tunnel.ts";

/** What an operator can do with one node's container. */
export function nodeAccess(engine: Engine, node: NodeName): NodeAccess {
  return {
    exec: (command, options = {}) => exec(engine, node, command, options),
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
      const parts: Buffer[] = [];
      frames((_stream, part) => parts.push(part))(bytes);
      return Buffer.concat(parts).toString("utf8");
    },
    start: () => orDone(engine.call(`start ${node}`, "POST", `/containers/${node}/start`)),
    stop: (seconds) =>
      orDone(engine.call(`stop ${node}`, "POST", `/containers/${node}/stop`, { query: { t: seconds } })),
    restart: async (seconds) =>
      void (await engine.call(`restart ${node}`, "POST", `/containers/${node}/restart`, { query: { t: seconds } })),
    connect: async (port) => tunnel(engine, node, `TCP:127.0.0.1:${port}`),
  };
}
