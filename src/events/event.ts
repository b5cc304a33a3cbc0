export type Level = "debug" | "info" | "warning" | "error";

/** Fields of every event by name; `docs/events.md` is generated from `eventNames` below. */
export type Events = {
  "operation.started": { operation: string; cluster: string };
  "operation.finished": { operation: string; cluster: string; seconds: number; changes: number };
  "operation.failed": { operation: string; cluster: string; cause: string; next?: string };
  "lock.waiting": { holder: string; doing: string; since: number };
  "lock.taken": { epoch: number };
  "lock.takenOver": { from: string; epoch: number };
  "plan.made": { changes: number; steps: number };
  "step.started": { step: string; subject: string };
  "step.finished": { step: string; subject: string; milliseconds: number };
  "image.building": { image: string; line: string };
  "image.ready": { image: string; built: boolean };
  "image.warning": { image: string; message: string };
  "service.imageLoaded": { service: string; node: string; image: string };
  "node.created": { node: string; instance: string };
  "node.removed": { node: string };
  "node.phase": { node: string; phase: string; reason?: string };
  "node.ready": { node: string; seconds: number };
  "node.failed": { node: string; phase: string; reason: string; log: readonly string[]; origin?: string };
  "service.state": { service: string; running: number; desired: number; reason?: string };
  "service.ready": { service: string; address?: string };
  "cluster.ready": { cluster: string; seconds: number };
  "root.recoveryKey": { key: string };
  "cleanup.removed": { kind: string; name: string };
  "cleanup.left": { kind: string; name: string; why: string };
  "cleanup.zero": { cluster: string };
  "warning": { message: string };
};
export type EventName = keyof Events;

/** One thing that happened: what every listener (terminal, NDJSON, journal) reads. */
export type Event = {
  [Name in EventName]: { readonly time: number; readonly name: Name; readonly level: Level } & Readonly<Events[Name]>;
}[EventName];

export const levels: { readonly [Name in EventName]: Level } = {
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
  "node.created": "info",
  "node.removed": "info",
  "node.phase": "info",
  "node.ready": "info",
  "node.failed": "error",
  "service.state": "info",
  "service.ready": "info",
  "cluster.ready": "info",
  "root.recoveryKey": "warning",
  "cleanup.removed": "info",
  "cleanup.left": "error",
  "cleanup.zero": "info",
  "warning": "warning",
};

export type Emit = <Name extends EventName>(name: Name, fields: Events[Name]) => void;

/** An emitter that stamps events with the clock's time and hands them to every listener. */
export function emitter(now: () => number, ...listeners: readonly ((event: Event) => void)[]): Emit {
  return (name, fields) => {
    // The mapped type ties fields to their name; TypeScript cannot see it through the generic.
    const event = { time: now(), name, level: levels[name], ...fields } as unknown as Event;
    for (const listener of listeners) listener(event);
  };
}
