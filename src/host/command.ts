import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { ProcessError } from "./processes.ts";

export type CommandOptions = {
  readonly input?: Uint8Array | string;
  /** Called with chunks as they come, instead of keeping them in the result. */
  readonly output?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  readonly signal?: AbortSignal;
  /** Variables of the command's own environment, so that no process list shows their values. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs a command with its streams handed on as they come; every exit code is an answer. */
export function execCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [program, ...words] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...options.environment },
      signal: options.signal,
    });
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
    child.on("error", (error) => reject(new ProcessError(command, undefined, "", `could not run (${error.message})`)));
    child.on("close", (code, signal) => {
      if (code === null) reject(new ProcessError(command, undefined, "", `ended by ${signal}`));
      else
        resolve({
          code,
          stdout: Buffer.concat(kept.stdout).toString("utf8"),
          stderr: Buffer.concat(kept.stderr).toString("utf8"),
        });
    });
  });
}

/** The command of a stream ended with an error. */
export class StreamEnded extends Error {
  readonly code: number | null;
  readonly said: string;
  constructor(command: readonly string[], code: number | null, said: string) {
    super(`${command.join(" ")} ended with ${code}: ${said}`);
    this.name = "StreamEnded";
    this.code = code;
    this.said = said;
  }
}

/** A byte stream that is a command's standard input and output. Destroying it ends the command. */
export function commandStream(command: readonly [string, ...string[]]): Duplex {
  const [program, ...words] = command;
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  const duplex = new Duplex({
    read() {
      child.stdout.resume();
    },
    write(chunk: Uint8Array, _encoding, done) {
      child.stdin.write(chunk, (error) => done(isBrokenPipe(error) ? null : error));
    },
    final(done) {
      child.stdin.end(done);
    },
    destroy(error, done) {
      child.kill("SIGTERM");
      done(error);
    },
  });
  child.stdout.on("data", (chunk: Uint8Array) => {
    if (!duplex.push(chunk)) child.stdout.pause();
  });
  // One that has ended says by its exit code why.
  child.stdin.on("error", (error) => {
    if (!isBrokenPipe(error)) duplex.destroy(error);
  });
  child.on("error", (error) => duplex.destroy(error));
  // Its output has ended before, but an end alone would hide why there is no more.
  child.on("close", (code) => {
    if (duplex.destroyed) return;
    if (code === 0) duplex.push(null);
    else duplex.destroy(new StreamEnded(command, code, said.trim()));
  });
  return duplex;
}

function isBrokenPipe(error: Error | null | undefined): boolean {
  return error instanceof Error && Reflect.get(error, "code") === "EPIPE";
}

/** The same stream, with what http's agents ask of a socket and a plain stream does not have. */
export function likeSocket(stream: Duplex): Duplex {
  for (const name of ["setKeepAlive", "setNoDelay", "setTimeout", "ref", "unref"]) {
    if (!(name in stream)) Object.defineProperty(stream, name, { value: () => stream });
  }
  return stream;
}
