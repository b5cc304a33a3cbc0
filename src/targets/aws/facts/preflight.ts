import ipaddr from "ipaddr.js";
import type { Cluster } from "../../../cluster/cluster.ts";
import type { Examination } from "../../target.ts";
import { programSums, type Programs } from "../bucket/programs.ts";
import { isTrouble } from "../clients/caller.ts";
import type { Ec2 } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { compile } from "../compile.ts";
import { plainValue } from "../cloudformation.ts";
import { logGroup } from "../graph/store.ts";
import { operatorPolicy } from "../policy/policy.ts";
import { quotaProblems } from "./demand.ts";
import type { AwsFacts } from "./facts.ts";
import { imageNow } from "./image.ts";

/** A launch of many nodes takes so long. Milliseconds. */
const launchTime = 20 * 60_000;

const bad = (subject: string, message: string, fix?: string): Examination => ({
  subject,
  state: "bad",
  message,
  ...(fix === undefined ? {} : { fix }),
});
const doubtful = (subject: string, message: string, fix?: string): Examination => ({
  ...bad(subject, message, fix),
  state: "warning",
});

/** Everything that would stop a creation, looked at before the first thing is made. Each with what to do. */
export async function preflight(
  session: Session,
  cluster: Cluster,
  facts: AwsFacts,
  programs: () => Promise<Programs>,
): Promise<readonly Examination[]> {
  let asked: ReturnType<Ec2["vpcs"]> | undefined;
  const vpcs = async (): ReturnType<Ec2["vpcs"]> => (asked ??= (await session.ec2()).vpcs());
  const checks: readonly Promise<readonly Examination[]>[] = [
    timeLeft(session),
    compiles(cluster, facts, programs),
    quotaProblems(session, cluster, facts, vpcs),
    images(session, cluster, facts),
    keyPairs(session, cluster),
    logGroupFree(session, cluster),
    networks(session, cluster, vpcs),
    permissions(session, cluster, facts),
  ];
  return (await Promise.all(checks.map(asFinding))).flat();
}

/** What nobody may look at is said, and stops nothing: AWS will say it again where it matters. */
async function asFinding(check: Promise<readonly Examination[]>): Promise<readonly Examination[]> {
  try {
    return await check;
  } catch (error) {
    if (!isTrouble(error, "forbidden")) throw error;
    return [doubtful("permissions", `not looked at: ${error.message}`, error.next)];
  }
}

async function timeLeft(session: Session): Promise<readonly Examination[]> {
  const expires = await session.expires();
  if (expires === undefined) return [];
  const left = expires - session.clock.now();
  if (left > launchTime) return [];
  const message = `the credentials end in ${Math.max(0, Math.round(left / 60_000))} minutes, and a launch takes up to ${launchTime / 60_000}`;
  return [
    left < 5 * 60_000 ? bad("credentials", message, "log in again") : doubtful("credentials", message, "log in again"),
  ];
}

/** What can be seen without AWS: limits of the template and of user data, the account, zones and types. */
async function compiles(
  cluster: Cluster,
  facts: AwsFacts,
  programs: () => Promise<Programs>,
): Promise<readonly Examination[]> {
  const runtime = facts.programs ?? programSums(await programs());
  const read = compile(cluster, facts, { runtime });
  const problems = read.kind === "bad" ? read.problems : [];
  return problems.map(({ path, message, fix }) => bad(path.join("."), message, fix));
}

async function images(session: Session, cluster: Cluster, facts: AwsFacts): Promise<readonly Examination[]> {
  const own = cluster.aws.images[facts.region ?? ""];
  const pinned = Object.values(facts.images ?? {}).map(({ id }) => id);
  const ids = own === undefined ? pinned : [own];
  if (ids.length === 0)
    return [
      bad(
        "image",
        `there is no image of ${cluster.os} in ${facts.region ?? "this region"}`,
        "aws: { images: { REGION: ami-… } }",
      ),
    ];
  // What has just been found is there.
  if (own === undefined) return [];
  const state = (await imageNow(session, own))?.State;
  return state === "available"
    ? []
    : [bad("image", `${own} is ${state ?? "not there, or not for this account"}`, "another image in aws: images")];
}

