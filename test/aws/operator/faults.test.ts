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
 * F22 quotas, F25 user data too large, F32 pages, F33 image that looks alike, F34 bucket of another account: here.
 * F21 no capacity: faults-capacity.test.ts.
 * F23 interfaces that linger, F24 bucket not empty and data kept, F26 creation fails, F27 UPDATE_ROLLBACK_FAILED, F28 operation
 * in progress, F29 node never signals, F30 changed out of band, F31 a zone changes nothing: faults-stack.test.ts.
 * Of F26 and F29 more is in failed-creation.test.ts, of F28 in killed.test.ts, of F31 in converge.long.test.ts.
 */

const trial = useTrial();

describe("AWS that is busy, slow or silent", () => {
  test("F16: has each of its services too busy for a minute, from the first call on: a launch waits, inside its budget", async () => {
    const { standIn } = trial;
    standIn.clock.haste = 1;
    // S3 has its own way of asking again (test/aws/request.test.ts): some seconds, because locks and nodes wait for it.
    const fresh = new Set(["autoscaling", "cloudformation", "ec2", "iam", "sts"]);
    const services = [...fresh];
    standIn.onRequest = (at, { service, caller }) => {
      if (at === "before" && caller.arn.endsWith("user/operator") && fresh.delete(service))
        standIn.faults.throttle({ service, forMs: 60_000 });
    };
    const own = () => standIn.calls.filter(({ caller }) => caller.endsWith("user/operator"));
    const isBusy = ({ outcome }: { readonly outcome: string }): boolean =>
      /^(?:Throttling|RequestLimitExceeded)/.test(outcome);
    await trial.launches();
    const answered = own().filter((call) => !isBusy(call) && call.service !== "s3");
    expect(answered.length).toBeLessThanOrEqual(60);
    await trial.launches(two);
    expect([...fresh]).toEqual([]);
    for (const service of services) {
      const busy = own().filter((call) => isBusy(call) && call.service === service);
      expect(busy.length, service).toBeGreaterThan(1);
      // Calls that were made side by side waited for all of it; whoever came later for none.
      for (const name of new Set(busy.map(({ action }) => action)))
        expect(busy.filter(({ action }) => action === name).length, name).toBeLessThanOrEqual(16);
    }
  });

  test.each(["CreateBucket", "CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"])(
    "F17: does %s, and its answer is lost; or does not even hear of it",
    async (action) => {
      const { standIn } = trial;
      standIn.faults.reset({ action, times: 1 });
      standIn.faults.dropAfterCommit({ action, times: 1 });
      await trial.launches();
      const asked = standIn.calls.filter((call) => call.action === action);
      expect(asked.map(({ outcome }) => outcome).slice(0, 2)).toEqual(["dropped", "dropped"]);
      expect([...standIn.place().cloudformation.stacks.values()].map(({ status }) => status)).toEqual([
        "CREATE_COMPLETE",
      ]);
    },
  );

  test("F17: answers 500 after it has done a thing", async () => {
    const { standIn } = trial;
    standIn.faults.fail({ action: "CreateChangeSet", times: 1 }, { after: true });
    standIn.faults.fail({ action: "ExecuteChangeSet", times: 1 }, { after: true });
    await trial.launches();
    expect(standIn.calls.filter(({ outcome }) => outcome === "InternalError").map(({ action }) => action)).toEqual([
      "CreateChangeSet",
      "ExecuteChangeSet",
    ]);
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

  test("F19: sees instance profiles minutes late: Auto Scaling tries again, and a launch does not give up", async () => {
    const { standIn } = trial;
    standIn.clock.haste = 1;
    standIn.settings.profileVisibleAfter = 300_000;
    await trial.launches();
    const words = [...standIn.place().autoscaling.engine.groups.values()].map(({ activities }) =>
      activities.map(({ status, message }) => `${status} ${/Invalid IAM Instance Profile/.test(message)}`),
    );
    expect(words.length).toBeGreaterThan(1);
    for (const [newest, ...before] of words)
      expect([newest, [...new Set(before)]]).toEqual(["Successful false", ["Failed true"]]);
  });

  test("F20: does not find for a while what was just made: it is asked again, and nothing is made twice", async () => {
    const { standIn } = trial;
    standIn.clock.haste = 1;
    standIn.settings.visibleAfter = 30_000;
    standIn.faults.add(
      { action: "DescribeChangeSet", times: 2 },
      { kind: "refuse", code: "ChangeSetNotFound", message: "ChangeSet [slipway] does not exist", status: 404 },
    );
    await trial.launches();
    expect(standIn.calls.filter(({ outcome }) => outcome === "ChangeSetNotFound")).toHaveLength(2);
    expect(
      trial.changes().filter((action) => /^(?:CreateBucket|CreateChangeSet|ExecuteChangeSet)$/.test(action)),
    ).toEqual(["CreateBucket", "CreateChangeSet", "ExecuteChangeSet"]);
  });

  test("F32: gives one thing a page", async () => {
    trial.standIn.settings.pageSize = 1;
    await trial.launches(two);
    expect((await status(operatorOn(trial.standIn).context, { cluster: demo })).nodes).toHaveLength(3);
    await trial.cleaning();
    expect(await world(trial.standIn)).toEqual([]);
  });

  test("F32: does not give a page: nobody is taken for gone, and nothing is changed", async () => {
    const { standIn } = trial;
    await trial.launches(two);
    standIn.settings.pageSize = 1;
    const mend = standIn.faults.fail({ action: "DescribeInstances", from: 2 });
    const before = trial.changes().length;
    expect(await refused(() => status(operatorOn(standIn).context, { cluster: demo }))).toContain(
      "ec2:DescribeInstances",
    );
    expect(await refused(() => trial.launching(two))).toContain("the same command again");
    expect(
      trial
        .changes()
        .slice(before)
        .filter((action) => !/^(?:Put|Delete)Object$/.test(action)),
    ).toEqual([]);
    mend();
    expect((await status(operatorOn(standIn).context, { cluster: demo })).state).toBe("ready");
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
