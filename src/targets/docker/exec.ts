import { Duplex, Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { at, textAt } from "../../host/answer.ts";
import type { ExecOptions, ExecResult } from "../target.ts";
import { EngineError, type Engine } from "./engine.ts";
import { frames } from "./frames.ts";

type Started = { readonly id: string; readonly connection: Duplex };

async function start(
  engine: Engine,
  container: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const doing = `run ${command[0]} in ${container}`;
  const made = await engine.call(doing, "POST", `/containers/${container}/exec`, {
    body: {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Cmd: command,
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    },
  });
  const id = textAt(made, "Id");
  return { id, connection: await engine.hijack(doing, `/exec/${id}/start`, { Detach: false, Tty: false }) };
}

const lookAgain = 20;
const looks = 250;

/** The output ends a moment before the engine knows how its command did. */
async function exitCode(engine: Engine, id: string): Promise<number> {
  for (let look = 0; look < looks; look++) {
    const seen = await engine.call("tell how a command ended", "GET", `/exec/${id}/json`);
    const code = at(seen, "ExitCode");
    if (at(seen, "Running") === false && typeof code === "number") return code;
    await pause(lookAgain);
  }
  throw new EngineError("Docker does not say how a command ended whose output has", undefined);
}

/** Whether the command ended before it had read all of its input, as it may. */
function unread(error: Error): boolean {
  return ["EPIPE", "ECONNRESET"].includes(String(Reflect.get(error, "code")));
}

/** Comes to its end when there is no more output. */
function outputOf(connection: Duplex, each: (stream: "stdout" | "stderr", bytes: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.on("data", frames(each));
    connection.on("end", () => connection.destroy());
    connection.on("error", (error) => unread(error) || reject(error));
    connection.on("close", resolve);
  });
}

/**
 * Runs a command in a container, with its streams handed on as they come; every exit code is an answer. Values of the
 * environment are in no process list. Throws an `EngineError` where the container is absent or does not run.
 */
export async function exec(
  engine: Engine,
  container: string,
  command: readonly string[],
  { environment, input, output, signal }: Omit<ExecOptions, "input"> & { input?: ExecOptions["input"] | Readable } = {},
): Promise<ExecResult> {
  signal?.throwIfAborted();
  const { id, connection } = await start(engine, container, command, environment);
  const kept: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  const over = outputOf(connection, output ?? ((stream, bytes) => kept[stream].push(bytes)));
  const giveUp = (): void => void connection.destroy();
  signal?.addEventListener("abort", giveUp);
  if (signal?.aborted === true) giveUp();
  if (input instanceof Readable) {
    input.on("error", (error) => connection.destroy(error));
    connection.on("close", () => input.destroy());
    input.pipe(connection);
  } else connection.end(input);
  await over.finally(() => signal?.removeEventListener("abort", giveUp));
  signal?.throwIfAborted();
  return {
    code: await exitCode(engine, id),
    stdout: Buffer.concat(kept.stdout).toString("utf8"),
    stderr: Buffer.concat(kept.stderr).toString("utf8"),
  };
}

/**
 * A byte stream that is the standard input and output of a command in a container. Where the command fails the stream
 * does, with its words.
 */
export function execStream(engine: Engine, container: string, command: readonly string[]): Duplex {
  let connection: Duplex | undefined;
  const follow = async ({ id, connection: from }: Started): Promise<void> => {
    let said = "";
    await outputOf(from, (name, bytes) => {
      if (name === "stderr") said = (said + bytes.toString("utf8")).slice(-2000);
      else if (!stream.push(bytes)) from.pause();
    });
    if (stream.destroyed) return;
    // An end alone would hide why there is no more.
    const code = await exitCode(engine, id);
    const words = `${command.join(" ")} in ${container} ended with ${code}: ${said.trim()}`;
    if (code === 0) stream.push(null);
    else stream.destroy(new EngineError(words, undefined));
  };
  const begin = async (done: (error?: Error) => void): Promise<void> => {
    try {
      const started = await start(engine, container, command);
      ({ connection } = started);
      follow(started).catch((error: Error) => stream.destroy(error));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done();
  };
  const stream = new Duplex({
    construct(done) {
      void begin(done);
    },
    read() {
      connection?.resume();
    },
    write(chunk: Uint8Array, _encoding, done) {
      connection?.write(chunk, (error) => done(error instanceof Error && !unread(error) ? error : null));
    },
    final(done) {
      if (connection?.destroyed === false) connection.end(() => done());
      else done();
    },
    destroy(error, done) {
      connection?.destroy();
      done(error);
    },
  });
  return stream;
}