async function keyPairs(session: Session, cluster: Cluster): Promise<readonly Examination[]> {
  const names = [...new Set(cluster.groups.flatMap(({ aws }) => aws.keyPair ?? []))];
  const ec2 = await session.ec2();
  const missing = await Promise.all(
    names.map(async (name) => {
      try {
        await ec2.keyPairs([name]);
        return [];
      } catch (error) {
        if (!isTrouble(error, "gone")) throw error;
        return [
          bad(
            "key pair",
            `there is no key pair ${name} in this region`,
            `aws ec2 import-key-pair --key-name ${name} …`,
          ),
        ];
      }
    }),
  );
  return missing.flat();
}

async function logGroupFree(session: Session, cluster: Cluster): Promise<readonly Examination[]> {
  const name = logGroup(cluster);
  return (await (await session.logs()).there(name))
    ? [
        bad(
          "log group",
          `${name} is there already`,
          `slipway cleanup ${cluster.name}, which removes what an earlier cluster of this name has left`,
        ),
      ]
    : [];
}

async function networks(session: Session, cluster: Cluster, vpcs: Ec2["vpcs"]): Promise<readonly Examination[]> {
  const { network } = cluster.aws;
  const ec2 = await session.ec2();
  if (network.kind === "made") {
    const others = (await vpcs()).filter(
      ({ CidrBlock = "", IsDefault }) => IsDefault !== true && overlap(CidrBlock, network.cidr),
    );
    return others.map(({ VpcId = "", CidrBlock = "" }) =>
      doubtful(
        "network",
        `${network.cidr} overlaps ${CidrBlock} of ${VpcId}: the two can never be joined`,
        "aws: { network: { cidr: … } }",
      ),
    );
  }
  try {
    const found = await ec2.subnets(network.subnets.map(({ subnet }) => subnet));
    return network.subnets.flatMap(({ zone, subnet }) => {
      const its = found.find(({ SubnetId }) => SubnetId === subnet);
      if (its === undefined) return [bad(subnet, "there is no such subnet")];
      return [
        ...(its.VpcId === network.vpc
          ? []
          : [bad(subnet, `it is in ${its.VpcId ?? "another VPC"}, not in ${network.vpc}`)]),
        ...(its.AvailabilityZone === zone
          ? []
          : [bad(subnet, `it is in ${its.AvailabilityZone ?? "another zone"}, not in ${zone}`)]),
      ];
    });
  } catch (error) {
    if (!isTrouble(error, "gone")) throw error;
    return [bad("network", error.message, "aws: { network: { subnets: … } }")];
  }
}

function overlap(one: string, other: string): boolean {
  const [[a, sizeA], [b, sizeB]] = [ipaddr.IPv4.parseCIDR(one), ipaddr.IPv4.parseCIDR(other)];
  return a.match(b, Math.min(sizeA, sizeB));
}

/** The caller as IAM's simulation takes it: a session of a role is asked for by its role. */
function principalOf(arn: string): string | undefined {
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  if (role !== undefined) return `arn:${partition}:iam::${account}:role/${role}`;
  return /:user\//.test(arn) ? arn : undefined;
}

async function permissions(session: Session, cluster: Cluster, facts: AwsFacts): Promise<readonly Examination[]> {
  const principal = principalOf((await session.identity()).arn);
  if (principal === undefined) return [];
  const zeros = "0".repeat(64);
  const read = compile(cluster, facts, { runtime: { agent: zeros, node: { x86_64: zeros, aarch64: zeros } } });
  if (read.kind === "bad") return [];
  const policy = JSON.stringify(plainValue(operatorPolicy(cluster, read.value.graph, facts, "launch")));
  const actions = [...new Set([...policy.matchAll(/"([a-z0-9-]+:[A-Z][A-Za-z]+)"/g)].map(([, action = ""]) => action))];
  try {
    const denied = await (await session.iam()).denied(principal, actions.toSorted());
    if (denied.length === 0) return [];
    // Bound to resources that are not there yet, what is allowed may look denied.
    return [
      doubtful(
        "permissions",
        `IAM's simulation denies ${denied.slice(0, 6).join(", ")}${denied.length > 6 ? ` and ${denied.length - 6} more` : ""}`,
        "slipway policy FILE is what a launch needs",
      ),
    ];
  } catch (error) {
    // A role under a path has another ARN than its sessions say.
    if (isTrouble(error, "forbidden", "gone", "invalid"))
      return [doubtful("permissions", `they could not be simulated: ${error.message}`)];
    throw error;
  }
}
