import type { Clock } from "../../src/host/clock.ts";
import type { Processes } from "../../src/host/processes.ts";
import { StoreError, type ClusterStore } from "../../src/store/store.ts";
import type { Engine } from "../../src/targets/docker/engine.ts";

/**
 * One run of the command line as a process that may die or sleep at any call. Its calls that can change the world are
 * counted from 1: engine calls other than GET, writes to the store, nudges, images that are loaded.
 * - `at` is asked before and after each of them: what it returns is awaited; `die()` makes it never return.
 * - After `die` nothing of the process happens any more: every call and every sleep of it stays open for ever.
 * - While it is held (`hold`), its calls and its sleeps do not return, as in a suspended laptop.
 */
export type OneProcess = {
  readonly calls: string[];
  readonly looks: { count: number };
  /** How many of its sleeps are pauses between two looks at the world: then it waits for time, else it is at work. */
  readonly polls: { count: number };
  at: (call: number, when: "before" | "after") => void;
  die(): void;
  hold(): () => void;
  /** Settles when it died. */
  readonly dead: Promise<void>;
  isDead(): boolean;
  isHeld(): boolean;
  change<T>(what: string, effect: () => Promise<T>): Promise<T>;
  look<T>(effect: () => Promise<T>): Promise<T>;
};

const never = new Promise<never>(() => {});

export function oneProcess(): OneProcess {
  let dead = false;
  let held: Promise<void> | undefined;
  let tell = (): void => {};
  const died = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const alive = async (): Promise<void> => {
    while (held !== undefined && !dead) await held;
    if (dead) await never;
  };
  const own: OneProcess = {
    calls: [],
    looks: { count: 0 },
    polls: { count: 0 },
    at: () => {},
    die() {
      dead = true;
      tell();
    },
    hold() {
      let wake = (): void => {};
      held = new Promise((resolve) => {
        wake = resolve;
      });
      return () => {
        held = undefined;
        wake();
      };
    },
    dead: died,
    isDead: () => dead,
    isHeld: () => held !== undefined,
    async change(what, effect) {
      await alive();
      const number = own.calls.push(what);
      own.at(number, "before");
      await alive();
      try {
        return await effect();
      } finally {
        if (!dead) own.at(number, "after");
        await alive();
      }
    },
    async look(effect) {
      await alive();
      own.looks.count++;
      try {
        return await effect();
      } finally {
        await alive();
      }
    },
  };
  return own;
}

/** Longer sleeps are the lock's keeper's, which sleeps whatever the operation does. */
const longestPoll = 1_000;

export function clockOf(own: OneProcess, clock: Clock): Clock {
  return {
    now: () => clock.now(),
    async sleep(milliseconds, signal) {
      const poll = milliseconds <= longestPoll ? 1 : 0;
      own.polls.count += poll;
      await clock.sleep(milliseconds, signal);
      own.polls.count -= poll;
      await own.look(async () => {});
    },
  };
}

export function engineOf(own: OneProcess, engine: Engine): Engine {
  return {
    bytes: (doing, path, call) => own.look(() => engine.bytes(doing, path, call)),
    stream: (doing, path) => own.look(() => engine.stream(doing, path)),
    hijack: (doing, path, body) => own.change(`POST ${path}`, () => engine.hijack(doing, path, body)),
    call: (doing, method, path, call) => {
      const effect = (): Promise<unknown> => engine.call(doing, method, path, call);
      // Old probes are nobody's: whether they are removed is no step.
      return method === "GET" || path === "/containers/prune"
        ? own.look(effect)
        : own.change(`${method} ${path}`, effect);
    },
  };
}

/** The operator's way to a store; like the real client it asks three times within half a second when nobody answers. */
export function storeOf(own: OneProcess, clock: Clock, find: () => ClusterStore | undefined): ClusterStore {
  const there = async (): Promise<ClusterStore> => {
    for (const pause of [100, 400, 0]) {
      const store = find();
      if (store !== undefined) return store;
      await clock.sleep(pause);
    }
    throw new StoreError("unreachable", "the gateway does not answer");
  };
  return {
    get: (key) => own.look(async () => (await there()).get(key)),
    list: (prefix) => own.look(async () => (await there()).list(prefix)),
    putIfAbsent: (key, value) => own.change(`putIfAbsent ${key}`, async () => (await there()).putIfAbsent(key, value)),
    putIfUnchanged: (key, value, version) =>
      own.change(`putIfUnchanged ${key}`, async () => (await there()).putIfUnchanged(key, value, version)),
    delete: (key, version) => own.change(`delete ${key}`, async () => (await there()).delete(key, version)),
  };
}

/** The commands that the Docker target runs, by their words. What it does not know is refused, so that nothing runs unseen. */
export function processesOf(commands: (readonly string[])[]): Processes {
  return {
    async run(command) {
      commands.push(command);
      const [, verb] = command;
      if (verb === "run") return { code: 0, stdout: "", stderr: "" };
      throw new Error(`the fake knows no command ${command.join(" ")}`);
    },
  };
}
