import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { IncomingMessage, ServerResponse } from "node:http";

/** A program that nodes fetch by its sum. */
export type ServedProgram = { readonly name: string; readonly path: string; readonly sha256: string };

/** Answers a request that is none for records; false when it is none of its own either. */
export type Beside = (request: IncomingMessage, response: ServerResponse) => boolean;

async function sumOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** The sums of these files, by the names under which launches ask for them. */
export async function programsAt(files: Readonly<Record<string, string>>): Promise<readonly ServedProgram[]> {
  return Promise.all(Object.entries(files).map(async ([name, path]) => ({ name, path, sha256: await sumOf(path) })));
}

/**
 * `GET /runtime/<sha256>` for everyone: who asks judges the bytes by the sum that it was given, so nothing is told and
 * nothing need be trusted. `GET /runtime` names the sums, for whoever writes user data.
 */
export function serveRuntime(programs: readonly ServedProgram[], onError: (error: unknown) => void): Beside {
  return (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    if (path !== "/runtime" && !path.startsWith("/runtime/")) return false;
    if (request.method !== "GET") {
      response.writeHead(405, { Allow: "GET" }).end();
      return true;
    }
    if (path === "/runtime") {
      const sums = Object.fromEntries(programs.map(({ name, sha256 }) => [name, sha256]));
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(sums));
      return true;
    }
    const program = programs.find(({ sha256 }) => path === `/runtime/${sha256}`);
    if (program === undefined) {
      response.writeHead(404).end("there is no program of this sum\n");
      return true;
    }
    send(program, response).catch((error: unknown) => {
      // Who asks may go away in the middle of it, and come again.
      const left = error instanceof Error && Reflect.get(error, "code") === "ERR_STREAM_PREMATURE_CLOSE";
      if (!left) onError(error);
      response.destroy();
    });
    return true;
  };
}

async function send({ path }: ServedProgram, response: ServerResponse): Promise<void> {
  const { size } = await stat(path);
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": size });
  await pipeline(createReadStream(path), response);
}
