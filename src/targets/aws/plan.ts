import type { Cluster } from "../../cluster/cluster.ts";
import type { Change, Observed, ObservedNode, Step } from "../../plan/plan.ts";
import type { PlanRequest, ProgramSums, TargetPlan } from "../target.ts";
import type { AutoScalingGroup } from "./clients/auto-scaling.ts";
import type { Session } from "./clients/session.ts";
import { compile, type Compiled } from "./compile.ts";
import { architecturesOf } from "./bucket/programs.ts";
import type { AwsFacts } from "./facts/facts.ts";
import { ImageLost, imagesLost } from "./facts/image.ts";
import { tagNames } from "../../records/tags.ts";
import { launching } from "./graph/names.ts";
import { storeParameter } from "./graph/store.ts";
import { parameterOf, storePlace, type Look } from "./look.ts";
import { ec2Id } from "./observe.ts";
import { priced } from "./outlook.ts";
import { waitsEmpty } from "./power.ts";
import { listPrices, pricesFor } from "./prices.ts";
import { groupOf } from "./stack/arrivals.ts";
import { makeChangeSet, type WantedStack } from "./stack/change-set.ts";
import { driftNotes, lookForDrift, revertible, type Drifts } from "./stack/drift.ts";
import { changesIn, creations, scalingGroups, type ScalingGroup } from "./stack/changes.ts";
import { stackState, stuck } from "./stack/states.ts";
import type { AwsWork, StackWork } from "./work.ts";

/** The file cannot become a stack. */
class TemplateError extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "TemplateError";
    this.next = next;
  }
}

/** The template of a cluster, or an error with all that is wrong, each at its field. */
export function compiledFor(
  cluster: Cluster,
  facts: AwsFacts,
  programs: ProgramSums,
  pin: string | undefined,
): Compiled {
  const read = compile(cluster, facts, { runtime: programs, ...(pin === undefined ? {} : { pin }) });
  if (read.kind === "good") return read.value;
  const lines = read.problems.map(
    ({ path, message, fix }) => `${path.join(".")}: ${message}${fix === undefined ? "" : ` (${fix})`}`,
  );
  throw new TemplateError(lines.join("\n"), "slipway check FILE --on aws");
}

/** Everything that the template asks for, said: what is not said on an update would stay as it was. */
function wantedStack(cluster: Cluster, compiled: Compiled, bucket: string): WantedStack {
  const unsaid: string[] = [];
  const parameters = Object.fromEntries(
    compiled.graph.parameters.map(({ name, default: usual }) => {
      if (name === storeParameter.name) return [name, bucket];
      if (usual === undefined) unsaid.push(name);
      return [name, String(usual ?? "")];
    }),
  );
  if (unsaid.length > 0)
    throw new TemplateError(
      `nobody has said ${unsaid.join(", ")}: AWS was asked and does not have it`,
      "aws: { images: { REGION: ami-… } } in the file, or another region",
    );
  return { cluster: cluster.name, template: compiled.text, parameters, tags: cluster.aws.tags };
}

/** Whether the stack that is there is already as it is wanted: then nothing is asked of CloudFormation. */
async function isSame(session: Session, look: Look, wanted: WantedStack): Promise<boolean> {
  const same = Object.entries(wanted.parameters).every(([name, value]) => parameterOf(look.stack, name) === value);
  if (!same || (look.stack?.Parameters ?? []).length !== Object.keys(wanted.parameters).length) return false;
  return (await (await session.cloudFormation()).template(wanted.cluster)) === wanted.template;
}

type Planned = { readonly changes: Change[]; readonly steps: Step<AwsWork>[]; wave: number };

