import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type RunOptions = {
  readonly input?: string | Uint8Array;
  readonly timeout?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly signal?: AbortSignal;
  /** Exit codes that are answers, not failures; `undefined`: only 0. */
  readonly accept?: readonly number[];
};

/** Other programs, by argument array; no shell ever. */
export interface Processes {
  run(command: readonly [string, ...string[]], options?: RunOptions): Promise<Finished>;
}

export type StreamOptions = Omit<RunOptions, "input" | "accept"> & {
  /** Milliseconds within which the program must say something, so that a dead network is told from a slow one. */
  readonly firstLineWithin?: number;
};

/** Programs that run long: what they say is handed on line by line, standard output and error alike. */
export interface Streams {
  stream(
    command: readonly [string, ...string[]],
    onLine: (line: string) => void,
    options?: StreamOptions,
  ): Promise<void>;
  /** The first program's standard output becomes the second's input; fails with whichever failed first. */
  pipe(
    from: readonly [string, ...string[]],
    to: readonly [string, ...string[]],
    onLine: (line: string) => void,
    options?: StreamOptions,
  ): Promise<void>;
}

const mostOutput = 4 * 1024 * 1024;

/** A program ended with a code that is not accepted, or could not be started, or took too long. */
export class ProcessError extends Error {
  readonly command: readonly string[];
  readonly code: number | undefined;
  readonly stderr: string;
  constructor(command: readonly string[], code: number | undefined, stderr: string, why: string) {
    super(`${why}: ${pasteable(command)}${stderr === "" ? "" : `\n${stderr.trim()}`}`);
    this.name = "ProcessError";
    this.command = command;
    this.code = code;
    this.stderr = stderr;
  }
}

/** The command as a line that a person can paste into a shell. */
export function pasteable(command: readonly string[]): string {
  return command
    .map((word) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
}

/** How many last lines of a streaming program its error carries. */
const linesKept = 20;

/** Waits for a started program whose output is read as lines; rejects with what it said last. */
function followed(
  command: readonly string[],
  child: ChildProcess,
  outputs: readonly (Readable | null)[],
  onLine: (line: string) => void,
  options: StreamOptions,
): Promise<void> {
  const last: string[] = [];
  let late: number | undefined;
  const stopAfter = (milliseconds: number | undefined): NodeJS.Timeout | undefined =>
    milliseconds === undefined
      ? undefined
      : setTimeout(() => {
          late = milliseconds;
          child.kill("SIGTERM");
        }, milliseconds);
  const whole = stopAfter(options.timeout);
  const first = stopAfter(options.firstLineWithin);
  for (const output of outputs) {
    if (output === null) continue;
    createInterface({ input: output, crlfDelay: Infinity }).on("line", (line) => {
      clearTimeout(first);
      if (line.trim() === "") return;
      if (last.push(line) > linesKept) last.shift();
      onLine(line);
    });
  }
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(whole);
      clearTimeout(first);
    };
    child.on("error", (error) => {
      settled();
      reject(new ProcessError(command, undefined, last.join("\n"), `could not run (${error.message})`));
    });
    child.on("close", (code, signal) => {
      settled();
      const why = late === undefined ? `ended with ${code ?? signal}` : `said nothing or did not end within ${late} ms`;
      if (code === 0 && late === undefined) resolve();
      else reject(new ProcessError(command, code ?? undefined, last.join("\n"), why));
    });
  });
}

function start(
  command: readonly [string, ...string[]],
  options: StreamOptions,
  input: "ignore" | "pipe",
): ChildProcess {
  const [program, ...words] = command;
  return spawn(program, words, {
    cwd: options.directory,
    env: options.environment === undefined ? process.env : { ...process.env, ...options.environment },
    stdio: [input, "pipe", "pipe"],
    signal: options.signal,
  });
}

export const systemProcesses: Processes & Streams = {
  stream: (command, onLine, options = {}) => {
    const child = start(command, options, "ignore");
    return followed(command, child, [child.stdout, child.stderr], onLine, options);
  },
  pipe: async (from, to, onLine, options = {}) => {
    const sender = start(from, options, "ignore");
    const receiver = start(to, options, "pipe");
    // A receiver that ended early takes no more input; its own exit code tells why. One that ended after the
    // sender's last byte is done, and the sender may still have to tidy up.
    const cutOff = (): void => {
      if (sender.stdout?.readableEnded !== false) return;
      sender.kill("SIGTERM");
      // What it had still sent has no reader, and would keep its end from being seen.
      sender.stdout.destroy();
    };
    receiver.stdin?.on("error", cutOff);
    receiver.on("exit", cutOff);
    receiver.on("error", cutOff);
    if (sender.stdout !== null && receiver.stdin !== null) sender.stdout.pipe(receiver.stdin);
    const ends = [
      followed(from, sender, [sender.stderr], onLine, options),
      // The receiver may well be silent until the sender is done.
      followed(
        to,
        receiver,
        [receiver.stdout, receiver.stderr],
        onLine,
        options.timeout === undefined ? {} : { timeout: options.timeout },
      ),
    ];
    const [sent, received] = await Promise.allSettled(ends);
    // A sender cut off by its receiver's end is not the cause.
    if (received?.status === "rejected" && sender.signalCode !== null) throw received.reason;
    if (sent?.status === "rejected") throw sent.reason;
    if (received?.status === "rejected") throw received.reason;
  },

  run: (command, options = {}) =>
    new Promise((resolve, reject) => {
      const [program, ...words] = command;
      const child = spawn(program, words, {
        cwd: options.directory,
        env: options.environment === undefined ? process.env : { ...process.env, ...options.environment },
        stdio: ["pipe", "pipe", "pipe"],
        signal: options.signal,
      });
      const kept = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (text: string) => {
          kept[name] = (kept[name] + text).slice(-mostOutput);
        });
      }
      let late = false;
      const timer =
        options.timeout === undefined
          ? undefined
          : setTimeout(() => {
              late = true;
              child.kill("SIGKILL");
            }, options.timeout);
      // The program may end before it has read its input; its exit code tells the story.
      child.stdin.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EPIPE") kept.stderr += `stdin: ${error.message}\n`;
      });
      child.stdin.end(options.input);
      child.on("error", (error) => {
        clearTimeout(timer);
        reject(new ProcessError(command, undefined, kept.stderr, `could not run (${error.message})`));
      });
      child.on("close", (code, signal) => {
        clearTimeout(timer);
        if (late) reject(new ProcessError(command, undefined, kept.stderr, `took longer than ${options.timeout} ms`));
        else if (code !== null && (options.accept ?? [0]).includes(code)) resolve({ code, ...kept });
        else reject(new ProcessError(command, code ?? undefined, kept.stderr, `ended with ${code ?? signal}`));
      });
    }),
};
