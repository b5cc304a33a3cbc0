import { expect, test } from "vitest";
import { launch } from "../../../src/operations/launch.ts";
import { withStore } from "../../../src/operations/look.ts";
import { plan } from "../../../src/operations/plan.ts";
import { listRecords, readRecord } from "../../../src/records/access.ts";
import { demo, example, operatorOn } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet(5);

const few = [["count: 3", "count: 1"] as const, ["count: 2", "count: 1"] as const];
const before = example(...few);
const after = example(
  ...few,
  ["disk: ssd", "disk: hdd"],
  ["allow_services_from: 0.0.0.0/0", "allow_services_from: 198.51.100.0/24"],
);

/** The revision that is published, and those that nodes run. */
async function revisions(): Promise<{ readonly published: string | undefined; readonly running: readonly string[] }> {
  return withStore(operatorOn(started.standIn).context, demo, async (store) => ({
    published: (await readRecord(store, "pointer"))?.value.revision,
    running: [...new Set((await listRecords(store, "node")).map(({ value }) => value.revision))],
  }));
}

test("a change that fails leaves neither stack nor nodes with what it wanted, and the same command brings it about later", async () => {
  const { standIn } = started;
  await launch(operatorOn(standIn).context, { cluster: before });
  const first = await revisions();

  const mended = standIn.faults.resource("AWS::EC2::SecurityGroupIngress", "create", { reason: "no more rules" });
  const failing = operatorOn(standIn);
  await expect(launch(failing.context, { cluster: after })).rejects.toMatchObject({
    message: expect.stringMatching(/the change of demo failed, and CloudFormation has taken it back:[^]*no more rules/),
  });
  expect(failing.events.flatMap((event) => (event.name === "step.finished" ? [event.step] : [])).at(-1)).toBe(
    "take back",
  );
  expect((await revisions()).published).toBe(first.published);
  await standIn.clock.advance(60_000);
  expect(await revisions()).toEqual(first);
  // What was there before is what there is: nothing is to be done for the old file.
  expect((await plan(operatorOn(standIn).context, { cluster: before })).changes).toEqual([]);

  mended();
  await launch(operatorOn(standIn).context, { cluster: after });
  const last = await revisions();
  expect(last.published).not.toBe(first.published);
  expect(last.running).toEqual([last.published]);
});
