import { emitter, type Emit, type Event } from "../events/event.ts";
import { pasteable } from "../host/processes.ts";
import type { Context } from "../operations/context.ts";
import type { TargetName } from "../cluster/cluster.ts";
import { exits, type Exit } from "./exit.ts";
import { failureJson, failureText } from "./failure-text.ts";
import { failureOf, UsageError, type Failure } from "./failure.ts";
import type { Common, Toggle } from "./flags.ts";
import { placeOf } from "./place.ts";
import { neutralLines } from "./views/neutral.ts";
import { isLive, themeOf, type Theme } from "./views/theme.ts";
import type { View } from "./views/view.ts";
import type { World } from "./world.ts";

/** Words that could come next, for a command line whose last word is begun. */
export type Propose = (
  words: readonly string[],
) => Promise<readonly { readonly value: string; readonly description: string }[]>;

/** One call of one verb: its streams, its looks, and the way to the operations. */
export type Session = {
  readonly world: World;
  readonly flags: Common;
  /** The words after `--`. */
  readonly command: readonly string[] | undefined;
  readonly propose: Propose;
  /** How results look. */
  readonly out: Theme;
  /** How remarks look. */
  readonly err: Theme;
  /** Text for people on standard output; ends with a line end. */
  readonly print: (text: string) => void;
  /** One JSON document on standard output. */
  readonly document: (value: unknown) => void;
  /** A remark beside the result: on standard error, not with `--quiet` or `--json`. */
  readonly note: (text: string) => void;
  /** An error line for people beside a result that is given all the same. */
  readonly complain: (text: string) => void;
  /** Whether standard output is a terminal to draw on. */
  readonly live: boolean;
  /** Whether questions may be asked. */
  readonly mayAsk: boolean;
  /** Asks, or fails naming `--yes`; `false` when the answer is no. */
  readonly confirm: (question: string, yes: Toggle) => Promise<boolean>;
  /** The answer was no: says that nothing was done. */
  readonly declined: () => Exit;
  /** For operations that only look: events other than warnings are not shown. */
  readonly looking: (target?: TargetName) => Promise<Context>;
  /** For operations that act: shows what happens, and keeps the events. */
  readonly working: (target?: TargetName) => Promise<{ readonly context: Context; readonly events: readonly Event[] }>;
  /** Leaves the terminal as it was; may be called twice. */
  readonly close: () => void;
  /** Shows what was thrown and gives the exit code's word. */
  readonly fail: (error: unknown) => Exit;
};

export function openSession(
  world: World,
  flags: Common,
  { command, propose }: { readonly command: readonly string[] | undefined; readonly propose: Propose },
): Session {
  const out = themeOf(world.stdout, world.environment, flags.noColor === true);
  const err = themeOf(world.stderr, world.environment, flags.noColor === true);
  const mayAsk = world.stdin.terminal && world.stdout.isTTY === true && flags.json !== true;
  let view: View | undefined;

  const opened = async (target: TargetName | undefined): Promise<Context["target"]> => {
    const place = await placeOf(world, flags, target);
    return world.openTarget(place.target, place.files, place.aws);
  };
  const contextOf = async (emit: Emit, target: TargetName | undefined): Promise<Context> => ({
    target: await opened(target),
    emit,
    signal: world.signal,
    clock: world.clock,
    random: world.random,
    processes: world.processes,
    owner: world.owner(),
    environment: world.environment,
    readFile: (path) => world.files.read(path),
  });
  const lines = async (quiet: boolean): Promise<View> =>
    (await import("./views/plain.ts")).plainView(world.stderr, err, quiet);
  const progress = async (): Promise<View> => {
    if (flags.json) return (await import("./views/ndjson.ts")).ndjsonView(world.stdout);
    if (flags.quiet || !isLive(world.stderr, world.environment)) return lines(flags.quiet === true);
    return (await import("./views/terminal.ts")).terminalView(world.stderr, err, world.clock, world.atExit);
  };

  return {
    world,
    flags,
    command,
    propose,
    out,
    err,
    mayAsk,
    print: (text) => void world.stdout.write(text.endsWith("\n") ? text : `${text}\n`),
    document: (value) => void world.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    note: (text) => {
      if (!flags.quiet && !flags.json) world.stderr.write(`${text}\n`);
    },
    complain: (text) => void world.stderr.write(`${err.paint("bad", "error:")} ${neutralLines(text)}\n`),
    live: flags.json !== true && flags.noColor !== true && isLive(world.stdout, world.environment),
    confirm: async (question, yes) => {
      if (yes) return true;
      if (!mayAsk) throw new UsageError(`${question} Nobody can be asked here`, `${again(world)} --yes`);
      return (await (await world.prompts()).confirm(question)) === true;
    },
    declined: () => {
      world.stderr.write("nothing was done\n");
      return "failed";
    },
    looking: async (target) => {
      view = await lines(true);
      return contextOf(
        emitter(() => world.clock.now(), view.listen),
        target,
      );
    },
    working: async (target) => {
      const events: Event[] = [];
      view = await progress();
      const context = await contextOf(
        emitter(
          () => world.clock.now(),
          view.listen,
          (event) => void events.push(event),
        ),
        target,
      );
      return { context, events };
    },
    close: () => view?.close(),
    fail: (error) => {
      const interrupted = world.signal.aborted;
      const failure: Failure = interrupted
        ? { exit: "interrupted", message: "interrupted; the state is safe", next: again(world) }
        : withCommand(failureOf(error), world);
      const debug = (world.environment["SLIPWAY_DEBUG"] ?? "") !== "";
      if (flags.json) world.stdout.write(failureJson(error, failure, exits[failure.exit]));
      else world.stderr.write(failureText(error, failure, err, debug));
      return failure.exit;
    },
  };
}

/** Who finds the lock held can only come again. */
function withCommand(failure: Failure, world: World): Failure {
  return failure.exit === "locked" ? { ...failure, next: `${again(world)} (when that is done)` } : failure;
}

/** The command that was given, to paste once more. */
function again(world: World): string {
  return pasteable([world.program, ...world.words]);
}
