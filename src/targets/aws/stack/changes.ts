import { zoneCount } from "../../../cluster/aws-network.ts";
import { nodeName, type Cluster, type Group, type NodeName } from "../../../cluster/cluster.ts";
import type { Change } from "../../../plan/plan.ts";
import type { ChangeSet, ResourceChange } from "../clients/cloudformation.ts";
import { templateId } from "../graph/machines.ts";
import { memberId } from "../graph/members.ts";
import { idPart, nameOf } from "../graph/names.ts";
import type { Graph, Resource } from "../graph/resource.ts";
import { inOrder } from "../graph/order.ts";

const untouched = { restarted: [], replaced: [] } as const;

/** `AWS::EC2::SecurityGroupIngress` as a word: `security-group-ingress`. */
export function kindOf(type: string): string {
  return (type.split("::").at(-1) ?? type)
    .replace(/^EIP/, "Eip")
    .replace(/^VPC/, "Vpc")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-")
    .toLowerCase();
}

function originOf({ origin }: Resource): Pick<Change, "origin"> {
  return origin.kind === "field" ? { origin: origin.path } : {};
}

/** Every resource of a stack that is not there yet. */
export function creations(graph: Graph): readonly Change[] {
  return inOrder(graph.resources)
    .filter(({ condition }) => condition === undefined)
    .map((resource) => ({
      id: `stack:${resource.id}`,
      action: "create",
      kind: kindOf(resource.type),
      name: resource.id,
      reason: `${resource.layer} of the cluster`,
      nodes: untouched,
      ...originOf(resource),
    }));
}

/** What CloudFormation would do, in our words. */
export function changesIn(changes: ChangeSet["Changes"], cluster: Cluster, graph: Graph): readonly Change[] {
  const byId = new Map(graph.resources.map((resource) => [resource.id, resource]));
  return (changes ?? []).flatMap(({ ResourceChange: change }): readonly Change[] => {
    if (change?.LogicalResourceId === undefined) return [];
    const id = change.LogicalResourceId;
    const resource = byId.get(id);
    return [
      {
        id: `stack:${id}`,
        action: actionOf(change),
        kind: kindOf(change.ResourceType ?? ""),
        name: id,
        reason: reasonOf(change),
        nodes: nodesOf(change, cluster),
        ...(resource === undefined ? {} : originOf(resource)),
      },
    ];
  });
}

function actionOf({ Action, Replacement }: ResourceChange): Change["action"] {
  switch (Action) {
    case "Add":
    case "Import":
      return "create";
    case "Remove":
      return "delete";
    case "Modify":
      return Replacement === "True" ? "replace" : Replacement === "Conditional" ? "unclear" : "update";
    default:
      return "unclear";
  }
}

function reasonOf({ Action, Details = [], PolicyAction, Replacement }: ResourceChange): string {
  const properties = new Set(
    Details.flatMap(({ Target }) =>
      Target?.Attribute === "Properties" ? (Target.Name ?? []) : (Target?.Attribute ?? []),
    ),
  );
  const what = [...properties].toSorted().join(", ");
  if (Action === "Add") return "the file asks for it";
  if (Action === "Remove")
    return `the file no longer has it${PolicyAction === "Retain" ? "; it is kept" : PolicyAction === "Snapshot" ? "; a snapshot of it is kept" : ""}`;
  const how =
    Replacement === "True" ? "; it is made anew" : Replacement === "Conditional" ? "; it may be made anew" : "";
  return `${what === "" ? "something that it points at" : what} changed${how}`;
}

/** Which nodes a change of a resource takes along. */
function nodesOf(change: ResourceChange, cluster: Cluster): Change["nodes"] {
  const group = cluster.groups.find((one) => templateId(one) === change.LogicalResourceId);
  if (group !== undefined && change.Action === "Modify") return { restarted: [], replaced: namesOf(cluster, group) };
  const member = memberIn(cluster, change.LogicalResourceId ?? "");
  if (member !== undefined && change.Replacement === "True") return { restarted: [], replaced: [member] };
  return untouched;
}

export function namesOf(cluster: Cluster, group: Group): readonly NodeName[] {
  return Array.from({ length: group.count }, (_, n) => nodeName(cluster.name, group.name, n + 1));
}

function memberIn(cluster: Cluster, id: string): NodeName | undefined {
  for (const group of cluster.groups.filter(({ role }) => role === "control")) {
    const n = Array.from({ length: group.count }, (_, at) => at + 1).find(
      (at) => memberId(group, at) === id || id.startsWith(`${memberId(group, at)}Volume`),
    );
    if (n !== undefined) return nodeName(cluster.name, group.name, n);
  }
  return undefined;
}

/** An autoscaling group of a cluster. */
export type ScalingGroup = {
  readonly name: string;
  /** Its id in the template. */
  readonly resource: string;
  readonly group: Group;
  /** Of a control member: its node. */
  readonly node: NodeName | undefined;
  readonly count: number;
  /** Over how many its instances are spread. */
  readonly zones: number;
};

/** The autoscaling groups that a file asks for. */
export function scalingGroups(cluster: Cluster): readonly ScalingGroup[] {
  return cluster.groups.flatMap((group): readonly ScalingGroup[] =>
    group.role === "control"
      ? namesOf(cluster, group).map((node, index) => ({
          name: nameOf(cluster, group.name, index + 1),
          resource: memberId(group, index + 1),
          group,
          node,
          count: 1,
          zones: 1,
        }))
      : [
          {
            name: nameOf(cluster, group.name),
            resource: `${idPart(group.name)}Nodes`,
            group,
            node: undefined,
            count: group.count,
            zones: placeCount(cluster),
          },
        ],
  );
}

/** How many zones there are for workers: where two subnets are in one, AWS counts the zone. */
function placeCount({ aws: { network } }: Cluster): number {
  return network.kind === "made" ? zoneCount(network.zones) : new Set(network.subnets.map(({ zone }) => zone)).size;
}