/** What a launch does on AWS, from one look: the stack, then what CloudFormation does not do by itself. */
export async function planLaunch(
  session: Session,
  cluster: Cluster,
  look: Look,
  observed: Observed,
  facts: AwsFacts,
  programs: ProgramSums,
  given: PlanRequest,
): Promise<TargetPlan<AwsWork>> {
  const compiled = compiledFor(cluster, facts, programs, given.pin);
  const place = await storePlace(session, cluster, look.stack, look.place);
  const wanted = wantedStack(cluster, compiled, place.bucket);
  const { graph } = compiled;
  const status = look.stack?.StackStatus;
  const groups = scalingGroups(cluster);
  const stack = (changeSet: string | undefined): StackWork => ({
    kind: "stack",
    wanted,
    changeSet,
    leave: given.leave === true,
    programs,
    architectures: architecturesOf(cluster),
    total: graph.resources.filter(({ condition }) => condition === undefined).length,
    groups: Object.fromEntries(groups.map(({ name, resource, count }) => [name, { resource, count }])),
    origins: Object.fromEntries(
      graph.resources.flatMap(({ id, origin }) => (origin.kind === "field" ? [[id, origin.path] as const] : [])),
    ),
  });
  const arrive: AwsWork = {
    kind: "arrive",
    cluster: cluster.name,
    bucket: place.bucket,
    owner: place.owner,
    groups: Object.fromEntries(groups.map(({ name, count }) => [name, count])),
    zones: Object.fromEntries(groups.map(({ name, zones }) => [name, zones])),
  };
  const planned: Planned = { changes: [], steps: [], wave: 0 };
  const work = (title: string, subject: string, its: AwsWork, carries: readonly string[] = []): void => {
    planned.steps.push({ carries, kind: "work", title, subject, wave: planned.wave++, work: its });
  };

  if (look.stack === undefined || stackState(status) === "none" || stackState(status) === "failed") {
    planned.changes.push(...creations(graph));
    work(
      "stack",
      cluster.name,
      stack(undefined),
      planned.changes.map(({ id }) => id),
    );
    work("arrive", cluster.name, arrive);
    work("protect", cluster.name, { kind: "protect", cluster: cluster.name });
    return ended("computed", "create");
  }
  if (stackState(status) !== "ready") {
    if (stackState(status) === "stuck") throw stuck(cluster.name, status ?? "", look.stack.StackStatusReason ?? "");
    return { changes: [underWay(cluster, status ?? "")], steps: [] };
  }
  const drifts = await lookForDrift(session, cluster.name, given.signal);
  await stackChanges(drifts);
  const changed = planned.steps.length > 0;
  const [actual, templates] = [await groupsOf(session, cluster), changedTemplates(planned.changes)];
  resized(planned, groups, actual);
  restarted(planned, observed);
  const waiting = groups.some(({ name, count }) => {
    const found = actual.find(({ AutoScalingGroupName }) => AutoScalingGroupName === name);
    // An instance that has ended is Auto Scaling's for a minute yet, and EC2's no more.
    const living = look.instances.filter((instance) => groupOf(instance) === name).length;
    return found !== undefined && Math.min((found.Instances ?? []).length, living) < count;
  });
  // An instance that is on its way, or that an interrupted run has sent away, comes before the next one goes.
  if (planned.steps.length > 0 || waiting) work("arrive", cluster.name, arrive);
  replaced(planned, groups, actual, observed, templates);
  if (look.stack.EnableTerminationProtection === false)
    work("protect", cluster.name, { kind: "protect", cluster: cluster.name });
  return ended(changed ? "change-set" : "computed", changed ? "update" : "same", drifts);

  async function ended(
    forecast: "computed" | "change-set",
    kind: "create" | "update" | "same",
    its: Drifts = { found: [] },
  ): Promise<TargetPlan<AwsWork>> {
    // Who launches has seen them.
    const prices = given.keep ? listPrices : await pricesFor(session, cluster);
    const { changes, outlook } = priced(cluster, graph, planned.changes, kind, prices);
    return {
      changes,
      steps: planned.steps,
      forecast,
      outlook: { ...outlook, notes: [...outlook.notes, ...driftNotes(its)] },
    };
  }

  async function stackChanges(its: Drifts): Promise<void> {
    // Who only plans is told of data that is gone, and of all the rest.
    const revert = revertible(cluster.name, its, given.keep).length > 0;
    if (!revert && (await isSame(session, look, wanted))) return;
    // CloudFormation would refuse the parameter, and say neither whose image it was nor how another is taken.
    const lost = await imagesLost(session, cluster, facts);
    if (lost.length > 0) throw new ImageLost(lost);
    const name = given.keep ? launching : `slipway-plan-${session.random.hex(4)}`;
    const signal = given.signal;
    const made = await makeChangeSet(session, place, wanted, { name, type: "UPDATE", keep: false, revert }, signal);
    if (made.changes === undefined) return;
    if (!given.keep) await (await session.cloudFormation()).deleteChangeSet(name, cluster.name);
    const changes = changesIn(made.changes, cluster, graph);
    planned.changes.push(...changes);
    leaving(planned, cluster, observed);
    work(
      "stack",
      cluster.name,
      stack(name),
      changes.map(({ id }) => id),
    );
  }
}

/** What is left to do is known when CloudFormation has come to its end; a launch waits for that before it plans. */
function underWay({ name }: Cluster, status: string): Change {
  return {
    id: `stack:${name}`,
    action: "unclear",
    kind: "stack",
    name,
    reason: `it is in ${status}: a launch waits for its end, and does what is left then`,
    nodes: { restarted: [], replaced: [] },
  };
}

/** Control nodes that the file no longer has leave in good order before their stack's resources go, the highest number first. */
function leaving(planned: Planned, cluster: Cluster, observed: Observed): void {
  const kept = new Set<string>(scalingGroups(cluster).flatMap(({ node }) => node ?? []));
  const going = observed.nodes.filter(({ role, name }) => role === "control" && !kept.has(name)).toReversed();
  if (going.length === 0) return;
  const staying = observed.nodes.filter((node) => !going.includes(node)).map(({ name }) => name);
  const common = { subject: cluster.name, wave: planned.wave++ };
  // The members that stay must be whole before one leaves.
  planned.steps.push({ ...common, carries: [], kind: "await", title: "await", nodes: staying, until: "ready" });
  for (const node of going) {
    const id = `node:${node.name}`;
    planned.changes.push({
      id,
      action: "delete",
      kind: "node",
      name: node.name,
      reason: "the file no longer has it",
      nodes: { restarted: [], replaced: [] },
    });
    const step = { carries: [id], subject: node.name, wave: planned.wave++ };
    planned.steps.push({ ...step, kind: "retire", title: "retire", node });
  }
}

