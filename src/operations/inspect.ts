import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import { isoTime } from "../host/time.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { listRecords, readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import type { Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import { look, observePresent, recordOf, withStore, type Seen } from "./look.ts";
import { pickNodes } from "./pick.ts";
import type { NodeStatus, Status } from "./status-shape.ts";

export type InspectedNode = {
  readonly name: NodeName;
  readonly observed?: ObservedNode;
  readonly roster?: Omit<RecordValue<"roster">, "tokenHash" | "nonce">;
  readonly bootstrap?: RecordValue<"bootstrap">;
  readonly record?: RecordValue<"node">;
};
/** All that the target and the store say, without anything secret. */
export type Inspection = {
  readonly status: Status;
  /** When the cluster was made, ISO 8601. */
  readonly created?: string;
  readonly generation?: string;
  readonly orchestrator?: "swarm" | "none";
  readonly revision?: string;
  readonly rootCertificate?: string;
  readonly services: readonly RecordValue<"service">[];
  readonly nodes: readonly InspectedNode[];
};

/** Everything of a cluster, or of the nodes that the words name, as data; what cannot be read is left out. */
export async function inspect(
  context: Context,
  input: { readonly cluster: ClusterName; readonly nodes: readonly string[] },
): Promise<Inspection> {
  await observePresent(context, input.cluster);
  const seen = await look(context, input.cluster);
  const status = deriveStatus(seen, context.target);
  const chosen = pickNodes(input.cluster, status.nodes, input.nodes);
  if (seen.recorded.kind === "unreadable") {
    return {
      status,
      services: [],
      nodes: chosen.map((node) => inspectedNode(seen, node, undefined)),
    };
  }
  const { cluster, pointer, services } = seen.recorded.value;
  const kept = await withStore(context, input.cluster, readKept);
  return {
    status,
    ...(cluster === undefined
      ? {}
      : {
          created: isoTime(cluster.created),
          generation: cluster.generation,
          orchestrator: cluster.orchestrator,
        }),
    ...(pointer === undefined ? {} : { revision: pointer.revision }),
    ...(kept.root === undefined ? {} : { rootCertificate: kept.root }),
    services,
    nodes: chosen.map((node) => inspectedNode(seen, node, kept.bootstraps.get(node.instance))),
  };
}

type Kept = {
  readonly root: string | undefined;
  readonly bootstraps: ReadonlyMap<string, RecordValue<"bootstrap">>;
};

async function readKept(store: ClusterStore): Promise<Kept> {
  const [root, bootstraps] = await Promise.all([readRecord(store, "root"), listRecords(store, "bootstrap")]);
  return {
    root: root?.value.certificate,
    bootstraps: new Map(bootstraps.map(({ value }) => [value.instance, value])),
  };
}

/** The roster's token hash stays where it is: it is of use to nobody but the store. */
function inspectedNode(seen: Seen, node: NodeStatus, bootstrap: RecordValue<"bootstrap"> | undefined): InspectedNode {
  const observed = seen.observed.nodes.find((candidate) => candidate.instance === node.instance);
  const entry =
    seen.recorded.kind === "unreadable"
      ? undefined
      : seen.recorded.value.roster.find((candidate) => candidate.instance === node.instance);
  const record = recordOf(seen, node.instance);
  return {
    name: node.name,
    ...(observed === undefined ? {} : { observed }),
    ...(entry === undefined ? {} : { roster: withoutSecrets(entry) }),
    ...(bootstrap === undefined ? {} : { bootstrap }),
    ...(record === undefined ? {} : { record }),
  };
}

function withoutSecrets(entry: RecordValue<"roster">): NonNullable<InspectedNode["roster"]> {
  const { instance, node, group, role, address, state, since } = entry;
  return { instance, node, group, role, address, state, since };
}
