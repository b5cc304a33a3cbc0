import { DescribeVolumesCommand } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import type { Context } from "../../../src/operations/context.ts";
import { launch } from "../../../src/operations/launch.ts";
import { withStore } from "../../../src/operations/look.ts";
import { plan } from "../../../src/operations/plan.ts";
import { listRecords, readRecord, writeOnce } from "../../../src/records/access.ts";
import { sdkOver } from "../stand-in/sdk.ts";
import { demo, example, operatorOn, world } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet(5);

const keep = { cluster: demo, keepData: true };

/** What real control nodes write when they agree on their first members. */
async function formed(context: Context): Promise<void> {
  await withStore(context, demo, async (store) => {
    const generation = (await readRecord(store, "cluster"))?.value.generation ?? "";
    await writeOnce(store, "etcdProposal", { generation }, { members: [], nonce: "n" });
  });
}

/** Attached or not, by their names. */
async function disks(): Promise<readonly string[]> {
  const { Volumes = [] } = await sdkOver(started.standIn.client()).ec2.send(new DescribeVolumesCommand({}));
  return Volumes.flatMap(({ Tags = [], VolumeId = "" }) => {
    const name = Tags.find(({ Key }) => Key === "Name")?.Value ?? "";
    return /-(?:data|engine)$/.test(name) ? [`${name} ${VolumeId}`] : [];
  }).toSorted();
}

test("kept disks and the kept store are the same cluster again, also when the creation fails in between, and go without a stack", async () => {
  const { standIn } = started;
  const first = await launch(operatorOn(standIn).context, { cluster: example() });
  await formed(operatorOn(standIn).context);
  const before = await disks();
  expect(before).toHaveLength(6);

  const { kept = [] } = await cleanup(operatorOn(standIn).context, keep);
  expect(kept.map(({ kind, monthly }) => `${kind} ${monthly ?? "?"}`).toSorted()).toEqual([
    "bucket ?",
    ...["volume 0.8", "volume 0.8", "volume 0.8", "volume 1.6", "volume 1.6", "volume 1.6"],
  ]);

  const planned = await plan(operatorOn(standIn).context, { cluster: example() });
  expect(planned.changes.filter(({ name }) => /Volume(?:Data|Engine)$/.test(name))).toEqual([]);
  expect(planned.outlook?.notes.join("\n")).toMatch(
    /demo-control-1 is on disks that were kept: vol-\w+, vol-\w+, at 10\.42\./,
  );

  // A disk does not change its zone, and the others know a member at its address.
  const moved = example(["region: eu-central-1\n", "region: eu-central-1\n  network: { cidr: 10.99.0.0/16 }\n"]);
  await expect(launch(operatorOn(standIn).context, { cluster: moved })).rejects.toThrow(
    /demo-control-1 was kept with its data: the other members know it at 10\.42\.\S+, which is not in 10\.99\./,
  );

  // Taken back, the creation leaves what was there before it.
  started.fleet.word = () => "failed";
  await expect(launch(operatorOn(standIn).context, { cluster: example() })).rejects.toThrow(
    "the creation of demo failed",
  );
  expect(await disks()).toEqual(before);
  expect((await world(standIn)).filter((line) => line.startsWith("stack"))).toEqual([]);
  started.fleet.word = () => "ready";

  const again = await launch(operatorOn(standIn).context, { cluster: example() });
  const picture = (one: typeof first) =>
    one.status.nodes.map(({ name, role, instance }) => [name, role === "control" && instance]);
  expect(picture(again)).toEqual(picture(first));
  expect(await disks()).toEqual(before);
  const interfaces = [...standIn.place().ec2.instances.all.values()].filter(({ state }) => state === "running");
  expect(
    interfaces
      .map(({ tags }) => tags["slipway.volume.data"])
      .filter((id) => id !== undefined)
      .toSorted(),
  ).toEqual(
    before
      .filter((line) => line.includes("-data "))
      .map((line) => line.split(" ")[1])
      .toSorted(),
  );
  const workers = await withStore(operatorOn(standIn).context, demo, (store) => listRecords(store, "roster"));
  expect(
    workers
      .filter(({ value }) => value.role === "worker")
      .map(({ value }) => value.state)
      .toSorted(),
  ).toEqual(["gone", "gone", "present", "present"]);
  expect((await plan(operatorOn(standIn).context, { cluster: example() })).changes).toEqual([]);

  // Without the majority of them it is another cluster, and nothing is made.
  await cleanup(operatorOn(standIn).context, keep);
  const { ec2 } = sdkOver(standIn.client());
  const { DeleteVolumeCommand } = await import("@aws-sdk/client-ec2");
  for (const line of before.filter((one) => /control-[12]-data/.test(one)))
    await ec2.send(new DeleteVolumeCommand({ VolumeId: line.split(" ")[1] }));
  await expect(launch(operatorOn(standIn).context, { cluster: example() })).rejects.toMatchObject({
    message: expect.stringContaining("nothing but its store is there any more"),
    next: expect.stringContaining("slipway cleanup demo"),
  });
  expect((await cleanup(operatorOn(standIn).context, { cluster: demo })).left).toEqual([]);
  expect(await world(standIn)).toEqual([]);
});
