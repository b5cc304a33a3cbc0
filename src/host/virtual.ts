import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** A clock that stands still until it is told to go on; `skew` clocks share its time and read another one. */
export interface VirtualClock extends Clock {
  /** Lets so many milliseconds pass, waking every sleeper in order and letting all that follows settle. */
  advance(milliseconds: number): Promise<void>;
  /** The same time as read by a machine whose clock is wrong by so many milliseconds. */
  skewed(milliseconds: number): Clock;
  /** How many sleep now. */
  sleeping(): number;
}

type Sleeper = { readonly at: number; readonly wake: () => void };

/** A virtual clock that starts at the given milliseconds since 1970. */
export function virtualClock(start = 1_700_000_000_000): VirtualClock {
  let time = start;
  const sleepers = new Set<Sleeper>();

  const sleep: Clock["sleep"] = (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const sleeper = { at: time + Math.max(0, milliseconds), wake: done };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", done, { once: true });
    });

  return {
    now: () => time,
    sleep,
    async advance(milliseconds) {
      const end = time + milliseconds;
      await settle();
      for (;;) {
        let next: Sleeper | undefined;
        for (const sleeper of sleepers)
          if (sleeper.at <= end && (next === undefined || sleeper.at < next.at)) next = sleeper;
        if (next === undefined) break;
        time = next.at;
        next.wake();
        await settle();
      }
      time = end;
    },
    skewed: (milliseconds) => ({ now: () => time + milliseconds, sleep }),
    sleeping: () => sleepers.size,
  };
}

/** Everything that promises alone can bring about has happened. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Randomness that repeats itself for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    hex: (bytes) =>
      Array.from({ length: bytes }, () =>
        Math.floor(fraction() * 256)
          .toString(16)
          .padStart(2, "0"),
      ).join(""),
  };
}
