import { expect, it } from "vitest";
import { cleanup, preview } from "../../src/operations/cleanup.ts";
import { demo, fakeTarget, fillReady, run, threeAndTwo, world } from "./fake-target.ts";

it.each([
  ["a cleanup", cleanup],
  ["what it shows before", preview],
])(
  "%s that is to keep data is refused where the target cannot, before anything is looked at or removed",
  async (_, act) => {
    const made = world(fakeTarget(threeAndTwo()));
    await fillReady(made.store, threeAndTwo());
    const looks: string[] = [];
    const { observe } = made.target;
    made.target.observe = async (cluster) => (looks.push(cluster), observe(cluster));
    await expect(run<unknown>(made, act(made.context, { cluster: demo, keepData: true }))).rejects.toMatchObject({
      message: "a cleanup on docker keeps none of the data of demo",
      next: "slipway cleanup demo forgets the cluster, and leaves its machines to whoever started them",
    });
    expect([looks, made.events]).toEqual([[], []]);
  },
);
