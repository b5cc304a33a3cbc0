import { it } from "vitest";
import { joinNext } from "../../src/components/etcd/join.ts";
import { tendNext } from "../../src/components/etcd/tend.ts";
import { etcdWorld, type EtcdSize } from "./etcd-world.ts";
import { explore } from "./explore.ts";
const all = { crash: true, lose: true, replace: true, replaceKeepingDisk: true, partition: true };
const few = { crash: true, lose: true, replace: true };
const cases: readonly (readonly [string, EtcdSize, number])[] = [
  ["5 all 1", { founders: 5, slots: 5, faults: few }, 1],
  ["3 few 9", { founders: 3, slots: 3, faults: few }, 9],
  ["3->1 leave", { founders: 3, slots: 3, faults: {crash:true, leave: true, lose:true,vanish:true} }, 3],
  ["1->3", { founders: 1, slots: 3, present:1, faults: {crash:true,lose:true} }, 4],
  ["3 late", { founders: 3, slots: 3, faults: {crash:true,lose:true, replace: true, late:true} }, 2],
  ["3 store", { founders: 3, slots: 3, faults: {crash:true,lose:true, storeLost:true} }, 3],
];
for (const [name, size, faults] of cases) it(name, () => {
  const t = Date.now();
  const outcome = explore(etcdWorld(size, { joinNext, tendNext }), faults);
  console.log(name, outcome.states, outcome.moves, Date.now() - t, outcome.broken);
}, 200000);
