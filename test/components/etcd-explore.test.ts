import { describe, expect, it } from "vitest";
import { joinNext } from "../../src/components/etcd/join.ts";
import { tendNext } from "../../src/components/etcd/tend.ts";
import type { EtcdSize } from "./etcd-state.ts";
import { etcdWorld } from "./etcd-world.ts";
import { explore } from "./explore.ts";

const any = Number.POSITIVE_INFINITY;
const disks = { crash: true, lose: true, replace: true };
const all = { ...disks, replaceKeepingDisk: true, partition: true, storeLost: true, late: true };

/**
 * Steps of all instances in every order. Crashes, lost answers and partitions (of one at a time) are free; the number
 * bounds all other faults together. Last: how many states there are at least, so that a world that stopped moving is seen.
 */
const worlds: readonly (readonly [string, EtcdSize, number, number])[] = [
  ["one founder, any faults, as many as you like", { founders: 1, slots: 1, faults: all }, any, 200],
  ["one founder, the store forgets", { founders: 1, slots: 1, faults: { ...disks, storeLost: true } }, any, 50],
  [
    "three founders, disks lost as often as you like",
    { founders: 3, slots: 3, faults: { crash: true, lose: true } },
    any,
    5_000,
  ],
  [
    "three founders, disks lost and instances replaced, three faults",
    { founders: 3, slots: 3, faults: disks },
    3,
    80_000,
  ],
  ["three founders, any one fault", { founders: 3, slots: 3, faults: all }, 1, 5_000],
  [
    "three founders, decisions carried out late while disks are lost, two faults",
    { founders: 3, slots: 3, faults: { ...disks, late: true } },
    2,
    30_000,
  ],
  [
    "one grows to three, up to four faults",
    { founders: 1, slots: 3, present: 1, faults: { crash: true, lose: true, vanish: true } },
    4,
    5_000,
  ],
  [
    "three shrink, up to two faults",
    { founders: 3, slots: 3, faults: { crash: true, leave: true, vanish: true } },
    2,
    5_000,
  ],
  [
    "three and a fourth address, up to two faults",
    { founders: 3, slots: 4, present: 3, faults: { lose: true, vanish: true } },
    2,
    2_000,
  ],
  ["five founders, one fault", { founders: 5, slots: 5, faults: { lose: true, replace: true, leave: true } }, 1, 5_000],
];

// About a minute more: the same without a bound (413,498 states).
const long: typeof worlds = [
  [
    "three founders, disks lost and instances replaced as often as you like",
    { founders: 3, slots: 3, faults: disks },
    any,
    400_000,
  ],
];

describe("etcd forms once, keeps its data and comes to rest", () => {
  it.each(process.env["SLIPWAY_EXPLORE"] === "all" ? [...worlds, ...long] : worlds)(
    "%s",
    { timeout: 300_000 },
    (_, size, faults, least) => {
      const outcome = explore(etcdWorld(size, { joinNext, tendNext }), faults);
      expect(outcome.broken).toBeUndefined();
      expect(outcome.states).toBeGreaterThan(least);
    },
  );
});
