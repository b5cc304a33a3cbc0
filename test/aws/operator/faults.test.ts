import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { awsRequester } from "../../../src/host/aws/request.ts";
import { seededRandom } from "../../../src/host/virtual.ts";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { status } from "../../../src/operations/status.ts";
import { bucketName } from "../../../src/targets/aws/bucket/name.ts";
import { awsCluster } from "../scenarios.ts";
import { imageOwners } from "../stand-in/ec2/images.ts";
import { useStandIn } from "../stand-in/started.ts";
import { fleetOn, type Fleet } from "./fleet.ts";

import { demo, operatorOn, world } from "./operator.ts";
import { picture } from "./picture.ts";

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const started = useStandIn();
let fleet: Fleet;
beforeEach(() => {
  fleet = fleetOn(started.standIn);
  fleet.delay = 5;
});
afterEach(() => fleet.stop());

const small = (change: readonly [string, string] = ["", ""]): Cluster =>
  awsCluster(
    "name: demo\ntarget: aws\nos: flatcar\norchestrator: none\ngroups:\n  control: { role: control, count: 1 }\n  worker: { count: 1, aws: { max: 3 } }\naws: { region: eu-central-1, instance_type: t3.small }\n".replace(
      ...change,
    ),
  );
const two = small(["count: 1, aws", "count: 2, aws"]);

/** A launch that comes to its end as if nothing had been: one of each thing, and all of it ready. */
async function launches(cluster = small()): Promise<void> {
  const { status: now } = await launch(operatorOn(started.standIn).context, { cluster });
  expect(now.state).toBe("ready");
  const there = await picture(started.standIn);
  expect(there).toContain("1 stack demo");
  expect(there.filter((line) => line.includes("bucket"))).toHaveLength(1);
}

/** What a command that must fail says; and that it says what to do. */
async function refused(act: () => Promise<unknown>): Promise<string> {
  const error: unknown = await act().then(
    () => expect.fail("it did not fail"),
    (failure: unknown) => failure,
  );
  if (!(error instanceof Error)) return expect.fail("it failed of nothing");
  expect(
    "next" in error && typeof error.next === "string" && error.next !== "",
    `${error.message} has no next step`,
  ).toBe(true);
  return `${error.message}\nnext: ${String(Reflect.get(error, "next"))}`;
}
const launching = (cluster = small()) => launch(operatorOn(started.standIn).context, { cluster });
const changesOf = () =>
  started.standIn.calls
    .filter(({ mutating, caller }) => mutating && caller.endsWith("user/operator"))
    .map(({ action }) => action);

describe("AWS that is busy, slow or silent", () => {
  test("F16: throttles everything for a minute", async () => {
    started.standIn.faults.throttle({ service: "cloudformation", forMs: 60_000 });
    started.standIn.faults.throttle({ service: "ec2", forMs: 60_000 });
    await launches();
    expect(
      started.standIn.calls.filter(({ outcome }) => /Throttling|RequestLimitExceeded/.test(outcome)).length,
    ).toBeLessThan(60);
  });

  test.each(["CreateBucket", "CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"])(
    "F17: does %s, and its answer is lost",
    async (action) => {
      started.standIn.faults.dropAfterCommit({ action, times: 1 });
      await launches();
    },
  );

  test("F17: answers 500 after it has done a thing", async () => {
    started.standIn.faults.fail({ action: "CreateChangeSet", times: 1 }, { after: true });
    started.standIn.faults.fail({ action: "ExecuteChangeSet", times: 1 }, { after: true });
    await launches();
  });

  test("F19, F20: sees profiles late, and a new change set not at once", async () => {
    started.standIn.settings.profileVisibleAfter = 90_000;
    started.standIn.faults.add(
      { action: "DescribeChangeSet", times: 2 },
      { kind: "refuse", code: "ChangeSetNotFound", message: "ChangeSet [slipway] does not exist", status: 404 },
    );
    await launches();
  });

  test("F32: gives one thing a page", async () => {
    started.standIn.settings.pageSize = 1;
    await launches(two);
    expect((await status(operatorOn(started.standIn).context, { cluster: demo })).nodes).toHaveLength(3);
    await cleanup(operatorOn(started.standIn).context, { cluster: demo });
    expect(await world(started.standIn)).toEqual([]);
  });
});

