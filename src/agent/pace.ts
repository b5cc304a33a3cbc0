import type { Random } from "../host/random.ts";

const fastest = 100;
const slowestWaiting = 2_000;
/** Whoever changes something tells the nodes to look at once; at rest they look by themselves only this often. */
const usualRest = 5_000;
const patience = 60_000;

/**
 * How long to pause before the next round, milliseconds: short while things move, longer the longer nothing does,
 * with full jitter so that many nodes do not ask the store in step. There is no last attempt.
 */
export function pace(random: Random, atRest = usualRest): { next(settled: boolean, moved: boolean): number } {
  let idle = 0;
  return {
    next(settled, moved) {
      if (settled) {
        idle = 0;
        return atRest * (0.75 + random.fraction() / 2);
      }
      idle = moved ? 0 : idle + 1;
      // Formation is a matter of seconds: the pause grows only after the first fifty rounds without a change.
      const limit = Math.min(slowestWaiting, fastest * 2 ** Math.max(0, (idle - 50) / 8));
      return limit * (0.5 + random.fraction() / 2);
    },
  };
}

/** For how long what was asked for is looked at often, while it does not come about: what takes longer has time. */
export class Patience {
  #asked = "";
  #since = 0;

  /** Whether it is time to rest: nothing is waited for, or what is was asked for long ago. `now`: milliseconds. */
  rests(asked: string, waiting: string, now: number): boolean {
    if (asked !== this.#asked) this.#since = now;
    this.#asked = asked;
    return waiting === "" || now - this.#since > patience;
  }
}
