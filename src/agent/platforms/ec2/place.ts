import { letIn } from "../../../components/admission.ts";
import { fingerprint } from "../../../pki/renewal.ts";
import { listRecords, readRecord, updateRecord } from "../../../records/access.ts";
import type { RecordValue } from "../../../records/table.ts";
import { tagNames } from "../../../records/tags.ts";
import type { PlatformPorts } from "../platform.ts";
import type { Here } from "./here.ts";
import { rivals } from "./roster.ts";

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
export async function arrive(
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
export async function takePlace(
  here: Here,
  own: { readonly instance: string; readonly address: string; readonly node: string },
  { clock, random, say }: PlatformPorts,
): Promise<void> {
  const { store, ec2: aws, who, group, cluster: name } = here;
  const cluster = await foundedCluster(here);
  const machines = await aws.instances(tagNames.cluster, name);
  const [rival] = rivals(machines, own.node, who.instance);
  if (rival !== undefined) throw new Error(`${rival.id}, which is ${rival.state}, is ${own.node} still`);
  const before = (await listRecords(store, "roster")).map(({ value }) => value);
  for (const { instance, node, state } of before) {
    if (node !== own.node || instance === own.instance || state === "gone") continue;
    say(`roster: ${instance}, which was ${node} before with another disk, is gone`);
    await updateRecord(store, "roster", { instance }, (now) =>
      now === undefined || now.state === "gone" ? undefined : { ...now, state: "gone", nonce: random.hex(8) },
    );
  }
  const { instance, address, node } = own;
  await letIn(
    { store, clock, random, say },
    { instance, address, group, role: "control", tokenHash: "", node },
    cluster,
    before,
  );
}
