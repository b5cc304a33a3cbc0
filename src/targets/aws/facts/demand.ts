import type { Cluster } from "../../../cluster/cluster.ts";
import type { Examination } from "../../target.ts";
import type { Ec2, Instance } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import { graphOf } from "../graph/graph.ts";
import type { AwsFacts } from "./facts.ts";

/** Quotas that a new cluster runs into (AWS, "Amazon EC2 service quotas", "Amazon VPC quotas"). */
const quotas = {
  onDemand: { service: "ec2", code: "L-1216C47A", name: "vCPUs of running on-demand standard instances" },
  spot: { service: "ec2", code: "L-34B43A08", name: "vCPUs of standard spot instances" },
  addresses: { service: "ec2", code: "L-0263D0A3", name: "Elastic IP addresses" },
  networks: { service: "vpc", code: "L-F678F1CE", name: "VPCs in a region" },
} as const;
type Quota = keyof typeof quotas;

/** The families that the two quotas of vCPUs are about. */
const standard = /^[acdhimrtz]\d/;

/** What is running counts by its vCPUs, on demand and spot apart. */
function vcpusOf(running: readonly Instance[], lifecycle: "spot" | undefined): number {
  return running
    .filter(
      ({ InstanceLifecycle, InstanceType = "" }) => InstanceLifecycle === lifecycle && standard.test(InstanceType),
    )
    .reduce((sum, { CpuOptions }) => sum + (CpuOptions?.CoreCount ?? 1) * (CpuOptions?.ThreadsPerCore ?? 1), 0);
}

/** How much of each quota is taken; one that AWS does not tell is left out. */
export async function headroom(session: Session): Promise<
  readonly {
    readonly service: string;
    readonly code: string;
    readonly name: string;
    readonly taken: number;
    readonly most: number;
  }[]
> {
  const [ec2, service] = await Promise.all([session.ec2(), session.quotas()]);
  const [running, addresses, networks, ...most] = await Promise.all([
    ec2.instances([{ Name: "instance-state-name", Values: ["pending", "running"] }]),
    ec2.addresses(),
    ec2.vpcs(),
    ...Object.values(quotas).map((quota) => service.quota(quota.service, quota.code)),
  ]);
  const taken: Readonly<Record<Quota, number>> = {
    onDemand: vcpusOf(running, undefined),
    spot: vcpusOf(running, "spot"),
    addresses: addresses.length,
    networks: networks.length,
  };
  return (Object.keys(quotas) as Quota[]).flatMap((quota, index) => {
    const all = most[index];
    return all === undefined ? [] : [{ ...quotas[quota], taken: taken[quota], most: all }];
  });
}

/** What the cluster takes of each quota, and what is taken already. */
async function demand(
  session: Session,
  cluster: Cluster,
  facts: AwsFacts,
  vpcs: Ec2["vpcs"],
): Promise<readonly { readonly quota: Quota; readonly wanted: number; readonly taken: number }[]> {
  const ec2 = await session.ec2();
  const types = [...new Set(cluster.groups.flatMap(({ aws }) => aws.instanceTypes))].filter((type) =>
    standard.test(type),
  );
  const [sizes, running] =
    types.length === 0
      ? [[], []]
      : await Promise.all([
          ec2.types(types),
          ec2.instances([{ Name: "instance-state-name", Values: ["pending", "running"] }]),
        ]);
  const cpusOf = new Map(
    sizes.map(({ InstanceType = "", VCpuInfo }) => [String(InstanceType), VCpuInfo?.DefaultVCpus ?? 0]),
  );
  let [onDemand, spot] = [0, 0];
  for (const { count, aws } of cluster.groups) {
    const each = Math.max(0, ...aws.instanceTypes.map((type) => cpusOf.get(type) ?? 0));
    const certain = Math.min(count, aws.onDemandBase);
    const spots = Math.floor(((count - certain) * aws.spotPercent) / 100);
    onDemand += (count - spots) * each;
    spot += spots * each;
  }
  const { resources } = graphOf({ cluster, facts, userData: () => "" });
  const addresses = resources.filter(({ type }) => type === "AWS::EC2::EIP").length;
  const networks = resources.filter(({ type }) => type === "AWS::EC2::VPC").length;
  return [
    ...(onDemand === 0 ? [] : [{ quota: "onDemand" as const, wanted: onDemand, taken: vcpusOf(running, undefined) }]),
    ...(spot === 0 ? [] : [{ quota: "spot" as const, wanted: spot, taken: vcpusOf(running, "spot") }]),
    ...(addresses === 0
      ? []
      : [{ quota: "addresses" as const, wanted: addresses, taken: (await ec2.addresses()).length }]),
    ...(networks === 0 ? [] : [{ quota: "networks" as const, wanted: networks, taken: (await vpcs()).length }]),
  ];
}

/** Quotas that do not do. One that AWS does not tell is not judged. */
export async function quotaProblems(
  session: Session,
  cluster: Cluster,
  facts: AwsFacts,
  vpcs: Ec2["vpcs"],
): Promise<readonly Examination[]> {
  const asked = await session.quotas();
  const found = await Promise.all(
    (await demand(session, cluster, facts, vpcs)).map(
      async ({ quota, wanted, taken }): Promise<readonly Examination[]> => {
        const { service, code, name } = quotas[quota];
        const most = await asked.quota(service, code);
        if (most === undefined || wanted + taken <= most) return [];
        return [
          {
            subject: `quota ${code}`,
            state: "bad",
            message: `${name}: ${most} are allowed, ${taken} are taken, and the cluster needs ${wanted}`,
            fix: `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${wanted + taken}`,
          },
        ];
      },
    ),
  );
  return found.flat();
}
