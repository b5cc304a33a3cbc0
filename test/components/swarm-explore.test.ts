import { describe, expect, it } from "vitest";
import { formNext } from "../../src/components/swarm/form.ts";
import { explore } from "./explore.ts";
import { mutated, type Edit } from "./mutate.ts";
import { swarmWorld, type SwarmSize } from "./swarm-world.ts";

const faults = {
  vanish: true,
  sleep: true,
  lose: true,
  partition: true,
  late: true,
  storeLost: true,
};
const worlds: readonly (readonly [string, SwarmSize, number])[] = [
  ["one manager, all faults up to three", { slots: 1, spares: 1, faults }, 3],
  ["two managers race, all faults up to three", { slots: 2, spares: 0, faults }, 3],
  ["three managers, up to two faults", { slots: 3, spares: 0, faults: { ...faults, partition: false } }, 2],
  [
    "two managers, a spare and a worker, up to two faults",
    { slots: 2, spares: 1, workers: 1, faults: { ...faults, partition: false } },
    2,
  ],
];

describe("however the first managers race, one swarm comes out", () => {
  it.each(worlds)("%s", (_, size, budget) => {
    const outcome = explore(swarmWorld(size, formNext), budget);
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
    "join tokens are never published",
    [form('return act({ kind: "publishTokens", manager, worker });', "return settled;")],
    0,
  ],
];

describe("each of these mistakes in the swarm's forming is caught", () => {
  it.each(mutants)("%s", async (_, edits, budget) => {
    const mutant = await mutated(edits);
    const outcome = explore(swarmWorld(two, mutant.formNext), budget);
    expect(outcome.broken).toBeDefined();
  });
});
