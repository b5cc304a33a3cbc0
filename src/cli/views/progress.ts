import type { Event } from "../../events/event.ts";

export type NodeProgress = {
  readonly phase: string;
  readonly reason: string | undefined;
  readonly state: "working" | "ready" | "failed" | "removed";
  /** When the phase began, or when it was over; milliseconds since 1970. */
  readonly since: number;
};
type ServiceProgress = {
  readonly running: number;
  readonly desired: number;
  readonly ready: boolean;
  readonly note: string | undefined;
};

/** What is under way, as far as the events tell. */
export type Progress = {
  readonly title: string;
  readonly started: number;
  /** What happens to the cluster as a whole just now. */
  readonly now: string | undefined;
  readonly nodes: ReadonlyMap<string, NodeProgress>;
  readonly services: ReadonlyMap<string, ServiceProgress>;
};

export const noProgress: Progress = {
  title: "",
  started: 0,
  now: undefined,
  nodes: new Map(),
  services: new Map(),
};

/** The progress after one more event. */
export function advance(progress: Progress, event: Event): Progress {
  const node = (name: string, changed: Omit<NodeProgress, "since">): Progress => ({
    ...progress,
    now: undefined,
    nodes: new Map(progress.nodes).set(name, {
      ...changed,
      since: sinceOf(progress.nodes.get(name), changed, event.time),
    }),
  });
  const service = (name: string, changed: ServiceProgress): Progress => ({
    ...progress,
    now: undefined,
    services: new Map(progress.services).set(name, changed),
  });
  switch (event.name) {
    case "operation.started":
      return { ...noProgress, title: `${event.operation} ${event.cluster}`, started: event.time };
    case "lock.waiting":
      return { ...progress, now: `waiting for ${event.holder}, who is at ${event.doing}` };
    case "lock.taken":
    case "image.ready":
      return { ...progress, now: undefined };
    case "image.building":
      return { ...progress, now: `image ${event.image}: ${event.line}` };
    case "step.started":
      // A step on a node is shown with the node, as soon as the node says something itself.
      return progress.nodes.has(event.subject) ? progress : { ...progress, now: `${event.step} ${event.subject}` };
    case "service.imageLoaded":
      return { ...progress, now: `image of ${event.service} loaded into ${event.node}` };
    case "node.created":
      return node(event.node, { phase: "boot", reason: undefined, state: "working" });
    case "node.phase":
      return node(event.node, {
        phase: event.phase,
        reason: event.reason,
        state: event.phase === "ready" ? "ready" : "working",
      });
    case "node.ready":
      return node(event.node, { phase: "ready", reason: undefined, state: "ready" });
    case "node.failed":
      return node(event.node, { phase: event.phase, reason: event.reason, state: "failed" });
    case "node.removed":
      return node(event.node, { phase: "removed", reason: undefined, state: "removed" });
    case "service.state":
      return service(event.service, {
        running: event.running,
        desired: event.desired,
        ready: false,
        note: event.reason,
      });
    case "service.ready": {
      const desired = progress.services.get(event.service)?.desired ?? 0;
      return service(event.service, {
        running: desired,
        desired,
        ready: true,
        note: event.address,
      });
    }
    default:
      return progress;
  }
}

function sinceOf(before: NodeProgress | undefined, now: Omit<NodeProgress, "since">, time: number): number {
  return before !== undefined && before.phase === now.phase && before.state === now.state ? before.since : time;
}
