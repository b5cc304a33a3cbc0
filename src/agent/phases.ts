import type { Clock } from "../host/clock.ts";

/** When each phase of this boot began and was first settled, for the waterfall. Milliseconds since 1970. */
export class Phases {
  readonly #clock: Clock;
  readonly #from = new Map<string, number>();
  readonly #settled: Record<string, { from: number; to: number }> = {};

  #current = "boot";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(phase: string): void {
    this.#current = phase;
    if (!this.#from.has(phase)) this.#from.set(phase, this.#clock.now());
  }

  end(phase: string): void {
    const from = this.#from.get(phase);
    if (from !== undefined && this.#settled[phase] === undefined)
      this.#settled[phase] = { from, to: this.#clock.now() };
  }

  /** The phase that was begun last. */
  get current(): string {
    return this.#current;
  }

  get settled(): Readonly<Record<string, { from: number; to: number }>> {
    return this.#settled;
  }
}
