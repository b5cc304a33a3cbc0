import { emitter, type Event, type Events, type EventName } from "../../src/events/event.ts";
import type { Status } from "../../src/operations/status.ts";
import type { ClusterName, NodeName } from "../../src/cluster/cluster.ts";

const began = Date.UTC(2026, 10, 21, 12);

/** A launch of three nodes and a service, as it was recorded; milliseconds after the beginning, name, fields. */
type Line = {
  [Name in EventName]: readonly [at: number, name: Name, fields: Events[Name]];
}[EventName];

const launch: readonly Line[] = [
  [0, "operation.started", { operation: "launch", cluster: "demo" }],
  [20, "lock.taken", { epoch: 1 }],
  [30, "root.recoveryKey", { key: "AGE-SECRET-KEY-1EXAMPLE" }],
  [60, "plan.made", { changes: 5, steps: 12 }],
  [80, "step.started", { step: "create", subject: "demo-control-1" }],
  [700, "node.created", { node: "demo-control-1", instance: "c1" }],
  [720, "step.finished", { step: "create", subject: "demo-control-1", milliseconds: 640 }],
  [740, "node.created", { node: "demo-control-2", instance: "c2" }],
  [900, "node.created", { node: "demo-worker-1", instance: "w1" }],
  [1500, "node.phase", { node: "demo-control-1", phase: "certificates", reason: "asked for certificates" }],
  [1510, "node.phase", { node: "demo-control-1", phase: "certificates", reason: "asked for certificates" }],
  [1600, "node.phase", { node: "demo-control-2", phase: "certificates" }],
  [1700, "node.phase", { node: "demo-worker-1", phase: "certificates" }],
  [2100, "node.phase", { node: "demo-control-1", phase: "etcd", reason: "waits for 1 of 2 founders" }],
  [2300, "node.phase", { node: "demo-control-2", phase: "etcd" }],
  [2400, "node.phase", { node: "demo-worker-1", phase: "swarm", reason: "waits for a manager" }],
  [4000, "node.phase", { node: "demo-control-1", phase: "swarm" }],
  [4400, "node.ready", { node: "demo-control-1", seconds: 3.7 }],
  [4500, "service.state", { service: "web", running: 0, desired: 2, reason: "2 tasks are preparing" }],
  [4600, "warning", { message: "the clock of demo-control-2 is 3 s behind" }],
  [5100, "node.ready", { node: "demo-worker-1", seconds: 4.2 }],
  [
    5600,
    "node.failed",
    {
      node: "demo-control-2",
      phase: "etcd",
      reason: "etcd.service failed",
      log: ["bind: address already in use", "\u001b[31mpanic\u001b[0m"],
      origin: "cluster.yml:4:3",
    },
  ],
  [6000, "service.state", { service: "web", running: 1, desired: 2 }],
  [6400, "service.ready", { service: "web", address: "http://127.0.0.1:8080" }],
  [
    6500,
    "operation.failed",
    {
      operation: "launch",
      cluster: "demo",
      cause: "demo-control-2 failed",
      next: "slipway logs demo-control-2",
    },
  ],
];

/** The fields of one of each event that there is. */
const oneOfEach: Events = {
  "operation.started": { operation: "launch", cluster: "demo" },
  "operation.finished": { operation: "launch", cluster: "demo", seconds: 8.6, changes: 1 },
  "operation.failed": { operation: "launch", cluster: "demo", cause: "demo-control-2 failed", next: "slipway doctor" },
  "lock.waiting": { holder: "ann@desk", doing: "launch", since: began },
  "lock.taken": { epoch: 2 },
  "lock.takenOver": { from: "ann@desk", epoch: 3 },
  "plan.made": { changes: 1, steps: 2 },
  "step.started": { step: "create", subject: "demo-control-1" },
  "step.finished": { step: "create", subject: "demo-control-1", milliseconds: 640 },
  "image.building": { image: "slipway/node:1", line: "fetching etcd" },
  "image.ready": { image: "slipway/node:1", built: true },
  "image.warning": { image: "slipway/node:1", message: "etcd is Debian's" },
  "service.imageLoaded": { service: "web", node: "demo-worker-1", image: "hello:1" },
  "stack.progress": { stack: "demo", state: "CREATE_IN_PROGRESS", done: 3, total: 60 },
  "resource.failed": { resource: "Zone1", kind: "AWS::EC2::Subnet", reason: "taken", origin: "cluster.yml:3:5" },
  "node.created": { node: "demo-control-1", instance: "c1" },
  "node.removed": { node: "demo-worker-2" },
  "node.phase": { node: "demo-control-1", phase: "etcd", reason: "waits for 1 of 2 founders" },
  "node.ready": { node: "demo-control-1", seconds: 3.7 },
  "node.failed": {
    node: "demo-control-2",
    phase: "etcd",
    reason: "full",
    log: ["no space"],
    origin: "cluster.yml:4:3",
  },
  "service.state": { service: "web", running: 1, desired: 2, reason: "a task is preparing" },
  "service.ready": { service: "web", address: "http://127.0.0.1:8080" },
  "cluster.ready": { cluster: "demo", seconds: 8.5 },
  "root.recoveryKey": { key: "AGE-SECRET-KEY-1EXAMPLE" },
  "template.published": { url: "https://example.com/demo.json", next: "aws cloudformation create-stack" },
  "cleanup.removed": { kind: "container", subject: "demo-worker-2" },
  "cleanup.left": { kind: "volume", subject: "demo-control-1-data", why: "in use" },
  "cleanup.zero": { cluster: "demo" },
  warning: { message: "the clock of demo-control-2 is 3 s behind" },
};

/** The events with their times, as listeners get them. */
export function recordedEvents(): readonly Event[] {
  const events: Event[] = [];
  for (const [at, name, fields] of launch)
    emitter(
      () => began + at,
      (event) => void events.push(event),
    )(name, fields);
  return events;
}

/** One of each event that there is, a second apart, as listeners get them. */
export function everyEvent(): readonly Event[] {
  const events: Event[] = [];
  const emit = emitter(
    () => began + events.length * 1000,
    (event) => void events.push(event),
  );
  for (const name of Object.keys(oneOfEach) as EventName[]) emit(name, oneOfEach[name]);
  return events;
}

export const later = began + 60_000;

/** A cluster of which something is wrong. */
export const status: Status = {
  cluster: "demo" as ClusterName,
  target: "docker",
  state: "degraded",
  nodes: [
    {
      name: "demo-control-1" as NodeName,
      instance: "c1",
      group: "control",
      role: "control",
      state: "ready",
      phase: "ready",
      address: "10.0.0.2",
      revision: "r1",
      since: "2026-11-21T12:00:04.400Z",
    },
    {
      name: "demo-control-2" as NodeName,
      instance: "c2",
      group: "control",
      role: "control",
      state: "failed",
      phase: "etcd",
      reason: "etcd.service failed: \u001b[2Jbind",
      address: "10.0.0.3",
      revision: "r1",
      since: "2026-11-21T12:00:05.600Z",
    },
    {
      name: "demo-worker-1" as NodeName,
      instance: "w1",
      group: "worker",
      role: "worker",
      state: "unknown",
      phase: "boot",
      address: "10.0.0.4",
      revision: "",
      since: "",
    },
  ],
  services: [{ name: "web", desired: 2, running: 1, addresses: ["http://127.0.0.1:8080"] }],
  etcd: {
    leader: "demo-control-1",
    members: [
      { name: "demo-control-1", id: "1", state: "voter" },
      { name: "demo-control-2", id: "2", state: "learner" },
    ],
  },
};
