import { DescribeStackEventsCommand } from "@aws-sdk/client-cloudformation";
import { DescribeVolumesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { TerminateInstanceInAutoScalingGroupCommand } from "@aws-sdk/client-auto-scaling";
import { beforeEach, describe, expect, test } from "vitest";
import { makeRoot } from "../../src/pki/authority.ts";
import { awsRequester } from "../../src/host/aws/request.ts";
import { systemRandom } from "../../src/host/random.ts";
import { listRecords, updateRecord, writeOnce } from "../../src/records/access.ts";
import { objectKey, recordKey } from "../../src/records/objects.ts";
import { s3Store } from "../../src/store/s3.ts";
import type { ClusterStore } from "../../src/store/store.ts";
import { ec2Machine, type Disks, type Machine } from "./ec2-machine.ts";
import { launched, rested, storeBucket } from "./stand-in/example.ts";
import { sdkOver } from "./stand-in/sdk.ts";
import type { Client, StandIn } from "./stand-in/stand-in.ts";
import { useStandIn } from "./stand-in/started.ts";

const started = useStandIn();
const generation = "g1";
let disks: Disks;
let machines: Map<string, Machine>;
let says: (machine: Machine) => Machine["state"];

/** The store of the cluster as whoever launches it reaches it. */
function operatorStore(standIn: StandIn, client: Client): ClusterStore {
  const { region } = standIn;
  const request = awsRequester({
    region,
    credentials: async () => client.credentials,
    clock: client.clock,
    random: systemRandom,
    fetch: client.fetch,
  });
  return s3Store({
    url: `https://${storeBucket}.s3.${region}.amazonaws.com`,
    request,
    random: systemRandom,
    names: { object: objectKey, key: recordKey },
  });
}

const unit = (name: string, content: string) => ({
  name,
  content,
  dropIns: [],
  state: "on" as const,
  origin: { kind: "component" as const, component: "disks" },
});

/** What an operator has written before there are nodes: who the cluster is, and what its groups run. */
async function founded(store: ClusterStore): Promise<void> {
  await writeOnce(
    store,
    "cluster",
    {},
    {
      name: "demo",
      orchestrator: "swarm",
      generation,
      founders: 3,
      created: 0,
      nonce: "n",
    },
  );
  const { certificate } = await makeRoot({ name: "demo", now: Date.parse("2026-11-21T00:00:00Z") });
  await writeOnce(store, "root", {}, { certificate, encryptedKey: "", recipients: [] });
  for (const role of ["control", "worker"] as const)
    await writeOnce(
      store,
      "groupRevision",
      { revision: "r1", group: role },
      {
        revision: "r1",
        group: role,
        role,
        machine: {
          files: [],
          directories: [],
          links: [],
          users: [],
          groups: [],
          kernelArguments: [],
          units:
            role === "worker"
              ? []
              : [
                  unit("slipway-disk-data.service", "[Service]\nType=oneshot\n"),
                  unit("var-lib-slipway.mount", "[Mount]\nWhat=/run/slipway/disks/data\nWhere=/var/lib/slipway\n"),
                ],
        },
        wanted: { labels: {} },
      },
    );
  await updateRecord(store, "pointer", {}, () => ({ revision: "r1", apply: 0, nonce: "n" }));
}

const rosterOf = async (store: ClusterStore) =>
  (await listRecords(store, "roster")).map(({ value }) => `${value.node} ${value.role} ${value.state}`).toSorted();

beforeEach(() => {
  const { standIn } = started;
  disks = new Map();
  machines = new Map();
  says = () => "ready";
  standIn.nodes = {
    booted(instance) {
      if (machines.has(instance.id)) return;
      const machine = ec2Machine(standIn, instance, { disks, bucket: storeBucket });
      machine.state = says(machine);
      machines.set(instance.id, machine);
    },
    leaving(instance) {
      const machine = machines.get(instance.id);
      if (machine !== undefined) machine.ending = true;
    },
    stopped: () => undefined,
    terminated: () => undefined,
  };
});

/** The example's stack, made by nodes that come in by themselves. */
async function cluster(): Promise<{ client: Client; store: ClusterStore; stack: string }> {
  const { standIn } = started;
  const client = standIn.client();
  const stack = await launched(standIn, client);
  const store = operatorStore(standIn, client);
  await founded(store);
  return { client, store, stack };
}
const diagnosis = () =>
  [...machines.values()].map(({ instance, said }) => `${instance.id}: ${said.slice(-3).join(" | ")}`).join("\n");
/** Waits by the stand-in's clock. */
async function until(client: Client, what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = client.clock.now() + 30 * 60_000; !(await holds()); await client.clock.sleep(5_000))
    if (client.clock.now() > end) throw new Error(`${what}: not in half an hour\n${diagnosis()}`);
}
const live = (group: string) =>
  [...machines.values()].filter(
    ({ instance }) => instance.state === "running" && instance.tags["slipway.group"] === group,
  );