describe("what AWS does not give", () => {
  test("F09: credentials that end on the way are an error within a call, and the same command goes on with others", async () => {
    const { standIn } = started;
    const mend = standIn.faults.expireAfter(60);
    const said = await refused(() => launching());
    expect(said).toMatch(/expired|ExpiredToken/i);
    expect(said).toContain("log in again");
    mend();
    await launches();
  });

  test("F21: capacity that a zone lacks is named", async () => {
    for (const zone of ["a", "b", "c"]) started.standIn.settings.noCapacity.add(`eu-central-1${zone}`);
    const said = await refused(() => launching());
    expect(said).toMatch(/capacity|Received 0 SUCCESS|did not stabilize/i);
    started.standIn.settings.noCapacity.clear();
    await launches();
  });

  test("F22: quotas that do not do are found before anything is made, all at once", async () => {
    Object.assign(started.standIn.settings.quotas, { vcpus: 2, vpcs: 0 });
    const said = await refused(() => launching());
    expect(said).toContain("L-1216C47A");
    expect(said).toContain("L-F678F1CE");
    expect(said).toContain("request-service-quota-increase");
    expect(changesOf()).toEqual([]);
  });

  test("F33: an image that only looks alike is not taken", async () => {
    const { images } = started.standIn.place().ec2;
    const real = images.find(({ owner, architecture }) => owner === imageOwners.flatcar && architecture === "x86_64");
    expect(real).toBeDefined();
    if (real !== undefined)
      images.push({ ...real, id: "ami-0badbadbadbadbad0", owner: "111122223333", created: "2026-11-20T09:00:00.000Z" });
    await launches();
    const used = [...started.standIn.place().ec2.instances.all.values()].map(({ image }) => image);
    expect(used).not.toContain("ami-0badbadbadbadbad0");
  });

  test("F34: a bucket of another account is not written to", async () => {
    const { standIn } = started;
    const bucket = bucketName(demo, standIn.account, standIn.region);
    const other = standIn.client({ account: "999988887777" });
    const url = `https://${bucket}.s3.${standIn.region}.amazonaws.com/`;
    const body = `<CreateBucketConfiguration><LocationConstraint>${standIn.region}</LocationConstraint></CreateBucketConfiguration>`;
    const request = awsRequester({
      region: standIn.region,
      credentials: async () => other.credentials,
      clock: other.clock,
      random: seededRandom(1),
      fetch: other.fetch,
    });
    expect((await request({ service: "s3", method: "PUT", url, body })).status).toBe(200);
    const said = await refused(() => launching());
    expect(said).toContain(bucket);
    expect(said).toContain("nothing was written");
    expect(changesOf().filter((action) => action !== "CreateBucket")).toEqual([]);
  });

  test("an account that the file does not allow is refused before anything is made", async () => {
    const said = await refused(() => launching(small(["aws: { region", 'aws: { accounts: ["111122223333"], region'])));
    expect(said).toContain("012345678901");
    expect(changesOf()).toEqual([]);
  });
});

describe("a stack", () => {
  test("F23: whose network interfaces stay for ten minutes goes all the same", async () => {
    await launches();
    started.standIn.settings.interfaceLingers = 600_000;
    await cleanup(operatorOn(started.standIn).context, { cluster: demo });
    expect(await world(started.standIn)).toEqual([]);
  });

  test("F27: that cannot be taken back is never deleted, and what to do is said", async () => {
    await launches();
    const stack = [...started.standIn.place().cloudformation.stacks.values()].at(-1) ?? expect.fail("no stack");
    stack.status = "UPDATE_ROLLBACK_FAILED";
    const said = await refused(() => launching(two));
    expect(said).toContain("UPDATE_ROLLBACK_FAILED");
    expect(said).toContain("continue-update-rollback");
    expect(changesOf()).not.toContain("DeleteStack");
    expect(await picture(started.standIn)).toContain("1 stack demo");
  });

  test("F28: whose creation was left alone is waited for, and what it has made stands in nobody's way", async () => {
    const one = operatorOn(started.standIn);
    const dead = new Promise<void>((resolve) => {
      started.standIn.onRequest = (at, call, _, client) => {
        if (client !== one.client || at !== "committed" || call.action !== "ExecuteChangeSet") return;
        client.kill();
        resolve();
      };
    });
    await Promise.race([dead, launch(one.context, { cluster: small() })]);
    started.standIn.onRequest = undefined;
    await started.standIn.clock.advance(25_000);
    await launches();
  });

  test("F28: at which somebody else is, is waited for", async () => {
    await launches();
    // Killed right after its change set was executed: CloudFormation goes on without it.
    const one = operatorOn(started.standIn);
    const dead = new Promise<void>((resolve) => {
      started.standIn.onRequest = (at, call, _, client) => {
        if (client !== one.client || at !== "committed" || call.action !== "ExecuteChangeSet") return;
        client.kill();
        resolve();
      };
    });
    await Promise.race([dead, launch(one.context, { cluster: two })]);
    started.standIn.onRequest = undefined;
    await started.standIn.clock.advance(5_000);
    const planned = await plan(operatorOn(started.standIn).context, { cluster: two });
    expect(planned.changes).toMatchObject([{ action: "unclear", kind: "stack", name: "demo" }]);
    const next = operatorOn(started.standIn);
    await launch(next.context, { cluster: two });
    expect(
      next.events
        .filter(({ name }) => name === "warning")
        .map((event) => JSON.stringify(event))
        .join("\n"),
    ).toContain("an earlier run has begun it");
  });

  test("of that name which is somebody else's is not touched", async () => {
    await launches();
    const stack = [...started.standIn.place().cloudformation.stacks.values()].at(-1) ?? expect.fail("no stack");
    stack.now = stack.now === undefined ? undefined : { ...stack.now, tags: new Map() };
    expect(await refused(() => launching())).toContain("Slipway has not made");
    expect(await refused(() => cleanup(operatorOn(started.standIn).context, { cluster: demo }))).toContain(
      "Slipway has not made",
    );
  });
});
