import { describe, expect, test } from "vitest";
import { awsRequester } from "../../../src/host/aws/request.ts";
import { seededRandom } from "../../../src/host/virtual.ts";
import { status } from "../../../src/operations/status.ts";
import { bucketName } from "../../../src/targets/aws/bucket/name.ts";
import { compile } from "../../../src/targets/aws/compile.ts";
import { noFacts } from "../../../src/targets/aws/facts/facts.ts";
import { imageOwners } from "../stand-in/ec2/images.ts";
import { said as parameterOf } from "../stand-in/parameters.ts";
import { demo, operatorOn, world } from "./operator.ts";
import { refused, small, two, useTrial } from "./trial.ts";

/*
 * What AWS does to us (faults.md, part B), each fault with its test:
 *
 * F16 throttled, F17 answer lost or 5xx, F18 token taken for another's, F19 profile seen late, F20 id seen late,
 * F21 no capacity, F22 quotas, F25 user data too large, F32 pages, F33 image that looks alike, F34 bucket of another account: here.
 * F23 interfaces that linger, F24 bucket not empty and data kept, F26 creation fails, F27 UPDATE_ROLLBACK_FAILED, F28 operation
 * in progress, F29 node never signals, F30 changed out of band, F31 a zone changes nothing: faults-stack.test.ts.
 * Of F26 and F29 more is in failed-creation.test.ts, of F28 in killed.test.ts, of F31 in converge.long.test.ts.
 */

const trial = useTrial();

describe("AWS that is busy, slow or silent", () => {
  test("F16: throttles everything for a minute", async () => {
    trial.standIn.faults.throttle({ service: "cloudformation", forMs: 60_000 });
    trial.standIn.faults.throttle({ service: "ec2", forMs: 60_000 });
    await trial.launches();
    expect(
      trial.standIn.calls.filter(({ outcome }) => /Throttling|RequestLimitExceeded/.test(outcome)).length,
    ).toBeLessThan(60);
  });

  test.each(["CreateBucket", "CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"])(
    "F17: does %s, and its answer is lost",
    async (action) => {
      trial.standIn.faults.dropAfterCommit({ action, times: 1 });
      await trial.launches();
    },
  );

  test("F17: answers 500 after it has done a thing", async () => {
    trial.standIn.faults.fail({ action: "CreateChangeSet", times: 1 }, { after: true });
    trial.standIn.faults.fail({ action: "ExecuteChangeSet", times: 1 }, { after: true });
    await trial.launches();
  });

  test("F18: takes a token for another request's: each attempt has its own, and a repeated one keeps it", async () => {
    const { standIn } = trial;
    const tokens = (action: string) =>
      standIn.calls
        .filter((call) => call.action === action)
        .map(
          ({ parameters }) => parameterOf(parameters, "ClientToken") + parameterOf(parameters, "ClientRequestToken"),
        );
    standIn.faults.add(
      { action: "ExecuteChangeSet", times: 1 },
      {
        kind: "refuse",
        code: "IdempotentParameterMismatch",
        message: "The request uses the same client token as a previous, but non-identical request",
        status: 400,
      },
    );
    expect(await refused(() => trial.launching())).toContain("same client token");
    standIn.faults.dropAfterCommit({ action: "CreateChangeSet", times: 1 });
    standIn.faults.dropAfterCommit({ action: "ExecuteChangeSet", times: 1 });
    await trial.launches();
    const made = tokens("CreateChangeSet");
    expect(new Set(made).size).toBeGreaterThan(1);
    // What was sent again because its answer was lost.
    const [refusedOne = "", lost = "", again = ""] = tokens("ExecuteChangeSet");
    expect(refusedOne).not.toBe(lost);
    expect(again).toBe(lost);
    expect([...made, refusedOne, lost].every((token) => token.startsWith("slipway-"))).toBe(true);
  });

  test("F19, F20: sees profiles late, and a new change set not at once", async () => {
    trial.standIn.clock.haste = 1;
    trial.standIn.settings.profileVisibleAfter = 90_000;
    trial.standIn.faults.add(
      { action: "DescribeChangeSet", times: 2 },
      { kind: "refuse", code: "ChangeSetNotFound", message: "ChangeSet [slipway] does not exist", status: 404 },
    );
    await trial.launches();
  });

  test("F32: gives one thing a page", async () => {
    trial.standIn.settings.pageSize = 1;
    await trial.launches(two);
    expect((await status(operatorOn(trial.standIn).context, { cluster: demo })).nodes).toHaveLength(3);
    await trial.cleaning();
    expect(await world(trial.standIn)).toEqual([]);
  });
});

