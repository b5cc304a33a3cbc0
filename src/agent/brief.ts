import type { Engine } from "../components/docker/engine.ts";
import type { Clock } from "../host/clock.ts";
import type { ClusterStore } from "../store/store.ts";

/** How long one answer serves several reconcilers of a round, milliseconds: shorter than anything that decides waits. */
const fresh = 250;

/** Remembers answers for a moment; anything that may change them forgets all. */
class Moment {
  readonly #clock: Clock;
  readonly #answers = new Map<string, { readonly at: number; readonly answer: Promise<unknown> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask<Answer>(question: string, look: () => Promise<Answer>): Promise<Answer> {
    const now = this.#clock.now();
    const there = this.#answers.get(question);
    // The question determines what kind of answer lies there.
    if (there !== undefined && now - there.at < fresh) return there.answer as Promise<Answer>;
    if (this.#answers.size > 500) this.#answers.clear();
    const answer = look();
    this.#answers.set(question, { at: now, answer });
    return answer;
  }

  async changing<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    this.#answers.clear();
    try {
      return await act();
    } finally {
      this.#answers.clear();
    }
  }
}

/** A store whose answers serve all reconcilers of one moment: they ask for the same records. Writes are never remembered. */
export function briefStore(store: ClusterStore, clock: Clock): ClusterStore {
  const moment = new Moment(clock);
  return {
    get: (key) => moment.ask(`get ${key}`, () => store.get(key)),
    list: (prefix) => moment.ask(`list ${prefix}`, () => store.list(prefix)),
    putIfAbsent: (key, value) => moment.changing(() => store.putIfAbsent(key, value)),
    putIfUnchanged: (key, value, version) => moment.changing(() => store.putIfUnchanged(key, value, version)),
    delete: (key, version) => moment.changing(() => store.delete(key, version)),
  };
}

/** The same for the node's engine. */
export function briefEngine(engine: Engine, clock: Clock): Engine {
  const moment = new Moment(clock);
  return {
    call: (method, path, ...rest) =>
      method === "GET"
        ? moment.ask(path, () => engine.call(method, path, ...rest))
        : moment.changing(() => engine.call(method, path, ...rest)),
  };
}
