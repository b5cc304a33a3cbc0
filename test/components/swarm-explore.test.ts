import { describe, expect, it } from "vitest";
import { formNext } from "../../src/components/swarm/form.ts";
import { turned } from "../../src/components/swarm/turn.ts";
import { explore } from "./explore.ts";
import { mutated, type Edit } from "./mutate.ts";
import { swarmWorld, type SwarmSize } from "./swarm-world.ts";

const faults = {
  vanish: true,
  sleep: true,
  lose: true,
  tear: true,
  partition: true,
  late: true,
  storeLost: true,
};
const worlds: readonly (readonly [string, SwarmSize, number])[] = [
  ["one manager, all faults up to three", { slots: 1, spares: 1, faults }, 3],
  ["two managers race, all faults up to three", { slots: 2, spares: 0, faults }, 3],
  ["three managers, up to two faults", { slots: 3, spares: 0, faults: { ...faults, partition: false } }, 2],
  [
    "three managers, killed and cut off while they enter, up to two faults",
    { slots: 3, spares: 0, faults: { tear: true, partition: true } },
    2,
  ],
  ["four managers, killed while they enter, up to two faults", { slots: 4, spares: 0, faults: { tear: true } }, 2],
  ["two managers and a spare, up to two faults", { slots: 2, spares: 1, faults: { ...faults, partition: false } }, 2],
  [
    "two managers, a spare and a worker, one fault",
    { slots: 2, spares: 1, workers: 1, faults: { ...faults, partition: false } },
    1,
  ],
];

describe("however the first managers race, one swarm comes out", () => {
  it.each(worlds)("%s", (_, size, budget) => {
    const outcome = explore(swarmWorld(size, { formNext, turned }), budget);
    expect(outcome.broken).toBeUndefined();
    expect(outcome.states).toBeGreaterThan(100);
  });
});

const form = (find: string, replace: string): Edit => ({
  file: "src/components/swarm/form.ts",
  find,
  replace,
});
const two: SwarmSize = { slots: 2, spares: 1, faults: { ...faults, partition: false } };
const turn = (find: string, replace: string): Edit => ({ file: "src/components/swarm/turn.ts", find, replace });
const three: SwarmSize = { slots: 3, spares: 0, faults: { tear: true, partition: true, late: true } };
const four: SwarmSize = { slots: 4, spares: 0, faults: { tear: true, late: true } };
const mutants: readonly (readonly [string, readonly Edit[], number])[] = [
  [
    "each makes its own swarm",
    [
      form(
        'if (now === undefined) return act({ kind: "claim", epoch: 1 });',
        'if (now === undefined) return act({ kind: "init" });',
      ),
    ],
    1,
  ],
  [
    "the claim of one that lives is taken over",
    [form('if (standing(view.roster, now.instance) !== "gone")', 'if (view.roster.kind === "unknown")')],
    0,
  ],
  [
    "one that lost stays in its own swarm",
    [
      form(
        'if (published !== undefined) return act({ kind: "leave", why: `swarm ${published} was published` });',
        "if (published !== undefined) return settled;",
      ),
    ],
    2,
  ],
  [
    "who joined leaves for what a foreign store says",
    [
      form(
        "if (mark !== undefined) return wait(foreign(mark, published));\n  if (published !== undefined)",
        "if (published !== undefined)",
      ),
    ],
    3,
  ],
  [
    "who joined makes a new swarm in an empty store",
    [form("if (mark !== undefined && published !== mark) return wait(foreign(mark, published));", "")],
    2,
  ],
  [
    "a swarm is published that its engine was killed while making",
    [form("if (!state.made)", 'if (!state.made && state.clusterId === "")')],
    1,
  ],
  [
    "join tokens are never published",
    [form('return act({ kind: "publishTokens", manager, worker });', "return settled;")],
    0,
  ],
];
const turnMutants: readonly (readonly [string, readonly Edit[], SwarmSize, number])[] = [
  [
    "the swarm is never made whole",
    [turn('return leaderless ? act({ kind: "decideWhole" }) : undefined;', "return undefined;")],
    three,
    1,
  ],
  [
    "it is made whole although it has grown",
    [
      turn('if (now.grown || standing(roster, me.instance) !== "present") return undefined;', ""),
      turn("return first === me && !grown && !whole ?", "return first === me && !whole ?"),
    ],
    three,
    1,
  ],
  [
    "it is made whole before the others have left",
    [turn("return there.length === 0 ?", "return there.length >= 0 ?")],
    three,
    0,
  ],
  [
    "who gives its turn up has not left",
    [turn("return joined ? undefined : leaveTo(now);", 'return act({ kind: "giveTurn" });')],
    three,
    0,
  ],
  [
    "a turn ends while the swarm is made whole",
    [
      turn("return mine && !whole ?", "return mine ?"),
      turn("if (now.whole) {", "if (now.whole && now.first === first) {"),
    ],
    three,
    0,
  ],
  [
    "as many enter as like to",
    [turn('[first, ...full].filter((other) => standing(roster, other) !== "gone").length - 1', "9")],
    four,
    1,
  ],
  ["more enter than there is room for by now", [turn("!whole && joining.length < done.room ?", "!whole ?")], four, 2],
  ["a turn never ends", [turn('if (now.joining.includes(first)) return act({ kind: "endTurn" });', "")], three, 0],
];

describe("each of these mistakes in the swarm's forming is caught", () => {
  it.each(mutants)("%s", async (_, edits, budget) => {
    const mutant = await mutated(edits);
    const outcome = explore(swarmWorld(two, mutant), budget);
    expect(outcome.broken).toBeDefined();
  });
  it.each(turnMutants)("%s", async (_, edits, size, budget) => {
    const mutant = await mutated(edits);
    const outcome = explore(swarmWorld(size, mutant), budget);
    expect(outcome.broken).toBeDefined();
  });
});
