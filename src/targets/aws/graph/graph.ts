import type { Cluster, Group } from "../../../cluster/cluster.ts";
import type { AwsFacts } from "../facts/facts.ts";
import { imageParameters, launchTemplate, typeParameter } from "./machines.ts";
import { memberId, memberResources } from "./members.ts";
import { idPart } from "./names.ts";
import { networkOf } from "./network.ts";
import type { Graph, Output, Parameter, Resource } from "./resource.ts";
import { roleId, roleResources } from "./roles.ts";
import { everyNode, securityOf } from "./security.ts";
import { logGroup, storeBucket, storeCondition, storeParameter, storeResources } from "./store.ts";
import { attributeOf, idOf, pseudo, textOf, type Value } from "./value.ts";
import { addressIds, countParameter, workerResources } from "./workers.ts";

/** The account that each system's images make for who has the key (the systems' own documentation). */
const logins: Readonly<Record<Cluster["os"], string>> = {
  debian: "admin",
  "fedora-coreos": "core",
  flatcar: "core",
  ubuntu: "ubuntu",
};

export type GraphInput = {
  readonly cluster: Cluster;
  readonly facts: AwsFacts;
  /** What a group's nodes boot with; the store's bucket may stand in it. */
  readonly userData: (group: Group) => Value;
};

/** A resolved cluster as resources of AWS. Pure: the same cluster and facts give the same graph. */
export function graphOf({ cluster, facts, userData }: GraphInput): Graph {
  const network = networkOf(cluster, facts);
  const security = securityOf(cluster, network.vpc, facts);
  const resources = [
    ...network.resources,
    ...security.resources,
    ...storeResources(cluster),
    ...cluster.groups.flatMap((group) => {
      const worn = security.worn(group);
      const control = group.role === "control";
      return [
        ...roleResources(cluster, group, addressIds(group)),
        launchTemplate(cluster, group, {
          userData: userData(group),
          worn,
          public: network.public,
          // A control node's disks outlive it, and are made beside it.
          disks: control ? [] : group.volumes,
        }),
        ...(control ? memberResources(cluster, group, network, worn, facts) : workerResources(cluster, group, network)),
      ];
    }),
  ];
  const parameters: readonly Parameter[] = [
    storeParameter,
    ...network.parameters,
    ...imageParameters(cluster, facts),
    ...security.parameters,
    ...cluster.groups.flatMap((group) => [
      ...(group.role === "control" ? [] : [countParameter(group)]),
      ...[typeParameter(group)].filter((parameter) => parameter !== undefined),
    ]),
  ];
  return {
    description: `The cluster ${cluster.name}, made by Slipway`,
    parameters,
    conditions: [storeCondition],
    resources: facts.kept === undefined ? resources : afterAddresses(resources),
    outputs: outputsOf(cluster, network.vpc),
  };
}

/** Kept addresses are taken before anything takes one of its own choice from the same subnets. */
function afterAddresses(resources: readonly Resource[]): readonly Resource[] {
  const taken = resources.filter(({ properties }) => properties["PrivateIpAddress"] !== undefined).map(({ id }) => id);
  const chooses = new Set<Resource["type"]>(["AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::VPCEndpoint"]);
  return resources.map((resource) =>
    chooses.has(resource.type) ? { ...resource, after: [...(resource.after ?? []), ...taken] } : resource,
  );
}

function outputsOf(cluster: Cluster, vpc: Value): readonly Output[] {
  const control = cluster.groups.find(({ role }) => role === "control");
  const members = Array.from({ length: control?.count ?? 0 }, (_, index) => ({
    n: index + 1,
    id: control === undefined ? "" : memberId(control, index + 1),
  }));
  return [
    { name: "Network", description: "The VPC of the nodes", value: vpc },
    { name: "StoreName", description: "The bucket of the cluster's store", value: storeBucket },
    { name: "LogGroup", description: "Where nodes' logs are", value: logGroup(cluster) },
    {
      name: "NodesSecurityGroup",
      description: "Worn by every node: name it where something else is to let them in",
      value: attributeOf(everyNode, "GroupId"),
    },
    ...cluster.groups.map((group) => ({
      name: `${idPart(group.name)}RoleId`,
      description: `Instances of the group ${group.name} are known to the store by this and their own id`,
      value: attributeOf(roleId(group), "RoleId"),
    })),
    { name: "Login", description: "Who logs in to nodes", value: logins[cluster.os] },
    {
      name: "Reach",
      description: "How nodes are reached: by ssh, or by Systems Manager's sessions",
      value: cluster.aws.sshFrom.length === 0 && cluster.aws.sessionManager ? "session-manager" : "ssh",
    },
    ...members.map(({ n, id }) => ({
      name: `ControlAddress${n}`,
      description: `The address that control node ${n} keeps`,
      value: attributeOf(`${id}Interface`, "PrimaryPrivateIpAddress"),
    })),
    ...(control?.aws.fixedAddress === true
      ? members.map(({ n, id }) => ({
          name: `ControlPublicAddress${n}`,
          description: `The public address that control node ${n} keeps`,
          value: idOf(`${id}Address`),
        }))
      : []),
    {
      name: "Connect",
      description: "Lists the nodes with the ids by which Systems Manager reaches them",
      value: textOf(
        "aws ec2 describe-instances --region ",
        pseudo("Region"),
        ` --filters Name=tag:slipway.cluster,Values=${cluster.name} Name=instance-state-name,Values=running`,
      ),
    },
  ];
}
