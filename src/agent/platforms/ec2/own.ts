import type { Clock } from "../../../host/clock.ts";
import type { Ec2 } from "../../../host/aws/ec2.ts";
import type { Imds } from "../../../host/aws/imds.ts";
import { tagNames } from "../../../records/tags.ts";

/** What an instance's tags say of it; only the stack writes them. */
export type OwnTags = {
  readonly group: string;
  /** The control member that it is, with the interface that outlives it; undefined: a worker. */
  readonly member: { readonly node: string; readonly networkInterface: string | undefined } | undefined;
  /** By the volume's name: the disk's id for a control member, whose disks outlive it; the device for a worker. */
  readonly disks: ReadonlyMap<string, string>;
  /** What in which stack waits for this instance's word. */
  readonly waiting: { readonly stack: string; readonly resource: string } | undefined;
};

/** The instance's tags by its metadata service (launch template: `InstanceMetadataTags`). */
export async function ownTags(metadata: Imds): Promise<OwnTags> {
  const folder = "meta-data/tags/instance";
  const names = (await metadata.get(folder))?.split("\n") ?? [];
  const tags = new Map<string, string>();
  for (const name of names.filter((one) => one.startsWith("slipway."))) {
    const value = await metadata.get(`${folder}/${name}`);
    if (value !== undefined) tags.set(name, value);
  }
  const group = tags.get(tagNames.group);
  if (group === undefined)
    throw new Error(`this instance has no tag ${tagNames.group}: its launch template is not ours`);
  const [node, stack, resource] = [tags.get(tagNames.node), tags.get(tagNames.stack), tags.get(tagNames.resource)];
  const prefix = `${tagNames.volume}.`;
  const disks = [...tags].flatMap(([name, id]): [string, string][] =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), id]] : [],
  );
  return {
    group,
    member: node === undefined ? undefined : { node, networkInterface: tags.get(tagNames.interface) },
    disks: new Map(disks),
    waiting: stack === undefined || resource === undefined ? undefined : { stack, resource },
  };
}

/** Attaching takes EC2 seconds; who waits longer says why and asks again. Milliseconds. */
const attachWithin = 60_000;
const betweenLooks = 2_000;

/** Waits until something of ours is attached to this instance; `attach` is called once, when it is free. */
export async function untilOurs(
  what: string,
  instance: string,
  clock: Clock,
  look: () => Promise<{ readonly instance: string; readonly state: string } | undefined>,
  attach: () => Promise<void>,
): Promise<void> {
  let asked = false;
  for (const end = clock.now() + attachWithin; ; await clock.sleep(betweenLooks)) {
    const attached = await look();
    if (attached?.instance === instance && attached.state === "attached") return;
    if (attached !== undefined && attached.instance !== instance && attached.state !== "detached") {
      // Its instance is being terminated: EC2 detaches it then. A living one keeps it, and no force takes it away.
      if (clock.now() >= end) throw new Error(`${what} is ${attached.state} to ${attached.instance}: it waits for it`);
      continue;
    }
    if (clock.now() >= end) throw new Error(`${what} is not attached yet`);
    if (attached?.instance === instance || asked) continue;
    await attach();
    asked = true;
  }
}

/** Letters of devices, in the order in which EC2 recommends them (AWS, "Device names for volumes"). */
const letters = "fghijklmnop";

/** A disk as EC2 knows it: by its id, and by the device that it is attached as. */
export type Attached = { readonly id: string; readonly device: string };

/** A worker's disks come with it; which is which says the device that its launch template gives them. */
export async function ownDisks(
  ec2: Ec2,
  instance: string,
  devices: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Attached>> {
  if (devices.size === 0) return new Map();
  const there = await ec2.disksOf(instance);
  return new Map(
    [...devices].map(([name, device]) => {
      const disk = there.find(({ attached }) => attached?.device === device);
      if (disk === undefined) throw new Error(`the disk ${name} (${device}) is not attached yet`);
      return [name, { id: disk.id, device }];
    }),
  );
}

/** Attaches the disks of the member that this instance is; gives the device that EC2 knows each by. */
export async function takeDisks(
  ec2: Ec2,
  instance: string,
  disks: ReadonlyMap<string, string>,
  clock: Clock,
): Promise<ReadonlyMap<string, Attached>> {
  const found = new Map<string, Attached>();
  const names = [...disks.keys()].toSorted();
  for (const [index, name] of names.entries()) {
    const id = disks.get(name) ?? "";
    let device = `/dev/sd${letters[index] ?? "z"}`;
    await untilOurs(
      `the disk ${name} (${id})`,
      instance,
      clock,
      async () => {
        const { attached } = await ec2.disk(id);
        if (attached?.instance === instance) device = attached.device;
        return attached;
      },
      () => ec2.attachDisk(id, instance, device),
    );
    found.set(name, { id, device });
  }
  return found;
}
