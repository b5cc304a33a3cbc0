import { CreateStackCommand } from "@aws-sdk/client-cloudformation";
import { expect, test, vi } from "vitest";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { withStore } from "../../../src/operations/look.ts";
import { publishTemplate } from "../../../src/operations/publish-template.ts";
import { status } from "../../../src/operations/status.ts";
import { fingerprint } from "../../../src/pki/renewal.ts";
import { listRecords, readRecord } from "../../../src/records/access.ts";
import { ec2Machine, type Disks, type Machine } from "../ec2-machine.ts";
import { rested } from "../stand-in/example.ts";
import { sdkOver } from "../stand-in/sdk.ts";
import { useStandIn } from "../stand-in/started.ts";
import { demo, example, operatorOn, world } from "./operator.ts";

// Minutes of AWS are seconds here, but a busy machine makes many of them.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
const started = useStandIn();
const bucket = "web-templates-4711";
const to = `s3://${bucket}/clusters`;
const cluster = example(["count: 3", "count: 1"]);

/** What stands in user data, whichever way it is packed. */
const unpacked = (text: string): string =>
  [text, Buffer.from(text, "base64").toString("utf8")]
    .flatMap((one) => [
      one,
      ...[...one.matchAll(/base64,([A-Za-z0-9+/=]+)/g)].map(([, part = ""]) =>
        Buffer.from(part, "base64").toString("utf8"),
      ),
    ])
    .map((one) => decodeURIComponent(one.replaceAll(/%(?![0-9A-Fa-f]{2})/g, "%25")))
    .join("\n");

test("a published template has a founded root: who launches it without us gets a cluster that forms, and we find it", async () => {
  const { standIn } = started;
  const first = operatorOn(standIn);
  const { url, next } = await publishTemplate(first.context, { cluster, to });
  expect(url).toBe(`https://${bucket}.s3.${standIn.region}.amazonaws.com/clusters/demo.template.json`);
  expect(next).toBe(
    `aws cloudformation create-stack --stack-name demo --template-url ${url} --capabilities CAPABILITY_IAM --tags Key=slipway.cluster,Value=demo --parameters ParameterKey=StoreBucket,ParameterValue=${bucket}`,
  );
  expect(first.events.filter(({ name }) => name === "root.recoveryKey")).toHaveLength(1);
  // Once more it is the same root, and the same template.
  const again = operatorOn(standIn);
  expect(await publishTemplate(again.context, { cluster, to })).toEqual({ url, next });
  expect(again.events.filter(({ name }) => name === "root.recoveryKey")).toEqual([]);

  await expect(
    publishTemplate(operatorOn(standIn).context, { cluster, to: "s3://elsewhere/clusters" }),
  ).rejects.toMatchObject({
    message: `the store of demo is in the bucket ${bucket}: a template of it is published there`,
    next: `--publish s3://${bucket}/FOLDER, or slipway cleanup demo first`,
  });
  const named = example(["aws:\n", "aws:\n  bucket: named-store\n"]);
  await expect(publishTemplate(operatorOn(standIn).context, { cluster: named, to })).rejects.toMatchObject({
    next: "--publish s3://named-store/FOLDER",
  });

  const disks: Disks = new Map();
  const machines = new Map<string, Machine>();
  let pin = "";
  standIn.nodes = {
    booted(instance) {
      if (machines.has(instance.id)) return;
      // The pin that it boots with is that of the template.
      [, pin = ""] = /"pin": ?"([0-9a-f]{64})"/.exec(unpacked(instance.userData)) ?? [];
      machines.set(instance.id, ec2Machine(standIn, instance, { disks, bucket, pin }));
    },
    leaving(instance) {
      const machine = machines.get(instance.id);
      if (machine !== undefined) machine.ending = true;
    },
    stopped: () => undefined,
    terminated: () => undefined,
  };
  const client = standIn.client();
  const { StackId = "" } = await sdkOver(client).cloudformation.send(
    new CreateStackCommand({
      StackName: "demo",
      TemplateURL: url,
      Parameters: [{ ParameterKey: "StoreBucket", ParameterValue: bucket }],
      Capabilities: ["CAPABILITY_IAM"],
      Tags: [{ Key: "slipway.cluster", Value: "demo" }],
    }),
  );
  expect(
    await rested(standIn, StackId, client),
    [...machines.values()].map(({ said }) => said.slice(-3).join(" | ")).join("\n"),
  ).toBe("CREATE_COMPLETE");

  const { context } = operatorOn(standIn);
  const seen = await withStore(context, demo, async (store) => ({
    root: fingerprint((await readRecord(store, "root"))?.value.certificate ?? ""),
    roster: (await listRecords(store, "roster")).map(({ value }) => `${value.node} ${value.state}`).toSorted(),
  }));
  expect(seen.root).toBe(pin);
  expect(seen.roster).toEqual(["demo-control-1 present", "demo-worker-1 present", "demo-worker-2 present"]);
  expect((await status(context, { cluster: demo })).nodes.map(({ name }) => name)).toEqual([
    "demo-control-1",
    "demo-worker-1",
    "demo-worker-2",
  ]);
  // Its store is where it was published; a template of it is published nowhere else.
  await expect(
    publishTemplate(operatorOn(standIn).context, { cluster, to: "s3://elsewhere/clusters" }),
  ).rejects.toMatchObject({ next: `--publish s3://${bucket}/FOLDER, or --name another` });
  expect((await cleanup(operatorOn(standIn).context, { cluster: demo })).left).toEqual([]);
  expect(await world(standIn)).toEqual([]);
});
