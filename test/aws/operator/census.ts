import type { Version } from "../stand-in/s3/objects.ts";
import type { StandIn } from "../stand-in/stand-in.ts";
import { listAt, textAt, type Element } from "../stand-in/xml.ts";

/** What EC2 and IAM are asked for, and where in the answer it stands. */
const lists = [
  ["ec2", "DescribeVpcs", "vpcSet"],
  ["ec2", "DescribeSubnets", "subnetSet"],
  ["ec2", "DescribeRouteTables", "routeTableSet"],
  ["ec2", "DescribeInternetGateways", "internetGatewaySet"],
  ["ec2", "DescribeVpcEndpoints", "vpcEndpointSet"],
  ["ec2", "DescribeSecurityGroups", "securityGroupInfo"],
  ["ec2", "DescribeSecurityGroupRules", "securityGroupRuleSet"],
  ["ec2", "DescribeLaunchTemplates", "launchTemplates"],
  ["ec2", "DescribeNetworkInterfaces", "networkInterfaceSet"],
  ["ec2", "DescribeVolumes", "volumeSet"],
  ["ec2", "DescribeAddresses", "addressesSet"],
  ["iam", "ListRoles", "ListRolesResult", "Roles"],
  ["iam", "ListInstanceProfiles", "ListInstanceProfilesResult", "InstanceProfiles"],
] as const;

/** Waits until no instance is on its way from one state to another. */
export async function rest(standIn: StandIn): Promise<void> {
  const moving = /^(?:pending|stopping|shutting-down)$/;
  for (let round = 0; round < 60; round++) {
    const all = [...standIn.place().ec2.instances.all.values()];
    if (!all.some(({ state }) => moving.test(state))) return;
    await standIn.clock.advance(10_000);
  }
  throw new Error("instances are on their way for ten minutes");
}

/**
 * All that there is in the account, past every API that the operator uses: each thing by its kind and name and how many there
 * are of it. Ids, which differ from world to world, are left out of names.
 */
export async function census(standIn: StandIn): Promise<readonly string[]> {
  await rest(standIn);
  const { place, ec2, autoscaling, cloudformation, s3 } = standIn.place();
  const found: string[] = [];
  for (const [bucket, { shelf }] of s3.buckets) {
    found.push(`bucket ${bucket} ${shelf.versioning}`);
    for (const [key, [newest]] of shelf.objects)
      if (newest?.body !== undefined) found.push(`object ${withoutIds(key, newest)}`);
  }
  for (const stack of cloudformation.stacks.values()) {
    if (stack.status === "DELETE_COMPLETE") continue;
    const name = `${stack.name} ${stack.status}${stack.protected ? " protected" : ""}`;
    found.push(`stack ${name}`);
    for (const { id, type, status } of stack.resources.values())
      if (status !== "DELETE_COMPLETE") found.push(`resource ${id} ${type}`);
    for (const { name: set, status, execution } of stack.changeSets.values())
      if (status !== "DELETE_COMPLETE" && execution === "AVAILABLE") found.push(`change set ${set} ${status}`);
  }
  for (const { state, type, tags } of ec2.instances.all.values())
    if (state !== "terminated")
      found.push(`instance ${state} ${type} ${tags["slipway.group"] ?? ""} ${tags["slipway.node"] ?? ""}`);
  for (const { name, min, max, desired, members, suspended } of autoscaling.engine.groups.values())
    found.push(
      `group ${name} ${min} ${max} ${desired} ${[...members.values()].map(({ lifecycle }) => lifecycle).join(" ")} ${[...suspended].join(" ")}`,
    );
  for (const [service, action, ...way] of lists) {
    const answer = await place.ask(service, action);
    for (const item of listAt(answer, ...way))
      // moto goes on listing an endpoint that is gone.
      if (textAt(item, "state") !== "deleted") found.push(`${action} ${nameOf(item)}`);
  }
  const logs = await place.backend.forward({
    service: "logs",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups" },
    body: "{}",
  });
  const text = typeof logs.body === "string" ? logs.body : new TextDecoder().decode(logs.body);
  for (const [, group = ""] of text.matchAll(/"logGroupName": ?"([^"]+)"/g)) found.push(`log group ${group}`);
  const counts = new Map<string, number>();
  for (const one of found)
    if (!one.includes("journal/") || !counts.has(one)) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].map(([one, count]) => `${count} ${one}`).toSorted();
}

function nameOf(item: Element): string {
  const tags = listAt(item, "tagSet").map((tag) => `${textAt(tag, "key")}=${textAt(tag, "value")}`);
  const own = tags.filter((tag) => /^(?:Name|slipway\.\w+|aws:cloudformation:logical-id)=/.test(tag)).toSorted();
  const [size, ...ports] = [textAt(item, "size"), textAt(item, "ipProtocol"), textAt(item, "fromPort")];
  return `${own.join(" ")} ${size} ${ports.join(" ")}`.trim();
}

/** Records of instances and generations have random names; how often a launch has been written down is no matter of what there is. */
function withoutIds(key: string, { body }: Version): string {
  const name = key
    .replaceAll(/AROA[A-Z0-9]+/g, "ROLE")
    .replaceAll(/i-[0-9a-f]{17}/g, "ID")
    .replace(/(generation\/)[0-9a-f]+/, "$1ID")
    .replace(/(journal\/).*/, "$1…");
  if (name.endsWith("records/lock")) return `${name} ${lockOf(body)}`;
  return name;
}

/** Who holds the lock, and since which epoch; not until when, which each renewal says anew. */
export function lockOf(body: Uint8Array | undefined): string {
  const said: unknown = JSON.parse(new TextDecoder().decode(body?.subarray(32)));
  if (typeof said !== "object" || said === null || !("holder" in said))
    throw new Error("the lock's record has no holder");
  return said.holder === null ? "free" : "held";
}

/**
 * All that can change in the world, as one text: two moments of the same text are one state, whoever was asked what in between.
 * What moto holds is told by how often it was changed. A lock that is renewed is the same lock.
 */
export function face(standIn: StandIn): string {
  const { place, ec2, autoscaling, cloudformation, s3 } = standIn.place();
  return JSON.stringify([
    place.backend.moto.changes,
    [...s3.buckets].map(([bucket, { shelf }]) => [
      bucket,
      shelf.versioning,
      [...shelf.objects].map(([key, versions]) =>
        key.endsWith("records/lock") ? [key, lockOf(versions[0]?.body)] : [key, versions.map(({ etag }) => etag)],
      ),
    ]),
    [...cloudformation.stacks.values()].map(({ status, protected: held, resources, events, changeSets, signals }) => [
      status,
      held,
      [...resources.values()].map(({ id, physical, status: now }) => [id, physical, now]),
      events.length,
      [...changeSets.values()].map(({ name, status: now, execution }) => [name, now, execution]),
      [...signals.values()].map((one) => one.size),
    ]),
    [...ec2.instances.all.values()].map(({ id, state }) => [id, state]),
    [...autoscaling.engine.groups.values()].map(({ name, min, max, desired, members, suspended }) => [
      name,
      [min, max, desired],
      [...members.values()].map(({ id, lifecycle }) => [id, lifecycle]),
      [...suspended],
    ]),
  ]);
}
