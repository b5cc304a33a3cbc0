import {
  CreateVpcCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, test } from "vitest";
import { proveCaller, verifyCaller } from "../../../src/host/aws/caller.ts";
import { imds } from "../../../src/host/aws/imds.ts";
import { flatcarImage, launched, rested } from "./example.ts";
import { sdkOver } from "./sdk.ts";
import { group, made } from "./small.ts";
import type { Boundary } from "./stand-in.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();
const sdk = () => sdkOver(started.standIn.client());
const look = () => sdk().ec2.send(new DescribeVpcsCommand({}));
const makeVpc = () => sdk().ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
const count = async (): Promise<number> =>
  (await look()).Vpcs?.filter(({ IsDefault }) => IsDefault !== true).length ?? 0;

describe("callers", () => {
  test("are who their keys say; who signs nothing, or with a key that nobody has, is refused", async () => {
    const { standIn } = started;
    expect(await sdk().sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: "012345678901",
      Arn: "arn:aws:iam::012345678901:user/operator",
    });
    const other = sdkOver(standIn.client({ account: "999999999999" }));
    expect((await other.sts.send(new GetCallerIdentityCommand({}))).Account).toBe("999999999999");
    const bare = await standIn.fetch("https://ec2.eu-central-1.amazonaws.com/", {
      method: "POST",
      body: "Action=DescribeVpcs",
    });
    expect([bare.status, await bare.text()]).toEqual([
      403,
      expect.stringContaining("<Code>MissingAuthenticationToken</Code>"),
    ]);
    const stranger = sdkOver({ ...standIn.client(), credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" } });
    await expect(stranger.ec2.send(new DescribeVpcsCommand({}))).rejects.toMatchObject({ name: "AuthFailure" });
    await expect(stranger.sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: "InvalidClientTokenId",
    });
  });

  test("with credentials that have expired are told so", async () => {
    const { standIn } = started;
    const client = standIn.client({ expires: standIn.clock.now() + 60_000 });
    const ask = () => sdkOver(client).sts.send(new GetCallerIdentityCommand({}));
    await ask();
    await standIn.clock.advance(61_000);
    await expect(ask()).rejects.toMatchObject({ name: "ExpiredToken" });
    await expect(sdkOver(client).ec2.send(new DescribeVpcsCommand({}))).rejects.toMatchObject({
      name: "RequestExpired",
    });
    const mend = standIn.faults.expireAfter(1);
    await look();
    await expect(look()).rejects.toMatchObject({ name: "ExpiredToken" });
    mend();
    await look();
  });

  test("on instances have the role of their profile, and the proof of that is taken", async () => {
    const { standIn } = started;
    expect(await made(standIn, group())).toBe("CREATE_COMPLETE");
    const [instance] = [...standIn.place().ec2.instances.all.values()];
    const client = standIn.asInstance(instance?.id ?? "");
    const identity = await sdkOver(client).sts.send(new GetCallerIdentityCommand({}));
    expect(identity.Arn).toMatch(/^arn:aws:sts::012345678901:assumed-role\/small-Role-[0-9a-f]{12}\/i-[0-9a-f]{17}$/);
    expect(identity.UserId).toMatch(/^AROA[A-Z0-9]+:i-[0-9a-f]{17}$/);
    const { region } = standIn;
    const proof = await proveCaller({ region, credentials: client.credentials, clock: client.clock }, "ab");
    expect(await verifyCaller({ region, fetch: standIn.fetch }, proof, "ab")).toMatchObject({
      account: "012345678901",
      session: instance?.id,
    });
  });
});

