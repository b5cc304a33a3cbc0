/** One way the world can move on: by a step of ours, by the outside, or by a fault that costs from the budget. */
export type Move<State> = {
  readonly name: string;
  /** 0: free; 1: a fault. */
  readonly cost: 0 | 1;
  readonly state: State;
  /** What this step breaks, if anything. */
  readonly broken?: string;
};

/** A world small enough to walk through entirely. */
export type World<State> = {
  readonly start: State;
  /** Equal for states that differ only by a renaming of nodes. */
  key(state: State): string;
  /** `faults`: also those that cost; to make them where none is left to spend is a third of the work. */
  moves(state: State, faults: boolean): Iterable<Move<State>>;
  /** The same state once all faults have stopped. */
  heal(state: State): State;
  /** The next step of a fair schedule without faults; `undefined`: nothing moves any more. */
  calm(state: State): State | undefined;
  /** What is wrong with a state in which nothing moves any more. */
  judge(state: State): string | undefined;
};

export type Outcome = {
  readonly states: number;
  readonly moves: number;
  /** The first violation with the steps that lead to it. */
  readonly broken: { readonly what: string; readonly trace: readonly string[] } | undefined;
};

type Visit<State> = { state: State | undefined; readonly from: number; readonly by: string };

/**
 * Breadth first, fault by fault: all states that so many faults can reach, then one fault more. From each state the
 * faults stop and the calm schedule must end in a state that `judge` accepts.
 */
export function explore<State>(world: World<State>, faults: number, limit = 5_000_000): Outcome {
  const seen = new Set<string>([world.key(world.start)]);
  const calmed = new Set<string>();
  const visits: Visit<State>[] = [{ state: world.start, from: -1, by: "start" }];
  let layer = [0];
  let moves = 0;
  for (let spent = 0; spent <= faults && layer.length > 0; spent++) {
    const later: number[] = [];
    for (let at = 0; at < layer.length; at++) {
      const index = layer[at] ?? 0;
      const visit = visits[index];
      const state = visit?.state;
      if (visit === undefined || state === undefined) throw new Error("a visit is missing");
      // Only the way here is kept: the state is done with after this round.
      visit.state = undefined;
      const unsettled = settle(world, world.heal(state), calmed);
      if (unsettled !== undefined)
        return {
          states: seen.size,
          moves,
          broken: { what: unsettled.what, trace: [...trace(visits, index), ...unsettled.steps] },
        };
      for (const move of world.moves(state, spent < faults)) {
        if (move.cost === 1 && spent === faults) throw new Error(`${move.name} costs a fault, and none is left`);
        moves++;
        if (move.broken !== undefined) {
          return {
            states: seen.size,
            moves,
            broken: { what: move.broken, trace: [...trace(visits, index), move.name] },
          };
        }
        // A costly move is looked at again in its own layer: another path may get there for less.
        const key = world.key(move.state);
        if (seen.has(key)) continue;
        if (move.cost === 0) {
          seen.add(key);
          layer.push(visits.push({ state: move.state, from: index, by: move.name }) - 1);
        } else later.push(visits.push({ state: move.state, from: index, by: move.name }) - 1);
        if (visits.length > limit) throw new Error(`more than ${limit} states`);
      }
    }
    layer = [];
    for (const index of later) {
      const visit = visits[index];
      if (visit?.state === undefined) continue;
      const key = world.key(visit.state);
      if (seen.has(key)) visit.state = undefined;
      else {
        seen.add(key);
        layer.push(index);
      }
    }
  }
  return { states: seen.size, moves, broken: undefined };
}

/** Runs the calm schedule to its end; `calmed` remembers states that are known to end well. */
function settle<State>(
  world: World<State>,
  start: State,
  calmed: Set<string>,
): { readonly what: string; readonly steps: readonly string[] } | undefined {
  const path = new Set<string>();
  let state = start;
  for (;;) {
    const key = world.key(state);
    if (calmed.has(key)) break;
    if (path.has(key))
      return {
        what: "never settles: the same steps come round again",
        steps: [`calm: ${path.size} steps`],
      };
    path.add(key);
    const next = world.calm(state);
    if (next === undefined) {
      const what = world.judge(state);
      if (what !== undefined) return { what, steps: [`calm: ${path.size} steps`] };
      break;
    }
    state = next;
  }
  for (const key of path) calmed.add(key);
  return undefined;
}

function trace<State>(visits: readonly Visit<State>[], index: number): string[] {
  const steps: string[] = [];
  for (let at = index; at >= 0;) {
    const visit = visits[at];
    if (visit === undefined) break;
    steps.push(visit.by);
    at = visit.from;
  }
  return steps.toReversed();
}