describe("what AWS does not give", () => {
  test("F09: credentials that end on the way are an error within a call, and the same command goes on with others", async () => {
    const { standIn } = trial;
    const mend = standIn.faults.expireAfter(60);
    const said = await refused(() => trial.launching());
    expect(said).toMatch(/expired|ExpiredToken/i);
    expect(said).toContain("log in again");
    mend();
    await trial.launches();
  });

  test("F21: capacity that a zone lacks is named", async () => {
    for (const zone of ["a", "b", "c"]) trial.standIn.settings.noCapacity.add(`eu-central-1${zone}`);
    const said = await refused(() => trial.launching());
    expect(said).toMatch(/capacity|Received 0 SUCCESS|did not stabilize/i);
    trial.standIn.settings.noCapacity.clear();
    await trial.launches();
  });

  test("F22: quotas that do not do are found before anything is made, all at once", async () => {
    Object.assign(trial.standIn.settings.quotas, { vcpus: 2, vpcs: 0 });
    const said = await refused(() => trial.launching());
    expect(said).toContain("L-1216C47A");
    expect(said).toContain("L-F678F1CE");
    expect(said).toContain("request-service-quota-increase");
    expect(trial.changes()).toEqual([]);
  });

  test("F22: so are Elastic IPs", async () => {
    trial.standIn.settings.quotas.addresses = 0;
    const addressed = small(["worker: { count: 1, aws: {", "worker: { count: 1, aws: { allocate_ip_address: true,"]);
    expect(await refused(() => trial.launching(addressed))).toContain("L-0263D0A3");
    expect(trial.changes()).toEqual([]);
  });

  test("F25: user data that is too large is an error at plan, with the bytes of its parts", async () => {
    const cluster = small();
    const zeros = "0".repeat(64);
    const runtime = { agent: zeros, node: { x86_64: zeros, aarch64: zeros } };
    const read = compile(cluster, noFacts, { runtime, pin: seededRandom(1).hex(20_000) });
    expect(read.kind === "bad" ? read.problems.map(({ message }) => message) : []).toEqual(
      cluster.groups.map(() =>
        expect.stringMatching(
          /has 3\d{4} bytes, and EC2 takes 16384; the largest parts: \/etc\/slipway\/bootstrap\.json 2\d{4}, /,
        ),
      ),
    );
  });

  test("F25: nothing that a file says makes it so: 100 KB of files and units go by the store", async () => {
    const files = Array.from(
      { length: 10 },
      (_, n) => `{ path: /etc/large-${n}, content: ${seededRandom(n + 1).hex(5_000)} }`,
    );
    const large = small(["count: 1 }", `count: 1, files: [${files.join(", ")}] }`]);
    await trial.launches(large);
    for (const { userData } of trial.standIn.place().ec2.instances.all.values())
      expect(Buffer.byteLength(userData)).toBeLessThan(4_096);
  });

  test("F33: an image that only looks alike is not taken", async () => {
    const { images } = trial.standIn.place().ec2;
    const real = images.find(({ owner, architecture }) => owner === imageOwners.flatcar && architecture === "x86_64");
    expect(real).toBeDefined();
    if (real !== undefined)
      images.push({ ...real, id: "ami-0badbadbadbadbad0", owner: "111122223333", created: "2026-11-20T09:00:00.000Z" });
    await trial.launches();
    const used = [...trial.standIn.place().ec2.instances.all.values()].map(({ image }) => image);
    expect(used).not.toContain("ami-0badbadbadbadbad0");
  });

  test("F33: a change whose nodes would start from an image that is gone is refused before it is begun", async () => {
    await trial.launches();
    const { images, instances } = trial.standIn.place().ec2;
    const [first] = instances.all.values();
    const place = images.findIndex(({ id }) => id === first?.image);
    const [gone] = images.splice(place, 1);
    if (gone === undefined) return expect.fail("there was no image");
    images.push({ ...gone, id: "ami-0a2a2a2a2a2a2a2a2", created: "2026-11-20T09:00:00.000Z" });
    const before = trial.changes().length;
    expect(await refused(() => trial.planning(two))).toContain(`the image ${gone.id} is not there any more`);
    const said = await refused(() => trial.launching(two));
    expect(said).toContain(gone.id);
    expect(said).toContain("--refresh images");
    expect(trial.changes().slice(before)).not.toContain("ExecuteChangeSet");
    await trial.launching(two, ["images"]);
    expect([...instances.all.values()].map(({ image }) => image)).toContain("ami-0a2a2a2a2a2a2a2a2");
  });

  test("F34: a bucket of another account is not written to", async () => {
    const { standIn } = trial;
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
    const said = await refused(() => trial.launching());
    expect(said).toContain(bucket);
    expect(said).toContain("nothing was written");
    expect(trial.changes().filter((action) => action !== "CreateBucket")).toEqual([]);
    const theirs = standIn.place().s3.buckets.get(bucket);
    expect([theirs?.account, theirs?.shelf.objects.size, theirs?.shelf.versioning]).toEqual(["999988887777", 0, ""]);
    expect(await refused(() => trial.planning())).toContain("not this account's");
  });

  test("an account that the file does not allow is refused before anything is made", async () => {
    const said = await refused(() =>
      trial.launching(small(["aws: { region", 'aws: { accounts: ["111122223333"], region'])),
    );
    expect(said).toContain("012345678901");
    expect(trial.changes()).toEqual([]);
  });
});