test("an instance has its metadata service, whose credentials are its role's", async () => {
  const { standIn } = started;
  expect(await made(standIn, group())).toBe("CREATE_COMPLETE");
  const [instance] = [...standIn.place().ec2.instances.all.values()];
  const { fetch, clock } = standIn.asInstance(instance?.id ?? "");
  const service = imds({ clock, fetch });
  expect(await service.identity()).toMatchObject({
    instance: instance?.id,
    account: "012345678901",
    zone: "eu-central-1a",
  });
  expect(await service.get("meta-data/tags/instance/slipway.cluster")).toBe("small");
  expect(await service.get("meta-data/tags/instance/none")).toBeUndefined();
  const credentials = await service.credentials(false);
  const { Arn: arn } = await sdkOver({ fetch: standIn.fetch, credentials }).sts.send(new GetCallerIdentityCommand({}));
  expect(arn).toContain(`assumed-role/small-Role`);
  await clock.sleep(7 * 3_600_000);
  const old = sdkOver({ fetch: standIn.fetch, credentials }).sts;
  await expect(old.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({ name: "ExpiredToken" });
  expect((await service.credentials(false)).accessKeyId).not.toBe(credentials.accessKeyId);
  expect((await fetch("http://169.254.169.254/latest/meta-data/instance-id")).status).toBe(401);
});

describe("faults", () => {
  test("throttle for a while in each service's own words, or by a bucket of tokens", async () => {
    const { standIn } = started;
    standIn.faults.throttle({ service: "ec2", action: "DescribeVpcs", forMs: 60_000 });
    standIn.faults.throttle({ service: "cloudformation", times: 1 });
    standIn.faults.throttle({ service: "s3", times: 1 });
    await expect(look()).rejects.toMatchObject({ name: "RequestLimitExceeded", $metadata: { httpStatusCode: 503 } });
    await expect(sdk().cloudformation.send(new DescribeStacksCommand({}))).rejects.toMatchObject({
      name: "Throttling",
      message: "Rate exceeded",
    });
    await expect(sdk().s3.send(new CreateBucketCommand({ Bucket: "abc" }))).rejects.toMatchObject({ name: "SlowDown" });
    await standIn.clock.advance(60_000);
    await look();
    standIn.faults.bucket({ service: "ec2", size: 2, perSecond: 1 });
    await look();
    await look();
    await expect(look()).rejects.toMatchObject({ name: "RequestLimitExceeded" });
    await standIn.clock.advance(1_000);
    await look();
  });

  test("lose an answer after the act, or the request before it", async () => {
    const { faults } = started.standIn;
    faults.dropAfterCommit({ action: "CreateVpc", times: 1 });
    await expect(makeVpc()).rejects.toThrow("fetch failed");
    expect(await count()).toBe(1);
    faults.reset({ action: "CreateVpc", times: 1 });
    await expect(makeVpc()).rejects.toThrow("fetch failed");
    expect(await count()).toBe(1);
  });

  test("answer 500 after the act, 503 before it, from the k-th call on", async () => {
    const { faults } = started.standIn;
    faults.fail({ action: "CreateVpc", from: 2, times: 1 }, { after: true });
    await makeVpc();
    await expect(makeVpc()).rejects.toMatchObject({ name: "InternalError", $metadata: { httpStatusCode: 500 } });
    expect(await count()).toBe(2);
    faults.fail({ action: "CreateVpc", times: 1 }, { status: 503 });
    await expect(makeVpc()).rejects.toMatchObject({ name: "ServiceUnavailable" });
    expect(await count()).toBe(2);
  });

  test("take a right away", async () => {
    started.standIn.settings.denied.add("ec2:CreateVpc");
    await expect(makeVpc()).rejects.toMatchObject({
      name: "UnauthorizedOperation",
      $metadata: { httpStatusCode: 403 },
    });
    expect(await count()).toBe(0);
  });
});

describe("calls", () => {
  test("are recorded with their time, and whether they change anything", async () => {
    const { standIn } = started;
    await look();
    await standIn.clock.advance(5_000);
    await makeVpc();
    const [first, second] = standIn.calls;
    expect(first).toMatchObject({ n: 1, service: "ec2", action: "DescribeVpcs", mutating: false, outcome: "" });
    expect(second).toMatchObject({
      n: 2,
      service: "ec2",
      action: "CreateVpc",
      mutating: true,
      caller: "arn:aws:iam::012345678901:user/operator",
    });
    expect((second?.time ?? 0) - (first?.time ?? 0)).toBe(5_000);
  });

  test.each([
    ["before", 0],
    ["committed", 1],
    ["answered", 1],
  ] as const)("end %s with their program, and nothing of it goes on", async (where, there) => {
    const { standIn } = started;
    const client = standIn.client();
    standIn.onRequest = (boundary: Boundary, call, _n, who) => {
      if (boundary === where && call.action === "CreateVpc") who.kill();
    };
    const seen: string[] = [];
    const program = async (): Promise<void> => {
      await sdkOver(client).ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
      seen.push("answered");
    };
    void program();
    void client.clock.sleep(1_000).then(() => seen.push("woken"));
    await standIn.clock.settled();
    while (!client.killed) await new Promise((resolve) => setImmediate(resolve));
    await standIn.clock.advance(60_000);
    expect(seen).toEqual([]);
    expect(await count()).toBe(there);
  });
});

test("whole processes ask on loopback, and a lost answer is a broken connection", async () => {
  const { standIn } = started;
  const server = await standIn.listen();
  const { accessKeyId } = standIn.credentials;
  const ask = (action: string): Promise<Response> =>
    fetch(server.url, {
      method: "POST",
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261121/eu-central-1/ec2/aws4_request, Signature=0`,
      },
      body: `Action=${action}&Version=2016-11-15&CidrBlock=10.0.0.0/16`,
    });
  try {
    expect(await (await ask("CreateVpc")).text()).toContain("<vpcId>vpc-");
    standIn.faults.dropAfterCommit({ action: "CreateVpc" });
    await expect(ask("CreateVpc")).rejects.toThrow("fetch failed");
    expect(await count()).toBe(2);
  } finally {
    await server.close();
  }
});

describe("time", () => {
  test("passes only while somebody sleeps, and as fast as requests are answered", async () => {
    const { standIn } = started;
    const begun = standIn.clock.now();
    await makeVpc();
    expect(standIn.clock.now()).toBe(begun);
    const { clock } = standIn.client();
    const order: string[] = [];
    await Promise.all([
      clock.sleep(3_600_000).then(() => order.push("hour")),
      clock.sleep(60_000).then(() => order.push("minute")),
    ]);
    expect(order).toEqual(["minute", "hour"]);
    expect(standIn.clock.now() - begun).toBe(3_600_000);
  });

  test("does not pass for who was told not to wait", async () => {
    const { clock } = started.standIn.client();
    const begun = clock.now();
    const stop = new AbortController();
    const slept = clock.sleep(3_600_000, stop.signal);
    stop.abort();
    await slept;
    expect(clock.now()).toBe(begun);
  });

  test("of a launch is the same at every run, and so are its calls", async () => {
    const { standIn } = started;
    const runs: string[] = [];
    for (let run = 0; run < 2; run++) {
      await standIn.reset();
      const begun = standIn.clock.now();
      const client = standIn.client();
      expect(await rested(standIn, await launched(standIn, client), client)).toBe("CREATE_COMPLETE");
      const calls = standIn.calls.map(({ action, time }) => `${(time - begun) / 1_000} ${action}`);
      runs.push([...calls.toSorted(), String((standIn.clock.now() - begun) / 1_000)].join("\n"));
    }
    expect(runs[1]).toBe(runs[0]);
  });
});

test("a launch meets no more than it must: every call of the example's is known", async () => {
  const { standIn } = started;
  const client = standIn.client();
  expect(await rested(standIn, await launched(standIn, client), client)).toBe("CREATE_COMPLETE");
  const actions = new Set(
    standIn.calls
      .filter(({ caller }) => caller.includes("operator"))
      .map(({ service, action }) => `${service}:${action}`),
  );
  expect([...actions].toSorted()).toEqual([
    "cloudformation:CreateStack",
    "cloudformation:DescribeStacks",
    "s3:CreateBucket",
  ]);
  const nodes = standIn.calls.filter(({ caller }) => caller.includes("assumed-role"));
  expect(nodes.map(({ action }) => action)).toEqual(Array.from({ length: 5 }, () => "SignalResource"));
  const run = new RunInstancesCommand({ ImageId: flatcarImage, MinCount: 1, MaxCount: 1 });
  await sdk().ec2.send(run);
  expect((await sdk().ec2.send(new DescribeInstancesCommand({}))).Reservations).toHaveLength(6);
});
