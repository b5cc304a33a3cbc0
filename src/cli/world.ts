import type { Operations } from "./operations.ts";
import type { Clock } from "../host/clock.ts";
import type { Processes } from "../host/processes.ts";
import type { Random } from "../host/random.ts";
import type { Context } from "../operations/context.ts";
import type { AwsWhere } from "../targets/registry.ts";
import type { Target } from "../targets/target.ts";
import type { FilesSettings, TargetName } from "../cluster/cluster.ts";

/** Standard output or error: a stream that may be a terminal. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** Has something done when the process ends, however it ends; gives the way to take that back. */
export type AtExit = (call: () => void) => () => void;

/** Files of the caller, by paths relative to the working directory. */
type Files = {
  read(path: string): Promise<Uint8Array>;
  /** Fails when the file exists, but with `replace`. */
  write(path: string, content: string | Uint8Array, replace: boolean): Promise<void>;
  /** For the caller's eyes only: file 0600, in a folder that is made 0700 where it is not there. Replaces. */
  writePrivate(path: string, content: string): Promise<void>;
  exists(path: string): boolean;
  absolute(path: string): string;
};

/** All of the outside that the command line touches; tests bring their own. */
export type World = {
  /** How the program is called, for "the same command again". */
  readonly program: string;
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: { readonly terminal: boolean };
  /** All of standard input, as bytes. */
  readonly readInput: () => Promise<Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly atExit: AtExit;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  readonly owner: () => Context["owner"];
  readonly files: Files;
  /** A folder of the user for a cluster's keys. */
  readonly privateFolder: (cluster: string) => string;
  /** Runs a program on the caller's own terminal; gives its exit code. */
  readonly interactive: (command: readonly [string, ...string[]]) => Promise<number>;
  /** `aws`: what the file says of it. */
  readonly openTarget: (name: TargetName, files: FilesSettings | undefined, aws?: AwsWhere) => Promise<Target>;
  /** The programs that nodes run, by the names under which a store hands them out. */
  readonly programs: Readonly<Record<string, string>>;
  /** Joins standard input and output to a unix socket, until either end is done. */
  readonly bridge: (socket: string) => Promise<void>;
  readonly operations: Operations;
  readonly prompts: () => Promise<Prompts>;
};

/** The questions that the command line asks; cancelled is `undefined`. */
export type Prompts = {
  text(question: string, initial: string, validate: (value: string) => string | undefined): Promise<string | undefined>;
  choose(question: string, options: readonly string[], initial: string): Promise<string | undefined>;
  confirm(question: string): Promise<boolean | undefined>;
};
