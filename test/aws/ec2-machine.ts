import { choosePlatform } from "../../src/agent/platforms/choose.ts";
import type { Platform } from "../../src/agent/platforms/platform.ts";
import type { NodeRecord } from "../../src/agent/nodeRecord.ts";
import type { NodeFiles } from "../../src/host/nodeFiles.ts";
import { systemRandom } from "../../src/host/random.ts";
import { readRecord, updateRecord } from "../../src/records/access.ts";
import { memoryNode } from "../agent/memory-node.ts";
import { DescribeNetworkInterfacesCommand, DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import { metadataHost } from "./stand-in/metadata.ts";
import { sdkOver } from "./stand-in/sdk.ts";
import type { Client, StandIn } from "./stand-in/stand-in.ts";
import type { Instance } from "./stand-in/ec2/instances.ts";

/** What lies on each volume below /var/lib/slipway, whatever instance it is attached to. */
export type Disks = Map<string, Map<string, string>>;

export type Machine = {
  readonly instance: Instance;
  readonly said: readonly string[];
  readonly commands: readonly string[];
  /** Which instance it is in the roster, once it knows. */
  readonly identity: () => string | undefined;
  /** Auto Scaling has told the instance that it will be terminated. */
  ending: boolean;
  /** What the node says of itself from now on. */
  state: NodeRecord["state"];
};

const root = { mode: 0o600, user: "root", group: "root" } as const;

/**
 * An instance behind the stand-in that runs the node's half of the platform, with everything of AWS real as far as the
 * stand-in is; of the machine itself (files, systemd, commands) a memory. What an agent would do beside is said by `state`.
 */
export function ec2Machine(
  standIn: StandIn,
  instance: Instance,
  { disks, bucket, pin }: { readonly disks: Disks; readonly bucket: string; readonly pin?: string },
): Machine {
  const client = standIn.asInstance(instance.id);
  const node = memoryNode();
  const commands: string[] = [];
  const stopping = new AbortController();
  let identity: string | undefined;
  const group = instance.tags["slipway.group"] ?? "";
  const known = { cluster: "demo", group, store: "s3", ...(pin === undefined ? {} : { pin }) };
  node.texts.set("/etc/slipway/bootstrap.json", { content: JSON.stringify(known), owner: root });
  node.texts.set("/etc/slipway/bucket", { content: `${bucket}\n`, owner: root });
  for (const letter of "fghijklmnop") node.texts.set(`/sys/class/block/xvd${letter}`, { content: "", owner: root });

  const machine: Machine = {
    instance,
    said: node.said,
    commands,
    identity: () => identity,
    ending: false,
    state: "ready",
  };
  const files = onDisk(node.ports.files, () => {
    const mounted = node.states.get("var-lib-slipway.mount")?.active === "active";
    const volume = instance.tags["slipway.volume.data"];
    if (!mounted || volume === undefined) return undefined;
    const disk = disks.get(volume) ?? new Map<string, string>();
    disks.set(volume, disk);
    return disk;
  });
  const ports = {
    files: withInterfaces(files, client, instance),
    processes: {
      run: async (command: readonly string[]) => {
        commands.push(command.join(" "));
        return { code: 0, stdout: "", stderr: "" };
      },
    },
    systemd: node.ports.systemd,
    download: node.ports.download,
    clock: client.clock,
    random: systemRandom,
    say: node.ports.say,
    signal: stopping.signal,
    fetch: metadataOr(client, instance, () => machine.ending),
  };

  const live = async (): Promise<void> => {
    const platform = await choosePlatform(ports);
    identity = platform.instance;
    const me = await letIn(platform);
    await platform.admitted(me);
    while (instance.state === "running") {
      await round(platform, me);
      await client.clock.sleep(5_000);
    }
  };
  const letIn = async ({ store, instance: own, ask, waits }: Platform): Promise<string> => {
    for (;;) {
      const there = await readRecord(store, "bootstrap", { instance: own });
      if (there !== undefined) return there.value.node;
      try {
        await ask();
      } catch (error) {
        node.ports.say(String(error));
        await waits?.({ reason: `join: ${error instanceof Error ? error.message : String(error)}`, stuck: true });
      }
      await client.clock.sleep(3_000);
    }
  };
  const round = async ({ store, instance: own, tend }: Platform, me: string): Promise<void> => {
    const entry = await readRecord(store, "roster", { instance: own });
    const left = entry?.value.state === "leaving";
    const record: NodeRecord = {
      instance: own,
      node: me,
      machine: instance.id,
      revision: "r1",
      apply: 0,
      state: left ? "stopped" : machine.state,
      phase: left ? "left" : machine.state === "ready" ? "ready" : "units",
      log: [],
      since: instance.launchedAt,
      seen: client.clock.now(),
      boot: "b",
      nudges: 0,
      settled: {},
      units: [],
      drift: [],
      disk: [],
      certificates: {},
    };
    await updateRecord(store, "node", { instance: own }, () => record);
    await tend(record);
  };
  void live().catch((error: unknown) => node.said.push(`the agent ended: ${String(error)}`));
  return machine;
}

/** What is below /var/lib/slipway lies on a disk once that is mounted. */
function onDisk(files: NodeFiles, disk: () => Map<string, string> | undefined): NodeFiles {
  const at = (path: string): Map<string, string> | undefined =>
    path.startsWith("/var/lib/slipway/") ? disk() : undefined;
  return {
    ...files,
    read: async (path) => (at(path) === undefined ? files.read(path) : at(path)?.get(path)),
    async write(path, content, owner) {
      const there = at(path);
      if (there === undefined) return files.write(path, content, owner);
      there.set(path, String(content));
    },
    async create(path, content, owner) {
      const there = at(path);
      if (there === undefined) return files.create(path, content, owner);
      if (there.has(path)) return false;
      there.set(path, content);
      return true;
    },
  };
}

/** The kernel shows one more interface: that which was attached. */
function withInterfaces(files: NodeFiles, client: Client, instance: Instance): NodeFiles {
  return {
    ...files,
    list: async (path) => (path === "/sys/class/net" ? ["eth0", "eth1"] : files.list(path)),
    read: async (path) =>
      path === "/sys/class/net/eth1/address"
        ? ((await secondOf(client, instance))?.MacAddress ?? "")
        : files.read(path),
  };
}

/** The interface that an instance was given after it was launched. */
async function secondOf(client: Client, instance: Instance) {
  const { ec2 } = sdkOver(client);
  const found = await ec2.send(
    new DescribeNetworkInterfacesCommand({ Filters: [{ Name: "attachment.instance-id", Values: [instance.id] }] }),
  );
  return found.NetworkInterfaces?.find((one) => one.Attachment?.DeviceIndex === 1);
}

/** What the stand-in's metadata service does not say: of interfaces, and of Auto Scaling's intentions. */
function metadataOr(client: Client, instance: Instance, ending: () => boolean): typeof fetch {
  const more = async (path: string): Promise<string | undefined> => {
    if (path === "autoscaling/target-lifecycle-state") return ending() ? "Terminated" : "InService";
    const asked = /^network\/interfaces\/macs\/([^/]+)\/(.+)$/.exec(path);
    if (asked === null) return undefined;
    const second = await secondOf(client, instance);
    if (second?.MacAddress !== asked[1]) return undefined;
    if (asked[2] === "local-ipv4s") return second?.PrivateIpAddress;
    const { ec2 } = sdkOver(client);
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [second?.SubnetId ?? ""] }));
    return Subnets?.[0]?.CidrBlock;
  };
  return async (input, init) => {
    const request = new Request(input, init);
    const { hostname, pathname } = new URL(request.url);
    const said = hostname === metadataHost ? await more(pathname.replace("/latest/meta-data/", "")) : undefined;
    return said === undefined ? client.fetch(request) : new Response(said);
  };
}
