import { letIn } from "../../../components/admission.ts";
import { rosterOf } from "../../../components/node.ts";
import { ec2, type Ec2 } from "../../../host/aws/ec2.ts";
import { proveCaller, verifyCaller } from "../../../host/aws/caller.ts";
import { imds, type Ec2Identity, type Imds } from "../../../host/aws/imds.ts";
import { awsQuery, queryService, type AwsQuery } from "../../../host/aws/query.ts";
import { awsRequester } from "../../../host/aws/request.ts";
import { fingerprint } from "../../../pki/renewal.ts";
import { listRecords, readRecord, updateRecord } from "../../../records/access.ts";
import type { RecordValue } from "../../../records/table.ts";
import { objectKey, recordKey } from "../../../records/objects.ts";
import { tagNames } from "../../../records/tags.ts";
import { s3Store } from "../../../store/s3.ts";
import type { ClusterStore } from "../../../store/store.ts";
import type { PlatformPorts } from "../choose.ts";
import { nameHost } from "../files.ts";
import { bootstrapFile } from "../local.ts";
import type { Platform } from "../platform.ts";
import { addressOf, useAddress } from "./address.ts";
import { mountDisks, showDisks } from "./disks.ts";
import { memberIdentity } from "./identity.ts";
import { Departure } from "./lifecycle.ts";
import { ownDisks, ownTags, takeDisks, untilOurs, type OwnTags } from "./own.ts";
import { RosterKeeper } from "./keeper.ts";
import { ec2Id, rivals } from "./roster.ts";
import { Signal } from "./signal.ts";

const bucketFile = "/etc/slipway/bucket";
/** S3 is paid by the request: a node at rest asks twice a minute. Milliseconds. */
const pause = { atRest: 30_000, asking: 3_000 };
const waiting = 5_000;

/** This instance, and AWS as it sees it. */
export type Here = {
  readonly cluster: string;
  readonly group: string;
  /** SHA-256 of the root certificate, where the operator had founded the cluster when the user data was made. */
  readonly pin: string | undefined;
  readonly who: Ec2Identity;
  readonly tags: OwnTags;
  readonly metadata: Imds;
  readonly ec2: Ec2;
  readonly store: ClusterStore;
  readonly call: (service: "autoscaling" | "cloudformation" | "ec2" | "sts") => AwsQuery;
};

/** A node on EC2: who it is AWS says, by its metadata service and by IAM; its store is a bucket. */
export async function ec2Platform(ports: PlatformPorts): Promise<Platform> {
  const { files, say, clock, signal, processes, random } = ports;
  const here = await lookAround(ports);
  const { who, tags, store, call } = here;
  // IAM's own name for this instance (`aws:userid`): its role's id and its own.
  const self = (await call("sts")("GetCallerIdentity")).text("GetCallerIdentityResult", "UserId").replace(":", ".");
  if (!self.endsWith(`.${who.instance}`)) throw new Error(`AWS calls this instance ${self}, and not ${who.instance}`);
  let address = who.address;
  let instance = self;
  const disks = { files, processes, clock, download: ports.download, systemd: ports.systemd };

  for (let ready = false; !ready && !signal.aborted;) {
    try {
      address = (await takeAddress(ports, here)) ?? address;
      const attached =
        tags.member === undefined
          ? await ownDisks(here.ec2, who.instance, tags.disks)
          : await takeDisks(here.ec2, who.instance, tags.disks, clock);
      await showDisks(disks, attached);
      if (attached.size > 0) await mountDisks(disks, await ownMachine(here));
      if (tags.member !== undefined) instance = await memberIdentity(files, { instance: self, node: tags.member.node });
      ready = true;
    } catch (error) {
      say(`disks: ${error instanceof Error ? error.message : String(error)}`);
      await clock.sleep(waiting, signal);
    }
  }

  const told = new Signal(call("cloudformation"), tags.waiting, who.instance);
  const departure = new Departure(here);
  const roster = new RosterKeeper(here, { store, clock, random, say });
  return {
    instance,
    store,
    gateway: "",
    life: who.instance,
    pause,
    proving: {
      prove: async (binding) => {
        const credentials = await here.metadata.credentials(false);
        return proveCaller({ region: who.region, credentials, clock }, binding);
      },
      async check(asker, proof, binding) {
        const asking = { region: who.region, signal, ...(ports.fetch === undefined ? {} : { fetch: ports.fetch }) };
        const caller = await verifyCaller(asking, proof, binding);
        if (caller.account !== who.account || caller.session !== ec2Id(asker))
          throw new Error(`AWS says that it is ${caller.session} of the account ${caller.account}`);
      },
    },
    ask: () =>
      tags.member === undefined
        ? arrive(here, { instance, address }, ports)
        : takePlace(here, { instance, address, node: tags.member.node }, ports),
    admitted: (node) => nameHost(processes, node, say),
    certificatesChanged: async () => {},
    async tend(record) {
      if (record === undefined) return;
      const word = await told.tell(record, clock.now());
      if (word !== undefined) say(`the stack is told: ${word}`);
      if (tags.member !== undefined) await roster.tend();
      await departure.tend(record);
    },
    close: () => {},
  };
}

