import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pace, Patience } from "../../src/agent/pace.ts";
import { reconcile } from "../../src/agent/reconcile.ts";
import { act, settled, wait, type Next, type Reconciler } from "../../src/components/reconciler.ts";
import type { NodePorts } from "../../src/components/node.ts";
import { seededRandom } from "../../src/host/virtual.ts";
import { memoryNode } from "./memory-node.ts";

describe("the pause between rounds", () => {
  test("is never zero and never longer than six and a quarter seconds, whatever happens", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 300 }), (seed, rounds) => {
        const own = pace(seededRandom(seed));
        for (const [isSettled, moved] of rounds) {
          const next = own.next(isSettled, moved);
          expect(next).toBeGreaterThanOrEqual(50);
          expect(next).toBeLessThanOrEqual(6_250);
        }
      }),
    );
  });

  test("is short while things move and grows while nothing does", () => {
    const own = pace(seededRandom(1));
    const first = Array.from({ length: 50 }, () => own.next(false, false));
    expect(Math.max(...first)).toBeLessThanOrEqual(100);
    const later = Array.from({ length: 100 }, () => own.next(false, false));
    expect(later.at(-1)).toBeGreaterThan(900);
    expect(own.next(false, true)).toBeLessThanOrEqual(100);
  });

  test("differs between nodes, so that they do not ask in step", () => {
    const pauses = Array.from({ length: 50 }, (_, seed) => Math.round(pace(seededRandom(seed)).next(true, false)));
    expect(new Set(pauses).size).toBeGreaterThan(40);
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(500);
  });
});

describe("patience with what was asked for", () => {
  test("looks often for a minute, and again when something else is asked for", () => {
    const patience = new Patience();
    expect(patience.rests("r1 0", "web: 0 of 2 tasks run", 1_000_000)).toBe(false);
    expect(patience.rests("r1 0", "web: 1 of 2 tasks run", 1_059_000)).toBe(false);
    // A service whose tasks come and go is no reason to look for ever.
    expect(patience.rests("r1 0", "web: 0 of 2 tasks run", 1_061_000)).toBe(true);
    expect(patience.rests("r1 1", "web: 0 of 2 tasks run", 2_000_000)).toBe(false);
  });

  test("rests when nothing is waited for", () => {
    const patience = new Patience();
    expect(patience.rests("r1 0", "web: 1 of 2 tasks run", 1_000)).toBe(false);
    expect(patience.rests("r1 0", "", 1_100)).toBe(true);
  });
});

describe("bringing one reconciler to rest", () => {
  const counting = (
    next: (acts: number) => Next<"go">,
    perform: () => void = () => {},
  ): { reconciler: Reconciler<number, "go", NodePorts>; acts: () => number } => {
    let acts = 0;
    return {
      acts: () => acts,
      reconciler: {
        phase: "test",
        look: async () => acts,
        next,
        perform: async () => {
          acts++;
          perform();
        },
      },
    };
  };
  const { ports } = memoryNode();

  test("acts until it is settled, with a fresh look each time", async () => {
    const { reconciler, acts } = counting((done) => (done < 3 ? act("go") : settled));
    expect(await reconcile(reconciler, ports)).toEqual({ kind: "settled" });
    expect(acts()).toBe(3);
  });

  test("gives the reason for which it waits", async () => {
    const { reconciler } = counting(() => wait("no quorum", ["a line"]));
    expect(await reconcile(reconciler, ports)).toEqual({ kind: "waits", why: { text: "no quorum", log: ["a line"] } });
  });

  test("an act that fails is a reason to wait, not the end", async () => {
    const { reconciler, acts } = counting(
      () => act("go"),
      () => {
        throw new Error("the engine is down");
      },
    );
    expect(await reconcile(reconciler, ports)).toEqual({ kind: "waits", why: { text: "the engine is down" } });
    expect(acts()).toBe(1);
  });

  test("one that never rests does not starve the others", async () => {
    const { reconciler, acts } = counting(() => act("go"));
    expect((await reconcile(reconciler, ports)).kind).toBe("waits");
    expect(acts()).toBe(12);
  });
});
