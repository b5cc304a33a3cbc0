import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { openEngine, type Engine } from "../../src/targets/docker/engine.ts";
import { exec, execStream } from "../../src/targets/docker/exec.ts";
import { frames } from "../../src/targets/docker/frames.ts";

// The API's side of a connection that it hands over; what Docker's own makes of it is tested on real nodes.
const folder = mkdtempSync(join(tmpdir(), "slipway-engine-"));
const socket = join(folder, "engine.sock");

function frame(stream: "stdout" | "stderr", bytes: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream === "stdout" ? 1 : 2;
  header.writeUInt32BE(Buffer.byteLength(bytes), 4);
  return Buffer.concat([header, Buffer.from(bytes)]);
}

/** What the command does with its connection, and how it ends. */
type Command = (connection: Duplex) => void;
let command: Command;
let endings: { Running: boolean; ExitCode: number | null }[];
let asked: unknown;
let server: Server;
const handed = new Set<Duplex>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    const takes = async (): Promise<void> => {
      asked = JSON.parse(await text(request));
      answer(201, { Id: "e1" });
    };
    if (request.url?.endsWith("/containers/absent/exec") === true)
      answer(404, { message: "No such container: absent" });
    else if (request.url?.endsWith("/containers/there/exec") === true) void takes();
    else if (request.url?.endsWith("/exec/e1/json") === true) answer(200, endings.shift() ?? {});
    else if (request.url?.endsWith("/images/team/app:1/get") === true) response.end(Buffer.alloc(3_000_000));
    else if (request.url?.endsWith("/images/absent/get") === true) answer(404, { message: "reference does not exist" });
    else answer(500, { message: `${request.method} ${request.url}` });
  });
  server.on("upgrade", (request, connection, first) => {
    connection.on("error", () => connection.destroy());
    handed.add(connection);
    connection.unshift(first);
    const begin = (): void => {
      // The body of the request comes before the command's input.
      if (connection.read(Number(request.headers["content-length"])) === null) connection.once("readable", begin);
      else {
        connection.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
        command(connection);
      }
    };
    begin();
  });
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve);
  });
  // It goes the way that the docker command goes, in a file of its own instead of Docker's.
  const docker = join(folder, "docker");
  writeFileSync(
    docker,
    `#!${process.execPath}
const { connect } = require("node:net");
if (process.argv.slice(2).join(" ") !== "system dial-stdio") process.exit(9);
const way = connect({ path: ${JSON.stringify(socket)}, allowHalfOpen: true });
process.stdin.pipe(way).pipe(process.stdout);
way.on("end", () => process.exit());
way.on("error", () => process.exit(1));
`,
  );
  chmodSync(docker, 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  for (const connection of handed) connection.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  endings = [{ Running: false, ExitCode: 0 }];
});

it("takes frames apart however they are cut", () => {
  const whole = Buffer.concat([frame("stdout", "one"), frame("stderr", "two"), frame("stdout", "")]);
  for (let cut = 0; cut <= whole.length; cut++) {
    const found = { stdout: "", stderr: "" };
    const take = frames((stream, bytes) => (found[stream] += bytes.toString()));
    take(whole.subarray(0, cut));
    take(whole.subarray(cut));
    expect(found).toEqual({ stdout: "one", stderr: "two" });
  }
});