async function groupsOf(session: Session, cluster: Cluster): Promise<readonly AutoScalingGroup[]> {
  return (await session.autoScaling()).groups(tagNames.cluster, cluster.name);
}

/** Groups whose launch template a change set changes: their instances are older than it. */
function changedTemplates(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(
    changes
      .filter(({ kind, action }) => kind === "launch-template" && action !== "create")
      .flatMap(({ nodes }) => nodes.replaced),
  );
}

/** Groups whose size somebody has changed beside the stack, us among them: `remove` makes one smaller. */
function resized(planned: Planned, groups: readonly ScalingGroup[], actual: readonly AutoScalingGroup[]): void {
  for (const { name, resource, group, count } of groups) {
    // What a change set is about to say of it counts.
    if (planned.changes.some(({ id }) => id === `stack:${resource}`)) continue;
    const found = actual.find(({ AutoScalingGroupName }) => AutoScalingGroupName === name);
    if (found === undefined) continue;
    const control = group.role === "control";
    const free = control || group.aws.min === group.aws.max;
    const [least, most] = free ? [count, count] : [group.aws.min, group.aws.max];
    const has = found.DesiredCapacity ?? 0;
    // A run that ended all nodes of a group that stood still may have been interrupted before it was minded again.
    const resume = waitsEmpty(found);
    if (!resume && found.MinSize === least && found.MaxSize === most && has >= least && has <= most) continue;
    const id = `group:${name}`;
    planned.changes.push({
      id,
      action: "update",
      kind: "group",
      name,
      reason: `it has ${has} of ${count} nodes`,
      nodes: { restarted: [], replaced: [] },
      origin: [...group.path, "count"],
    });
    planned.steps.push({
      carries: [id],
      kind: "work",
      title: "resize",
      subject: name,
      wave: planned.wave,
      work: { kind: "resize", group: name, size: { MinSize: least, MaxSize: most, DesiredCapacity: count }, resume },
    });
  }
  planned.wave++;
}

/** Nodes that stand still are started, control nodes first. */
function restarted(planned: Planned, observed: Observed): void {
  const still = observed.nodes.filter(({ state }) => state === "stopped");
  for (const node of still) {
    const id = `node:${node.name}`;
    planned.changes.push({
      id,
      action: "update",
      kind: "node",
      name: node.name,
      reason: "it is stopped",
      nodes: { restarted: [node.name], replaced: [] },
    });
    planned.steps.push({
      carries: [id],
      kind: "work",
      title: "start",
      subject: node.name,
      wave: planned.wave + (node.role === "control" ? 0 : 1),
      work: { kind: "start", cluster: observed.cluster, node: node.name, instance: ec2Id(node) },
    });
  }
  planned.wave += 2;
}

/** Control instances that are older than their launch template are replaced by us, one after the other, behind the guard. */
function replaced(
  planned: Planned,
  groups: readonly ScalingGroup[],
  actual: readonly AutoScalingGroup[],
  observed: Observed,
  templates: ReadonlySet<string>,
): void {
  for (const { name, node } of groups) {
    const there = observed.nodes.find((one) => one.name === node);
    if (node === undefined || there === undefined) continue;
    const group = actual.find(({ AutoScalingGroupName }) => AutoScalingGroupName === name);
    const instance = group?.Instances?.find(({ InstanceId }) => InstanceId === ec2Id(there));
    const stale = instance !== undefined && instance.LaunchTemplate?.Version !== group?.LaunchTemplate?.Version;
    if (!stale && !templates.has(node)) continue;
    replacement(planned, observed, there, name);
  }
}

function replacement(planned: Planned, observed: Observed, node: ObservedNode, group: string): void {
  const { cluster } = observed;
  const id = `node:${node.name}`;
  planned.changes.push({
    id,
    action: "replace",
    kind: "node",
    name: node.name,
    reason: "its launch template changed; its disks and its address stay",
    nodes: { restarted: [], replaced: [node.name] },
  });
  const common = { carries: [id], subject: node.name, wave: planned.wave++ };
  const members = observed.nodes.filter(({ role }) => role === "control").length;
  planned.steps.push(
    // The only control node has no quorum to keep, and its disks stay: the plan says that it is away meanwhile.
    ...(members === 1 ? [] : [{ ...common, kind: "pause" as const, title: "pause", node }]),
    {
      ...common,
      kind: "work",
      title: "replace",
      work: { kind: "replace", cluster, node: node.name, group, instance: ec2Id(node) },
    },
    { ...common, kind: "await", title: "await", nodes: [node.name], until: "ready" },
  );
}
