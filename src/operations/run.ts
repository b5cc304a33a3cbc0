import { createHash } from "node:crypto";
import type { ClusterName } from "../cluster/cluster.ts";
import type { MachineConfig } from "../machine/machine.ts";
import type { PlannedNode, Step } from "../plan/plan.ts";
import { listRecords, readRecord, updateRecord } from "../records/access.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore, Version } from "../store/store.ts";
import { awaitNodes } from "./await.ts";
import type { Founding } from "./founding.ts";
import { changePatience, passGate } from "./quorum-gate.ts";
import { step as takeStep, together, type Locked } from "./under-lock.ts";

type Work = unknown;

/** What steps need beside the lock: who the cluster is, and how a revision is published. */
export type Runner = {
  readonly cluster: ClusterName;
  readonly founding: Founding;
  readonly publish: (store: ClusterStore) => Promise<void>;
  /** The machine config of a node's group in the revision that is being launched. */
  readonly machine: (node: string) => MachineConfig;
  /** What instances that are made anew or started said last: it says nothing of how they come back. */
  readonly before: ReadonlyMap<string, Version>;
};

/** How long a node may take to become ready or to leave, milliseconds. */
export const nodePatience = 180_000;

function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Puts an instance into the roster with a new token, and writes what it needs before it has a certificate. */
async function enrol(locked: Locked, runner: Runner, node: PlannedNode): Promise<string> {
  const { context, store } = locked;
  const { random, clock } = context;
  const token = random.hex(32);
  const { record } = runner.founding;
  const { instance, group, role, address } = node;
  await updateRecord(store, "bootstrap", { instance }, () => ({
    cluster: record.name,
    generation: record.generation,
    orchestrator: record.orchestrator,
    instance,
    node: node.name,
    group,
    role,
    address,
    founders: record.founders,
  }));
  await updateRecord(store, "roster", { instance }, (now) => ({
    instance,
    node: node.name,
    group,
    role,
    address,
    state: "present",
    tokenHash: tokenHash(token),
    since: now?.since ?? clock.now(),
    nonce: random.hex(8),
  }));
  return token;
}

/** Changes what the roster says of an instance; an instance that is gone stays gone. */
export async function setRoster(
  locked: Locked,
  instance: string,
  state: RecordValue<"roster">["state"],
): Promise<void> {
  const { context, store } = locked;
  await updateRecord(store, "roster", { instance }, (now) =>
    now === undefined || now.state === "gone" || now.state === state
      ? undefined
      : { ...now, state, since: context.clock.now(), nonce: context.random.hex(8) },
  );
}

/** Steps of one subject, in their order. */
async function runSubject(locked: Locked, runner: Runner, steps: readonly Step<Work>[]): Promise<void> {
  const { context, store } = locked;
  const { target, clock, emit, signal } = context;
  let token: string | undefined;
  for (const step of steps) {
    await takeStep(locked, step.title, step.subject, async () => {
      switch (step.kind) {
        case "enrol":
          token = await enrol(locked, runner, step.node);
          return;
        case "work": {
          const admission =
            token === undefined
              ? {}
              : { admission: { token, pin: runner.founding.pin, machine: runner.machine(step.subject) } };
          await target.apply(step.work, { emit, signal, ...admission });
          if (step.title === "create") emit("node.created", { node: step.subject, instance: "" });
          if (step.title === "remove") emit("node.removed", { node: step.subject });
          return;
        }
        case "publish":
          return runner.publish(store);
        case "pause":
          if (step.node.role === "control")
            await passGate(context, {
              cluster: runner.cluster,
              node: step.node.name,
              kind: "stop",
              patience: changePatience,
            });
          return;
        case "retire":
          return retire(locked, runner.cluster, step.node);
        case "forget":
          await setRoster(locked, step.instance, "gone");
          // Where it makes room for another one nobody waits: the newcomer itself waits for its turn.
          if (step.wave >= 0) await awaitForgotten(locked, runner.cluster, [step.instance]);
          return;
        case "await":
          return awaitNodes(context, {
            store,
            cluster: runner.cluster,
            nodes: step.nodes,
            until: step.until,
            deadline: clock.now() + nodePatience,
            before: runner.before,
          });
      }
    });
  }
}

