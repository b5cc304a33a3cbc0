import { spawn } from "node:child_process";

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

export const systemProcesses: Processes = {
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
