import { nodeName, type Cluster } from "../cluster/cluster.ts";
import { difference } from "../machine/difference.ts";
import type { MachineConfig } from "../machine/machine.ts";
import type { Change, Observed, ObservedNode, Outlook, Plan, Step } from "../plan/plan.ts";
import { listRecords, readRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import type { FactData, PlanRequest } from "../targets/target.ts";
import { OperationError, type Context } from "./context.ts";
import { fingerprint } from "../pki/renewal.ts";
import { factsFor, type Facts } from "./facts.ts";
import { freshRecords } from "./fresh.ts";
import { describe, type Revision } from "./revision.ts";
import { secretVersions } from "./secrets.ts";

type Work = unknown;
const untouched = { restarted: [], replaced: [] } as const;

/** A plan with the revision that it would publish. */
export type LaunchPlan = Plan<Work> & {
  readonly revision: Revision;
  /** The revision that is published now. */
  readonly before: string | undefined;
  /** Whether the revision, or what was changed behind our back, asks for a publication. */
  readonly publishes: boolean;
  /** Nodes report changes that nobody of us made, so the config is to be applied again. */
  readonly repairs: boolean;
  /** What it stands on, where anything floats. */
  readonly facts: FactData | undefined;
};

/** Describes the revision of a cluster; what cannot be described is an error that names the fields. */
export async function revisionOf(
  context: Context,
  cluster: Cluster,
  store: ClusterStore | undefined,
  write: boolean,
  facts?: Facts,
): Promise<Revision> {
  const [imageIds, versions] = await Promise.all([
    context.target.localImages(cluster.services.map((service) => service.image)),
    secretVersions(context, store, cluster, write),
  ]);
  const described = describe(cluster, {
    imageIds,
    secretVersions: versions,
    ...(facts === undefined ? {} : { facts }),
  });
  if (described.kind === "bad")
    throw new OperationError(
      described.problems.map((problem) => `${problem.path.join(".")}: ${problem.message}`).join("\n"),
    );
  return described.value;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

type Published = {
  readonly pointer: RecordValue<"pointer">;
  readonly groups: ReadonlyMap<string, RecordValue<"groupRevision">>;
  readonly services: RecordValue<"servicesRevision"> | undefined;
};

async function published(store: ClusterStore): Promise<Published | undefined> {
  const pointer = await readRecord(store, "pointer");
  if (pointer === undefined) return undefined;
  const { revision } = pointer.value;
  const groups = await listRecords(store, "groupRevision", { revision });
  const services = await readRecord(store, "servicesRevision", { revision });
  return {
    pointer: pointer.value,
    groups: new Map(groups.map(({ value }) => [value.group, value])),
    services: services?.value,
  };
}

function configChanges(cluster: Cluster, revision: Revision, now: Published | undefined): readonly Change[] {
  const changes: Change[] = [];
  for (const group of revision.groups) {
    const before = now?.groups.get(group.group);
    if (before === undefined) continue;
    const after = difference(before.machine as MachineConfig, group.machine as MachineConfig);
    const touched = [
      ...[...after.files, ...after.directories, ...after.links].map((entry) => entry.path),
      ...after.units.map((unit) => unit.name),
      ...after.removedPaths,
      ...after.removedUnits.map((unit) => unit.name),
    ];
    if (!same(before.wanted, group.wanted)) touched.push("labels and settings");
    if (touched.length === 0) continue;
    const path = cluster.groups.find((candidate) => candidate.name === group.group)?.path;
    changes.push({
      id: `config:${group.group}`,
      action: "update",
      kind: "config",
      name: group.group,
      reason: touched.join(", "),
      nodes: untouched,
      ...(path === undefined ? {} : { origin: path }),
    });
  }
  return changes;
}

function fieldsThatDiffer(before: object, after: object): string {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !same(Reflect.get(before, name), Reflect.get(after, name))).join(", ");
}

function serviceChanges(cluster: Cluster, revision: Revision, now: Published | undefined): readonly Change[] {
  const changes: Change[] = [];
  const before = new Map((now?.services?.services ?? []).map((service) => [service.name, service]));
  for (const service of revision.services.services) {
    const was = before.get(service.name);
    before.delete(service.name);
    const origin = cluster.services.find((candidate) => candidate.name === service.name)?.path ?? [];
    const common = { id: `service:${service.name}`, kind: "service", name: service.name, nodes: untouched, origin };
    if (was === undefined)
      changes.push({
        ...common,
        action: "create",
        reason: `${service.replicas === "global" ? "one on every node" : `${service.replicas} replicas`} of ${service.image}`,
      });
    else if (!same(was, service))
      changes.push({ ...common, action: "update", reason: `${fieldsThatDiffer(was, service)} changed` });
  }
  for (const name of before.keys())
    changes.push({
      id: `service:${name}`,
      action: "delete",
      kind: "service",
      name,
      reason: "the file no longer has it",
      nodes: untouched,
    });
  return changes;
}

/** What was changed behind our back: edited files and stopped units on nodes, services that someone scaled. */
function driftChanges(
  observed: Observed,
  nodes: readonly RecordValue<"node">[],
  services: readonly RecordValue<"service">[],
  wanted: ReadonlySet<string>,
): readonly Change[] {
  const running = new Map(
    observed.nodes.filter((node) => node.state === "running").map((node) => [node.instance, node.name]),
  );
  return [
    ...nodes.flatMap((record): Change[] => {
      const name = running.get(record.instance);
      // A node that took its config back is asked to try it once more.
      const reasons = [
        ...record.drift,
        ...(record.state === "failed" && record.phase === "config" && record.reason !== undefined
          ? [record.reason]
          : []),
      ];
      if (name === undefined || reasons.length === 0) return [];
      return [
        { id: `drift:${name}`, action: "update", kind: "node", name, reason: reasons.join("; "), nodes: untouched },
      ];
    }),
    ...services.flatMap((record): Change[] =>
      record.drift.length === 0 || !wanted.has(record.name)
        ? []
        : [
            {
              id: `drift:${record.name}`,
              action: "update",
              kind: "service",
              name: record.name,
              reason: record.drift.join("; "),
              nodes: untouched,
            },
          ],
    ),
  ];
}

/** Instances that the roster has as present and the target no longer has: their members must go before anything new comes. */
function gone(observed: Observed, roster: readonly RecordValue<"roster">[]): readonly RecordValue<"roster">[] {
  const there = new Set(observed.nodes.map((node) => node.instance));
  return roster.filter((entry) => entry.state !== "gone" && !there.has(entry.instance));
}

/** Nodes that the file asks for and whose instance was told to leave, as an interrupted removal leaves behind: it goes, another comes. */
function returning(
  cluster: Cluster,
  observed: Observed,
  roster: readonly RecordValue<"roster">[],
): readonly ObservedNode[] {
  const leaving = new Set(roster.filter((entry) => entry.state !== "present").map((entry) => entry.instance));
  const wanted = new Set(
    cluster.groups.flatMap((group) =>
      Array.from({ length: group.count }, (_, n) => nodeName(cluster.name, group.name, n + 1)),
    ),
  );
  return observed.nodes.filter((node) => leaving.has(node.instance) && wanted.has(node.name));
}

/** What a plan may be told beside the file. */
export type PlanOptions = {
  /** Facts that were gathered already. */
  readonly facts?: Facts | undefined;
  /** Facts to be asked anew. */
  readonly refresh?: readonly string[];
  /** A creation that fails is left to be looked at. */
  readonly leave?: boolean;
  /** Whether the target's steps will be taken; as `write` when left out. */
  readonly keep?: boolean;
};

/** SHA-256 of the root certificate. */
async function pinIn(store: ClusterStore): Promise<string | undefined> {
  const root = await readRecord(store, "root");
  return root === undefined ? undefined : fingerprint(root.value.certificate);
}

/** Everything that a launch of this cluster would do now, from a fresh look at target, store and nodes. Changes nothing. */
export async function makePlan(
  context: Context,
  cluster: Cluster,
  store: ClusterStore | undefined,
  write: boolean,
  options: PlanOptions = {},
): Promise<LaunchPlan> {
  const operators = context.target.keepsRoster !== true;
  const [observed, roster, pin, facts] = await Promise.all([
    context.target.observe(cluster.name),
    store === undefined || !operators ? [] : listRecords(store, "roster"),
    store === undefined || operators ? undefined : pinIn(store),
    options.facts ?? factsFor(context, cluster, store, options.refresh),
  ]);
  const outgoing = returning(
    cluster,
    observed,
    roster.map(({ value }) => value),
  );
  const staying =
    outgoing.length === 0
      ? observed
      : { ...observed, nodes: observed.nodes.filter((node) => !outgoing.includes(node)) };
  const request: PlanRequest = {
    ...(facts === undefined ? {} : { facts: facts.value }),
    ...(pin === undefined ? {} : { pin }),
    ...(options.leave === true ? { leave: true } : {}),
    keep: options.keep ?? write,
    signal: context.signal,
  };
  const [target, revision, now] = await Promise.all([
    context.target.plan(cluster, staying, request),
    revisionOf(context, cluster, store, write, facts),
    store === undefined ? undefined : published(store),
  ]);
  const { nodes, services } =
    store === undefined ? { nodes: [], services: [] } : await freshRecords(context, store, observed);
  const wanted = new Set(revision.services.services.map((service) => service.name));
  const drift = driftChanges(observed, nodes, services, wanted);
  const lost = gone(
    observed,
    roster.map(({ value }) => value),
  );
  const changed = now === undefined || now.pointer.revision !== revision.id;
  const content = [...configChanges(cluster, revision, now), ...serviceChanges(cluster, revision, now)];
  const changes: Change[] = [
    ...target.changes.map((change): Change =>
      outgoing.some((node) => node.name === change.name)
        ? { ...change, action: "replace", reason: "it was told to leave; another instance takes its place" }
        : change,
    ),
    ...content,
    ...drift,
    ...lost
      .filter((entry) => !target.changes.some((change) => change.name === entry.node))
      .map((entry): Change => ({
        id: `node:${entry.node}`,
        action: "delete",
        kind: "node",
        name: entry.node,
        reason: "its instance is gone; its memberships are removed",
        nodes: untouched,
      })),
  ];
  const steps: Step<Work>[] = [
    // One after the other, as members leave.
    ...outgoing.flatMap((node, n) =>
      context.target
        .removal(node, cluster.name)
        .map((step): Step<Work> => ({ ...step, wave: -2 - outgoing.length + n })),
    ),
    ...lost.map((entry): Step<Work> => ({
      carries: [`node:${entry.node}`],
      kind: "forget",
      title: "forget",
      subject: entry.node,
      wave: -2,
      instance: entry.instance,
    })),
    ...(changed || drift.length > 0
      ? [
          {
            carries: [...content, ...drift].map((change) => change.id),
            kind: "publish",
            title: "publish",
            subject: revision.id,
            wave: -1,
            revision: revision.id,
          } as const,
        ]
      : []),
    ...target.steps,
  ];
  return {
    cluster: cluster.name,
    target: context.target.name,
    forecast: target.forecast ?? "computed",
    ...(target.outlook === undefined ? {} : { outlook: withAge(context, target.outlook, facts) }),
    changes,
    steps: steps.toSorted((a, b) => a.wave - b.wave),
    revision,
    before: now?.pointer.revision,
    publishes: changed || drift.length > 0,
    repairs: drift.length > 0,
    facts: facts?.value,
  };
}

/** What it stands on, and how old that is. */
function withAge({ target, clock }: Context, outlook: Outlook, facts: Facts | undefined): Outlook {
  if (facts === undefined || target.floating === undefined) return outlook;
  const lines = target.floating.describe(facts.value, facts.gathered, clock.now());
  return { ...outlook, notes: [...lines, ...outlook.notes] };
}

/** What `slipway plan` shows: the changes that a launch would make, with nothing made or left behind. */
export async function plan(
  context: Context,
  input: { readonly cluster: Cluster; readonly refresh?: readonly string[] },
): Promise<Pick<Plan<Work>, "cluster" | "forecast" | "changes" | "outlook">> {
  const access = await context.target.store(input.cluster.name);
  try {
    const { refresh = [] } = input;
    const made = await makePlan(context, input.cluster, access?.store, false, { refresh });
    const { cluster, forecast, changes, outlook } = made;
    return { cluster, forecast, changes, ...(outlook === undefined ? {} : { outlook }) };
  } finally {
    await access?.close();
  }
}
