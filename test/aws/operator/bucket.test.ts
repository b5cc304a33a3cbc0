import { expect, test } from "vitest";
import { awsRequester } from "../../../src/host/aws/request.ts";
import { seededRandom } from "../../../src/host/virtual.ts";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { status } from "../../../src/operations/status.ts";
import type { Client } from "../stand-in/stand-in.ts";
import { type Command, killedAtKind } from "./kill.ts";
import { demo, example, operatorOn, world } from "./operator.ts";
import { useFleet } from "./started-fleet.ts";

const started = useFleet(5);

/** The fleet finds its bucket in user data by what Slipway's own are called. */
const bucket = "slipway-shop-0011-012345678901-eu-central-1";
const named = example(["aws:\n", `aws:\n  bucket: ${bucket}\n`], ["count: 3", "count: 1"], ["count: 2", "count: 1"]);

/** Makes a bucket, in another account or with something in it. */
async function taken(client: Client, tags = ""): Promise<void> {
  const { standIn } = started;
  const request = awsRequester({
    region: standIn.region,
    credentials: async () => client.credentials,
    clock: client.clock,
    random: seededRandom(1),
    fetch: client.fetch,
  });
  const url = `https://${bucket}.s3.${standIn.region}.amazonaws.com/`;
  const body = `<CreateBucketConfiguration><LocationConstraint>${standIn.region}</LocationConstraint></CreateBucketConfiguration>`;
  expect((await request({ service: "s3", method: "PUT", url, body })).status).toBe(200);
  if (tags === "") return;
  const tagging = `<Tagging><TagSet>${tags}</TagSet></Tagging>`;
  expect((await request({ service: "s3", method: "PUT", url: `${url}?tagging`, body: tagging })).status).toBeLessThan(
    300,
  );
}

const changes = (): readonly string[] =>
  started.standIn.calls
    .filter(({ mutating, caller }) => mutating && caller.includes("012345678901") && caller.endsWith("user/operator"))
    .map(({ action }) => action);

test("a store in the bucket that the file names is found by everyone, also by who has no file, and also without a stack", async () => {
  const { standIn } = started;
  // Killed when the bucket is there and the stack is not.
  const launching: Command = ({ context }) => launch(context, { cluster: named });
  await killedAtKind(standIn, launching, operatorOn(standIn), {
    at: "before",
    kind: "cloudformation:CreateChangeSet",
  });
  expect(await world(standIn)).toEqual([`bucket ${bucket}`]);
  const renamed = example(["aws:\n", "aws:\n  bucket: another-name\n"]);
  await expect(launch(operatorOn(standIn).context, { cluster: renamed })).rejects.toMatchObject({
    message: `the store of demo is in the bucket ${bucket}, and the file names another-name: a store does not move`,
    next: `aws: { bucket: ${bucket} } in the file`,
  });

  const { status: launched } = await launch(operatorOn(standIn).context, { cluster: named });
  expect(launched.state).toBe("ready");
  expect((await status(operatorOn(standIn).context, { cluster: demo })).state).toBe("ready");
  await expect(plan(operatorOn(standIn).context, { cluster: renamed })).rejects.toThrow("a store does not move");
  // Who drops the line from the file goes on with the same store.
  const silent = example(["count: 3", "count: 1"], ["count: 2", "count: 1"]);
  expect((await plan(operatorOn(standIn).context, { cluster: silent })).changes).toEqual([]);

  await cleanup(operatorOn(standIn).context, { cluster: demo, keepData: true });
  expect(await world(standIn)).toContain(`bucket ${bucket}`);
  expect((await cleanup(operatorOn(standIn).context, { cluster: demo })).left).toEqual([]);
  expect(await world(standIn)).toEqual([]);
});

test("a bucket of another account is refused, and nothing is written", async () => {
  const { standIn } = started;
  await taken(standIn.client({ account: "999988887777" }));
  await expect(launch(operatorOn(standIn).context, { cluster: named })).rejects.toMatchObject({
    message: expect.stringMatching(`${bucket} is .*: nothing was written to it`),
    next: expect.stringContaining("aws: { bucket: another name }"),
  });
  expect(changes().filter((action) => action !== "CreateBucket")).toEqual([]);
});

test("a bucket with tags of somebody's own is refused, and nothing is written", async () => {
  const { standIn } = started;
  await taken(standIn.client(), "<Tag><Key>team</Key><Value>web</Value></Tag>");
  const from = changes().length;
  await expect(launch(operatorOn(standIn).context, { cluster: named })).rejects.toMatchObject({
    message: `the bucket ${bucket} is there, bears tags, and none that says it is this cluster's: nothing was written to it`,
    next: "tag it slipway.cluster=demo where it is to be that, or aws: { bucket: another name }",
  });
  expect(changes().slice(from)).toEqual([]);
});