/** An instance leaves for good: it is told so by the roster, and waited for. One that cannot hear it any more is not waited for. */
export async function retire(locked: Locked, cluster: ClusterName, node: PlannedNode, force = false): Promise<void> {
  const { context, store } = locked;
  const { clock, target } = context;
  const there = await readRecord(store, "roster", { instance: node.instance });
  if (there === undefined || there.value.state === "gone") return;
  const now = (await target.observe(cluster)).nodes.find((candidate) => candidate.name === node.name);
  // One that was told before is taken out by the members themselves, who ask the guard at every step.
  const told = there.value.state === "leaving" && now?.state === "running";
  if (node.role === "control" && !force && !told)
    await passGate(context, { cluster, node: node.name, kind: "remove", patience: changePatience });
  await setRoster(locked, node.instance, "leaving");
  if (now?.state !== "running" || force) return;
  await target.nudge(node.name);
  await awaitNodes(context, {
    store,
    cluster,
    nodes: [node.name],
    until: "left",
    deadline: clock.now() + nodePatience,
  });
}

/** Runs a plan's steps wave by wave; within a wave the subjects side by side. Every step asks the lock again first. */
export async function runSteps(locked: Locked, runner: Runner, steps: readonly Step<Work>[]): Promise<void> {
  for (const wave of [...new Set(steps.map((step) => step.wave))].toSorted((a, b) => a - b)) {
    const subjects = new Map<string, Step<Work>[]>();
    for (const step of steps) {
      if (step.wave !== wave) continue;
      subjects.set(step.subject, [...(subjects.get(step.subject) ?? []), step]);
    }
    await together([...subjects.values()], (own) => runSubject(locked, runner, own));
  }
}

/** Milliseconds; where nodes cannot be told to look at once, longer than they are silent at rest. */
const forgetPatience = { told: 30_000, untold: 50_000 } as const;

/** Waits until the swarm no longer has the nodes of instances that are gone; a swarm that cannot say so is a warning. */
export async function awaitForgotten(
  locked: Locked,
  cluster: ClusterName,
  instances: readonly string[],
): Promise<void> {
  const { context, store } = locked;
  const { clock, target, emit, signal } = context;
  if (instances.length === 0) return;
  const before = await listRecords(store, "node");
  // Without an orchestrator there is no list that they could stand on.
  if (!before.some(({ value }) => value.swarm !== undefined)) return;
  const managers = (await target.observe(cluster)).nodes.filter(
    (node) => node.role === "control" && node.state === "running",
  );
  await together(managers, (node) => target.nudge(node.name));
  const untold = target.deaf === true;
  const roster = await listRecords(store, "roster");
  const staying = new Set(roster.filter(({ value }) => value.state !== "gone").map(({ value }) => value.instance));
  const deadline = clock.now() + forgetPatience[untold ? "untold" : "told"];
  // What a leader said before may be older than the node that is to go; one that was told to look says it anew anyway.
  const old = new Map(before.map(({ key, version }) => [key, version]));
  for (;;) {
    signal.throwIfAborted();
    const now = (await listRecords(store, "node"))
      .filter(({ key, version }) => !untold || old.get(key) !== version)
      .map(({ value }) => value);
    const leader = now.find(
      (record) => record.swarm?.leader === true && managers.some((node) => node.instance === record.instance),
    );
    const listed = leader?.swarm?.nodes;
    // One that was not labelled yet stands there by the swarm's own id, so nobody unknown may be left.
    const strange = untold && listed?.some((instance) => !staying.has(instance)) === true;
    if (listed !== undefined && !strange && !instances.some((instance) => listed.includes(instance))) return;
    if (clock.now() > deadline) {
      emit("warning", { message: `the swarm still lists nodes of instances that are gone: ${instances.join(", ")}` });
      return;
    }
    await clock.sleep(200, signal);
  }
}
