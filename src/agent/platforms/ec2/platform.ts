import { proveCaller, verifyCaller } from "../../../host/aws/caller.ts";
import { readRecord } from "../../../records/access.ts";
import { nameHost } from "../files.ts";
import type { Platform, PlatformPorts } from "../platform.ts";
import { addressOf, useAddress } from "./address.ts";
import { mountDisks, showDisks } from "./disks.ts";
import { lookAround, type Here } from "./here.ts";
import { memberIdentity } from "./identity.ts";
import { RosterKeeper } from "./keeper.ts";
import { Departure } from "./lifecycle.ts";
import { ownDisks, takeDisks, untilOurs } from "./own.ts";
import { arrive, takePlace } from "./place.ts";
import { ec2Id } from "./roster.ts";
import { Signal } from "./signal.ts";
import { Trouble } from "./trouble.ts";

/** S3 is paid by the request: a node at rest asks twice a minute. Milliseconds. */
const pause = { atRest: 30_000, asking: 3_000 };
const waiting = 5_000;

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

  const told = new Signal(call("cloudformation"), tags.waiting, who.instance);
  const trouble = new Trouble(here, { clock, say }, told);
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
      const reason = error instanceof Error ? error.message : String(error);
      say(`disks: ${reason}`);
      await trouble.tell(self, "disks", { reason, stuck: true });
      await clock.sleep(waiting, signal);
    }
  }

  const departure = new Departure(here);
  const roster = new RosterKeeper(here, { store, clock, random, say });
  return {
    instance,
    store,
    gateway: "",
    life: who.instance,
    machine: who.instance,
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
    waits: (waiting) => trouble.tell(instance, "join", waiting),
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