const ways: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["a socket of this machine", { DOCKER_HOST: `unix://${socket}` }],
  ["the docker command", { DOCKER_CONTEXT: "elsewhere" }],
];
describe.each(ways)("a command in a container, through %s", (_, environment) => {
  let engine: Engine;
  beforeAll(() => {
    engine = openEngine(environment);
  });

  it("has its input, its output and its exit code", async () => {
    command = (connection) => {
      connection.write(frame("stdout", "got ").subarray(0, 5));
      let given = "";
      connection.on("data", (chunk) => (given += String(chunk)));
      connection.on("end", () => {
        connection.write(frame("stdout", "got ").subarray(5));
        connection.write(frame("stderr", "aside"));
        connection.end(frame("stdout", given));
      });
    };
    // Its output ends a moment before the engine knows how it did.
    endings = [
      { Running: true, ExitCode: null },
      { Running: false, ExitCode: 7 },
    ];
    const result = await exec(engine, "there", ["sh", "-c", "cat"], { input: "given", environment: { A: "b c" } });
    expect(result).toEqual({ code: 7, stdout: "got given", stderr: "aside" });
    expect(asked).toMatchObject({ Cmd: ["sh", "-c", "cat"], Env: ["A=b c"] });
  });

  it("may end before it has read its input", async () => {
    command = (connection) => {
      connection.write(frame("stdout", "enough"), () => connection.destroy());
    };
    const result = await exec(engine, "there", ["head"], { input: Buffer.alloc(8_000_000) });
    expect(result).toMatchObject({ code: 0, stdout: "enough" });
  });

  it("is not begun where the container is absent", async () => {
    await expect(exec(engine, "absent", ["true"], {})).rejects.toThrow(
      "Docker could not run true in absent: No such container: absent",
    );
  });

  it("takes what comes from elsewhere as its input", async () => {
    command = (connection) => {
      let given = 0;
      connection.on("data", (chunk: Buffer) => (given += chunk.length));
      connection.on("end", () => connection.end(frame("stdout", `${given} bytes`)));
    };
    const image = await engine.stream("save an image", "/images/team/app:1/get");
    expect(await exec(engine, "there", ["load"], { input: image })).toMatchObject({ code: 0, stdout: "3000000 bytes" });
    await expect(engine.stream("save an image", "/images/absent/get")).rejects.toThrow(
      "Docker could not save an image: reference does not exist",
    );
  });

  it("is given up when it is told to", async () => {
    const giveUp = new AbortController();
    const closed = new Promise<void>((resolve) => {
      command = (connection) => {
        connection.on("end", resolve).resume();
        connection.write(frame("stdout", "begun"));
      };
    });
    const seen: string[] = [];
    const going = exec(engine, "there", ["sleep"], {
      signal: giveUp.signal,
      output: (_stream, chunk) => {
        seen.push(Buffer.from(chunk).toString());
        giveUp.abort(new Error("enough"));
      },
    });
    await expect(going).rejects.toThrow("enough");
    await closed;
    expect(seen).toEqual(["begun"]);
  });

  it("is a stream of bytes, both ways", async () => {
    command = (connection) => {
      connection.on("data", (chunk) => connection.write(frame("stdout", String(chunk).toUpperCase())));
      connection.on("end", () => connection.end());
    };
    const stream = execStream(engine, "there", ["socat"]);
    stream.write("one ");
    stream.end("two");
    expect(await text(stream)).toBe("ONE TWO");
  });

  it("may run beside as many as there are", async () => {
    const open: Duplex[] = [];
    command = (connection) => {
      connection.write(frame("stdout", "begun"));
      // None ends before all have begun.
      if (open.push(connection) === 8) for (const one of open) one.end();
    };
    endings = Array.from({ length: 8 }, () => ({ Running: false, ExitCode: 0 }));
    const all = await Promise.all(Array.from({ length: 8 }, () => text(execStream(engine, "there", ["tail"]))));
    expect(all).toEqual(Array.from({ length: 8 }, () => "begun"));
  });

  it("says why there is no more of the stream", async () => {
    command = (connection) => void connection.end(frame("stderr", "connection refused\n"));
    endings = [{ Running: false, ExitCode: 1 }];
    await expect(text(execStream(engine, "there", ["socat", "-", "x"]))).rejects.toThrow(
      "socat - x in there ended with 1: connection refused",
    );
    await expect(text(execStream(engine, "absent", ["socat"]))).rejects.toThrow("No such container: absent");
  });

  it("ends with the stream", async () => {
    const closed = new Promise<void>((resolve) => {
      command = (connection) => {
        connection.on("end", resolve).resume();
        connection.write(frame("stdout", "begun"));
      };
    });
    const stream = execStream(engine, "there", ["socat"]);
    await new Promise((resolve) => stream.once("data", resolve));
    stream.destroy();
    await closed;
    expect(stream.destroyed).toBe(true);
  });
});
