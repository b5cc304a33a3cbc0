import { expect, it } from "vitest";
import { terminate } from "../../src/operations/terminate.ts";
import { demo, fakeTarget, fillReady, run, threeAndTwo, world } from "./fake-target.ts";

it("is refused where the machines are somebody else's, with what to do", async () => {
  const made = world(fakeTarget(threeAndTwo()));
  await fillReady(made.store, threeAndTwo());
  const input = { cluster: demo, nodes: [], force: false, grace: 30 };
  await expect(run(made, terminate(made.context, input))).rejects.toMatchObject({
    message: "the machines of demo are not ours to end: whoever started them ends them",
    next: "slipway remove demo-worker-1 takes a node out for good; slipway cleanup demo forgets the cluster",
  });
  expect(made.target.calls).toEqual([]);
});
