import type { Clock } from "../../../src/host/clock.ts";

/** The clock of one program that is under test; what it sleeps ends with it. */
export interface ClientClock extends Clock {
  /** Nothing that sleeps by this clock wakes any more. */
  end(): void;
}

/** Time that passes only when all that could still happen at this moment has happened. */
export interface StandInClock extends Clock {
  /** For what AWS does by itself: its sleeping makes no time pass, but wakes where others let time pass. */
  readonly inner: Clock;
  /** How many times faster than AWS the stand-in does what takes time: for tests to which durations are no matter. */
  haste: number;
  client(): ClientClock;
  /** Time stands until the given function is called; `client`: then a program under test goes on. */
  hold(client?: boolean): () => void;
  /** Lets so many milliseconds pass, whoever sleeps. */
  advance(milliseconds: number): Promise<void>;
  /** Resolves when nothing more happens without time passing. */
  settled(): Promise<void>;
  /** Nobody who sleeps now wakes any more. */
  clear(): void;
}

type Sleeper = { readonly at: number; readonly client: boolean; readonly wake: () => void };

/**
 * When somebody under test sleeps, and nothing is under way, the next who sleeps is woken: a launch of ten minutes takes as
 * long as its requests do. What programs do beside sleeping and asking (signing, files) is not seen; so after one of theirs
 * has been woken or answered, Node's threads are asked whether they have done what they were asked before anybody else is.
 */
export function standInClock(start = Date.parse("2026-11-21T12:00:00Z")): StandInClock {
  let time = start;
  let holds = 0;
  /** Counts what happens, so that quiet can be seen. */
  let happenings = 0;
  /** A program under test was woken or answered, and may be doing what is not seen here. */
  let stirred = true;
  let pumping = false;
  const sleepers = new Set<Sleeper>();

  const sleeping =
    (client: boolean, own?: Set<() => void>): Clock["sleep"] =>
    (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const leave = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", done);
          own?.delete(leave);
        };
        const done = (): void => {
          happenings++;
          if (client) stirred = true;
          leave();
          resolve();
        };
        const sleeper: Sleeper = { at: time + Math.max(0, milliseconds), client, wake: done };
        happenings++;
        sleepers.add(sleeper);
        own?.add(leave);
        signal?.addEventListener("abort", done, { once: true });
        if (client) pump();
      });

  const settled = async (): Promise<void> => {
    for (;;) {
      const seen = happenings;
      const real = stirred;
      stirred = false;
      for (let turn = 0; turn < 3; turn++) await immediate();
      if (real) await threads();
      if (holds > 0) await moment();
      if (holds === 0 && seen === happenings && !stirred) return;
    }
  };

  const next = (end = Infinity): Sleeper | undefined => {
    let found: Sleeper | undefined;
    for (const sleeper of sleepers)
      if (sleeper.at <= end && (found === undefined || sleeper.at < found.at)) found = sleeper;
    return found;
  };

  const wake = (sleeper: Sleeper): void => {
    time = Math.max(time, sleeper.at);
    sleeper.wake();
  };

  const pump = (): void => {
    if (pumping) return;
    pumping = true;
    void (async () => {
      for (;;) {
        await settled();
        const one = next();
        if (one === undefined || ![...sleepers].some(({ client }) => client)) break;
        wake(one);
      }
      pumping = false;
    })();
  };

  const inner = sleeping(false);
  const clock: StandInClock = {
    now: () => time,
    sleep: sleeping(true),
    haste: 1,
    inner: {
      now: () => time,
      // Who sleeps until a moment, and looks whether it has come, would come ever nearer and never there.
      sleep: (milliseconds, signal) =>
        inner(Math.max(milliseconds / clock.haste, Math.min(milliseconds, shortest)), signal),
    },
    client() {
      const own = new Set<() => void>();
      return {
        now: () => time,
        sleep: sleeping(true, own),
        end() {
          for (const leave of own) leave();
        },
      };
    },
    hold(client = true) {
      let held = true;
      holds++;
      happenings++;
      return () => {
        if (!held) return;
        held = false;
        holds--;
        happenings++;
        if (client) stirred = true;
      };
    },
    async advance(milliseconds) {
      const end = time + milliseconds;
      for (;;) {
        await settled();
        const one = next(end);
        if (one === undefined) break;
        wake(one);
      }
      time = Math.max(time, end);
    },
    settled,
    clear: () => sleepers.clear(),
  };
  return clock;
}

/** Milliseconds; what is shorter is not hastened. */
const shortest = 500;

function immediate(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A moment of real time. */
function moment(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1);
  });
}

/** Steps of a signature, each of which is done on another thread (aws4fetch: about as many). */
const steps = 16;
const nothing = new Uint8Array(1);

/**
 * Node's threads take what they are asked in turn: when a small thing asked now is done, so is what a program asked before. On
 * a busy machine that is surer than any moment of real time.
 */
async function threads(): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await crypto.subtle.digest("SHA-256", nothing);
    await immediate();
  }
}
