import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  type Finished,
  ProcessError,
  type Processes,
  type RunOptions,
  type StreamOptions,
  type Streams,
} from "../../src/host/processes.ts";
import { type Disk, diskWithCache } from "../../src/targets/docker/image/disk.ts";

export type Command = readonly [string, ...string[]];
/** What a pretended program does: its output, or a rejection. Undefined: there is no such program. */
export type Behaviour = (command: Command, options: RunOptions | StreamOptions) => Promise<string | undefined>;

/** Programs that only pretend; every command is noted in order. */
export function pretended(behave: Behaviour): {
  readonly programs: Processes & Streams;
  readonly ran: readonly string[];
} {
  const ran: string[] = [];
  const output = async (command: Command, options: RunOptions | StreamOptions): Promise<string> => {
    ran.push(command.join(" "));
    options.signal?.throwIfAborted();
    const said = await behave(command, options);
    if (said === undefined) throw new ProcessError(command, undefined, "", "could not run (ENOENT)");
    return said;
  };
  const lines = (text: string, onLine: (line: string) => void): void =>
    text.split("\n").filter(Boolean).forEach(onLine);
  return {
    ran,
    programs: {
      run: async (command, options = {}): Promise<Finished> => ({
        code: 0,
        stdout: await output(command, options),
        stderr: "",
      }),
      stream: async (command, onLine, options = {}) => lines(await output(command, options), onLine),
      pipe: async (from, to, onLine, options = {}) => {
        lines(await output(from, options), onLine);
        lines(await output(to, options), onLine);
      },
    },
  };
}

/** The failure of a program that says the given line. */
export function failure(command: Command, code: number, said: string): ProcessError {
  return new ProcessError(command, code, said, `ended with ${code}`);
}

/** A disk whose cache goes away with the running test. */
export function temporaryDisk(): Disk & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), "slipway-image-test-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return { ...diskWithCache(root), root };
}