async function lookAround({ files, clock, random, signal, fetch }: PlatformPorts): Promise<Here> {
  const [boot, bucket] = await Promise.all([bootstrapFile(files), files.read(bucketFile)]);
  const { cluster, group } = boot;
  if (cluster === undefined || group === undefined || bucket === undefined)
    throw new Error(`the user data names no cluster, no group, or no bucket in ${bucketFile}`);
  const asking = { clock, signal, ...(fetch === undefined ? {} : { fetch }) };
  const metadata = imds(asking);
  const who = await metadata.identity();
  const domain = (await metadata.get("meta-data/services/domain")) ?? "amazonaws.com";
  const { region } = who;
  const request = awsRequester({ ...asking, region, credentials: (anew) => metadata.credentials(anew), random });
  const call: Here["call"] = (service) => awsQuery(queryService(service, region, domain), request);
  const store = s3Store({
    url: `https://${bucket.trim()}.s3.${region}.${domain}`,
    owner: who.account,
    request,
    random,
    names: { object: objectKey, key: recordKey },
  });
  return {
    cluster,
    group,
    pin: boot.pin,
    who,
    tags: await ownTags(metadata),
    metadata,
    ec2: ec2({ ec2: call("ec2"), autoscaling: call("autoscaling") }),
    store,
    call,
  };
}

/** A control member's address is that of its interface, which outlives machines. */
async function takeAddress(ports: PlatformPorts, here: Here): Promise<string | undefined> {
  const id = here.tags.member?.networkInterface;
  if (id === undefined) return undefined;
  const look = () => here.ec2.networkInterface(id);
  await untilOurs(
    `the interface ${id}`,
    here.who.instance,
    ports.clock,
    async () => (await look()).attached,
    () => here.ec2.attachInterface(id, here.who.instance),
  );
  const { mac } = await look();
  const address = await addressOf(here.metadata, mac);
  if (address === undefined) throw new Error(`the metadata service does not show the interface ${id} yet`);
  await useAddress(ports, address);
  return address.address;
}

/** What this group's machine is to be, before this instance is anybody. */
async function ownMachine({ store, group }: Here): Promise<Parameters<typeof mountDisks>[1]> {
  const pointer = await readRecord(store, "pointer");
  if (pointer === undefined) throw new Error("no revision is published yet");
  const { revision } = pointer.value;
  const found = await readRecord(store, "groupRevision", { revision, group });
  if (found === undefined) throw new Error(`revision ${revision} has no group ${group}`);
  const { files, units } = found.value.machine;
  return {
    directories: [],
    links: [],
    users: [],
    groups: [],
    kernelArguments: [],
    files,
    units: units.map(({ content, ...unit }) => (content === undefined ? unit : { ...unit, content })),
  };
}

/** The cluster whose root the user data pins; a bucket of another's is refused before anything is written into it. */
async function foundedCluster({ store, pin, cluster: name }: Here): Promise<RecordValue<"cluster">> {
  const [cluster, root] = await Promise.all([readRecord(store, "cluster"), readRecord(store, "root")]);
  if (cluster === undefined || root === undefined) throw new Error("the bucket has no cluster yet");
  if (cluster.value.name !== name) throw new Error(`the bucket is that of ${cluster.value.name}, not of ${name}`);
  if (pin !== undefined && fingerprint(root.value.certificate) !== pin)
    throw new Error("the bucket's root certificate is not the one that this machine's user data pins");
  return cluster.value;
}

/** A worker says that it is there, under its own name, which nobody else can write; a control node lets it in. */
async function arrive(
  here: Here,
  { instance, address }: { readonly instance: string; readonly address: string },
  { clock, random }: PlatformPorts,
): Promise<void> {
  const { store, group } = here;
  const { generation } = await foundedCluster(here);
  await updateRecord(store, "registration", { generation, instance }, (there) =>
    there?.address === address && there.group === group
      ? undefined
      : { instance, node: "", group, role: "worker", address, nonce: random.hex(8), time: clock.now() },
  );
}

/**
 * A control member takes its place in the roster by itself: it has the issuing authorities anyway. Who was there before it,
 * with another disk, is gone: but only when EC2 shows no other living machine with this member's tag.
 */
async function takePlace(
  here: Here,
  own: { readonly instance: string; readonly address: string; readonly node: string },
  { clock, random, say }: PlatformPorts,
): Promise<void> {
  const { store, ec2: aws, who, group, cluster: name } = here;
  const cluster = await foundedCluster(here);
  const machines = await aws.instances(tagNames.cluster, name);
  const [rival] = rivals(machines, own.node, who.instance);
  if (rival !== undefined) throw new Error(`${rival.id}, which is ${rival.state}, is ${own.node} still`);
  const entries = await rosterOf(store);
  for (const { instance, node, state } of entries) {
    if (node !== own.node || instance === own.instance || state === "gone") continue;
    say(`roster: ${instance}, which was ${node} before with another disk, is gone`);
    await updateRecord(store, "roster", { instance }, (now) =>
      now === undefined || now.state === "gone" ? undefined : { ...now, state: "gone", nonce: random.hex(8) },
    );
  }
  const all = (await listRecords(store, "roster")).map(({ value }) => value);
  const { instance, address, node } = own;
  await letIn(
    { store, clock, random, say },
    { instance, address, group, role: "control", tokenHash: "", node },
    cluster,
    all,
  );
}