describe("instances", () => {
  test("come in by who AWS says that they are, take their disks and addresses, and complete their stack", async () => {
    const { standIn } = started;
    const { client, store, stack } = await cluster();
    expect(await rested(standIn, stack, client), diagnosis()).toBe("CREATE_COMPLETE");
    expect(await rosterOf(store)).toEqual([
      ...[1, 2, 3].map((n) => `demo-control-${n} control present`),
      ...[1, 2].map((n) => `demo-worker-${n} worker present`),
    ]);
    const { ec2 } = sdkOver(client);
    const { Volumes = [] } = await ec2.send(
      new DescribeVolumesCommand({ Filters: [{ Name: "tag:slipway.group", Values: ["control"] }] }),
    );
    const ours = Volumes.filter(
      ({ VolumeType, Tags }) => VolumeType === "gp3" && Tags?.some(({ Key }) => Key === "slipway.node"),
    );
    expect(ours.map(({ State }) => State)).toEqual(Array.from({ length: 6 }, () => "in-use"));
    for (const { commands, instance } of live("control")) {
      const rule = commands.find((line) => line.startsWith("ip -4 rule add from"));
      expect(rule, instance.id).toMatch(/^ip -4 rule add from 10\.\d+\.\d+\.\d+ lookup 1001$/);
      expect(rule).not.toContain(` ${instance.privateAddress} `);
    }
    // Each disk names the member that it is.
    const named = [...disks.values()].map(
      (disk) => /"node":"([^"]+)"/.exec(disk.get("/var/lib/slipway/identity.json") ?? "")?.[1],
    );
    expect(named.toSorted()).toEqual([1, 2, 3].map((n) => `demo-control-${n}`));
  });

  test("that replace a control instance take its disk and address, and are the same member", async () => {
    const { standIn } = started;
    const { client, store, stack } = await cluster();
    await rested(standIn, stack, client);
    const before = (await listRecords(store, "roster")).map(({ value }) => value.instance).toSorted();
    const victims = live("control").map(({ instance }) => instance.id);
    const { ec2 } = sdkOver(client);
    // All of them at once.
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: victims }));
    await until(client, "three others are members", async () => {
      const now = live("control").filter(({ instance }) => !victims.includes(instance.id));
      return now.length === 3 && now.every(({ identity }) => identity() !== undefined);
    });
    const now = live("control");
    expect(before).toEqual(expect.arrayContaining(now.map(({ identity }) => identity())));
    expect(now.every(({ instance, identity }) => !identity()?.endsWith(instance.id))).toBe(true);
    await client.clock.sleep(120_000);
    expect((await listRecords(store, "roster")).map(({ value }) => value.instance).toSorted()).toEqual(before);
    expect((await rosterOf(store)).every((line) => line.endsWith(" present"))).toBe(true);
  });

  test("of workers that are terminated leave first, are gone then, and another takes the name", async () => {
    const { standIn } = started;
    const { client, store, stack } = await cluster();
    await rested(standIn, stack, client);
    const [victim] = live("worker");
    const { autoscaling } = sdkOver(client);
    await autoscaling.send(
      new TerminateInstanceInAutoScalingGroupCommand({
        InstanceId: victim?.instance.id ?? "",
        ShouldDecrementDesiredCapacity: false,
      }),
    );
    await until(client, "two workers are present and one is gone", async () => {
      const roster = await rosterOf(store);
      return (
        roster.filter((line) => line.includes("worker present")).length === 2 &&
        roster.filter((line) => line.includes("worker gone")).length === 1
      );
    });
    expect(victim?.said.join("\n")).not.toContain("ended");
    const records = (await listRecords(store, "node")).map(({ value }) => value);
    expect(records.find(({ instance }) => instance.endsWith(victim?.instance.id ?? "none"))?.phase).toBe("left");
    const names = (await rosterOf(store)).filter((line) => line.includes(" present")).map((line) => line.split(" ")[0]);
    expect(new Set(names).size).toBe(5);
  });

  test("that fail say so to the stack, after their reason stands in the store, and it is rolled back", async () => {
    const { standIn } = started;
    says = ({ instance }) => (instance.tags["slipway.node"] === "demo-control-2" ? "failed" : "ready");
    const { client, store, stack } = await cluster();
    const begun = client.clock.now();
    expect(await rested(standIn, stack, client)).toMatch(/^ROLLBACK_/);
    const { cloudformation } = sdkOver(client);
    const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName: stack }));
    const failed = StackEvents.filter(({ ResourceStatus }) => ResourceStatus === "CREATE_FAILED");
    expect(failed.map(({ LogicalResourceId }) => LogicalResourceId)).toContain("ControlNode2");
    const record = (await listRecords(store, "node")).find(({ value }) => value.node === "demo-control-2");
    expect(record?.value).toMatchObject({ state: "failed", phase: "units" });
    expect(client.clock.now() - begun).toBeLessThan(20 * 60_000);
  });
});

describe("a machine that is not what it says", () => {
  test("is in no roster: another bucket's root, or another cluster's name", async () => {
    const { standIn } = started;
    const { client, store, stack } = await cluster();
    standIn.nodes = {
      ...standIn.nodes,
      booted(instance) {
        if (machines.has(instance.id)) return;
        const pin = instance.tags["slipway.node"] === "demo-control-1" ? "0".repeat(64) : undefined;
        machines.set(
          instance.id,
          ec2Machine(standIn, instance, { disks, bucket: storeBucket, ...(pin === undefined ? {} : { pin }) }),
        );
      },
    };
    await until(client, "the others are there", async () => (await rosterOf(store)).length === 4);
    await client.clock.sleep(60_000);
    expect(await rosterOf(store)).not.toContain("demo-control-1 control present");
    const refused = [...machines.values()].find(({ instance }) => instance.tags["slipway.node"] === "demo-control-1");
    expect(refused?.said.join("\n")).toContain("is not the one that this machine's user data pins");
    expect(stack).not.toBe("");
  });
});
