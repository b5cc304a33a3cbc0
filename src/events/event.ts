export type Level = "debug" | "info" | "warning" | "error";

/** Fields of every event by name; `docs/events.md` is generated from here. */
export type Events = {
  /** An operation begins. */
  "operation.started": { operation: string; cluster: string };
  /** It is done; `changes` is 0 when everything was as it should be. */
  "operation.finished": { operation: string; cluster: string; seconds: number; changes: number };
  /** It failed; `next` is the command to run. */
  "operation.failed": { operation: string; cluster: string; cause: string; next?: string };
  /** Somebody else holds the cluster's lock; `since` is in milliseconds since 1970. */
  "lock.waiting": { holder: string; doing: string; since: number };
  /** The lock is ours; every taking has a higher epoch. */
  "lock.taken": { epoch: number };
  /** The lock of a process that is gone, or whose lease ran out, is ours. */
  "lock.takenOver": { from: string; epoch: number };
  /** What exists was observed, and what is to be done is known. */
  "plan.made": { changes: number; steps: number };
  /** A step of the plan begins. */
  "step.started": { step: string; subject: string };
  /** A step of the plan is done. */
  "step.finished": { step: string; subject: string; milliseconds: number };
  /** The node image is being built: what goes on just now. */
  "image.building": { image: string; line: string };
  /** The node image is there. */
  "image.ready": { image: string; built: boolean };
  /** The node image can be used, but something about it should be known. */
  "image.warning": { image: string; message: string };
  /** A service's image that lies on the operator's machine was put into a node. */
  "service.imageLoaded": { service: string; node: string; image: string };
  /** AWS is at a stack: its state, and how many of its resources are as they are to be. */
  "stack.progress": { stack: string; state: string; done: number; total: number };
  /** A resource of a stack was not made, changed or removed, and the line of the file that asked for it. */
  "resource.failed": { resource: string; kind: string; reason: string; origin?: string };
  /** A node's instance was made. */
  "node.created": { node: string; instance: string };
  /** A node's instance is gone. */
  "node.removed": { node: string };
  /** A node is at work on its first part that is not settled, and why. */
  "node.phase": { node: string; phase: string; reason?: string };
  /** Every part of a node is settled. */
  "node.ready": { node: string; seconds: number };
  /** A node cannot go on by itself: its reason, the last lines of its log, and the line of the file that asked for it. */
  "node.failed": { node: string; phase: string; reason: string; log: readonly string[]; origin?: string };
  /** How many of a service's tasks run. */
  "service.state": { service: string; running: number; desired: number; reason?: string };
  /** A service runs as it should; `address` is where it is published. */
  "service.ready": { service: string; address?: string };
  /** Every node and every service is ready. */
  "cluster.ready": { cluster: string; seconds: number };
  /** Shown once, when the cluster's root certificate is made; it is kept nowhere. */
  "root.recoveryKey": { key: string };
  /** Something of the cluster was removed. */
  "cleanup.removed": { kind: string; subject: string };
  /** What launches the cluster lies at this address; `next` is the command. */
  "template.published": { url: string; next: string };
  /** Something of the cluster could not be removed, and why. */
  "cleanup.left": { kind: string; subject: string; why: string };
  /** A search found nothing more that bears the cluster's name. */
  "cleanup.zero": { cluster: string };
  /** Something that should be known, and that does not stop the operation. */
  warning: { message: string };
};
export type EventName = keyof Events;

/** One thing that happened: what every listener (terminal, NDJSON, journal) reads. */
export type Event = ByName[EventName];
type Stamp<Name> = { readonly time: number; readonly name: Name; readonly level: Level };
type ByName = { [Name in EventName]: Stamp<Name> & Readonly<Events[Name]> };

/** An event with a field called as one of the stamp's has no level: the field would take that one's place, and nobody could say the event. */
type LevelOf<Name extends EventName> = keyof Events[Name] & keyof Stamp<Name> extends never ? Level : never;

export const levels: { readonly [Name in EventName]: LevelOf<Name> } = {
  "operation.started": "info",
  "operation.finished": "info",
  "operation.failed": "error",
  "lock.waiting": "info",
  "lock.taken": "debug",
  "lock.takenOver": "warning",
  "plan.made": "info",
  "step.started": "debug",
  "step.finished": "debug",
  "image.building": "info",
  "image.ready": "info",
  "image.warning": "warning",
  "service.imageLoaded": "info",
  "stack.progress": "info",
  "resource.failed": "error",
  "node.created": "info",
  "node.removed": "info",
  "node.phase": "info",
  "node.ready": "info",
  "node.failed": "error",
  "service.state": "info",
  "service.ready": "info",
  "cluster.ready": "info",
  "root.recoveryKey": "warning",
  "template.published": "info",
  "cleanup.removed": "info",
  "cleanup.left": "error",
  "cleanup.zero": "info",
  warning: "warning",
};

export type Emit = <Name extends EventName>(name: Name, fields: Events[Name]) => void;

/** An emitter that stamps events with the clock's time and hands them to every listener. */
export function emitter(now: () => number, ...listeners: readonly ((event: Event) => void)[]): Emit {
  return (name, fields) => {
    const event: Event = stamped(now(), name, fields);
    for (const listener of listeners) listener(event);
  };
}

function stamped<Name extends EventName>(time: number, name: Name, fields: Events[Name]): ByName[Name] {
  const stamp: Stamp<Name> = { time, name, level: levels[name] };
  // The mapped type ties fields to their name; TypeScript cannot see it through the generic.
  return { ...stamp, ...fields } as ByName[Name];
}
