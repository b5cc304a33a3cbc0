import { describe, expect, it } from "vitest";
import { joinNext } from "../../src/components/etcd/join.ts";
import { tendNext } from "../../src/components/etcd/tend.ts";
import { etcdWorld, type EtcdSize } from "./etcd-world.ts";
import { explore } from "./explore.ts";

const all = { crash: true, lose: true, replace: true, replaceKeepingDisk: true, partition: true };
const cases: readonly (readonly [string, EtcdSize, number])[] = [
  ["1", { founders: 1, slots: 1, faults: all }, 99],
  ["3, 0 faults", { founders: 3, slots: 3, faults: all }, 0],
  ["3, 1 faults", { founders: 3, slots: 3, faults: all }, 1],
  ["3, 2 faults", { founders: 3, slots: 3, faults: all }, 2],
];
describe("etcd", () => {
  for (const [name, size, faults] of cases) {
    it(name, () => {
      const t = Date.now();
      const outcome = explore(etcdWorld(size, { joinNext, tendNext }), faults);
      console.log(name, outcome.states, outcome.moves, Date.now() - t, outcome.broken);
      expect(outcome.broken).toBeUndefined();
    });
  }
});
