import type { Event, EventName } from "../../events/event.ts";
import { duration } from "./duration.ts";
import { neutral } from "./neutral.ts";

type Of<Name extends EventName> = Extract<Event, { readonly name: Name }>;

/** What each event says to a person, on one line. */
const sentences: { readonly [Name in EventName]: (event: Of<Name>) => string } = {
  "operation.started": ({ operation, cluster }) => `${operation} ${cluster}`,
  "operation.finished": ({ operation, cluster, seconds, changes }) =>
    `${operation} ${cluster}: done in ${duration(seconds * 1000)}, ${counted(changes, "change")}`,
  "operation.failed": ({ operation, cluster, cause }) => `${operation} ${cluster} failed: ${cause}`,
  "lock.waiting": ({ holder, doing }) => `waiting for ${holder}, who is at ${doing}`,
  "lock.taken": ({ epoch }) => `lock taken, epoch ${epoch}`,
  "lock.takenOver": ({ from, epoch }) => `lock taken over from ${from}, epoch ${epoch}`,
  "plan.made": ({ changes, steps }) => `plan: ${counted(changes, "change")}, ${counted(steps, "step")}`,
  "step.started": ({ step, subject }) => `${step} ${subject}`,
  "step.finished": ({ step, subject, milliseconds }) => `${step} ${subject}: ${duration(milliseconds)}`,
  "image.building": ({ image, line }) => `image ${image}: ${line}`,
  "image.ready": ({ image, built }) => `image ${image} ${built ? "built" : "is there"}`,
  "image.warning": ({ image, message }) => `warning: image ${image}: ${message}`,
  "service.imageLoaded": ({ service, node, image }) => `${service}: image ${image} loaded into ${node}`,
  "stack.progress": ({ stack, state, done, total }) => `stack ${stack}: ${state}, ${done} of ${total} resources`,
  "resource.failed": ({ resource, kind, reason, origin }) =>
    `${kind} ${resource}: ${reason}${origin === undefined ? "" : ` (${origin})`}`,
  "node.created": ({ node }) => `${node}: created`,
  "node.removed": ({ node }) => `${node}: removed`,
  "node.phase": ({ node, phase, reason }) => `${node}: ${phase}${reason === undefined ? "" : `: ${reason}`}`,
  "node.ready": ({ node, seconds }) => `${node}: ready after ${duration(seconds * 1000)}`,
  "node.failed": ({ node, phase, reason, origin }) =>
    `${node}: failed in ${phase}: ${reason}${origin === undefined ? "" : ` (${origin})`}`,
  "service.state": ({ service, running, desired, reason }) =>
    `service ${service}: ${running} of ${desired} running${reason === undefined ? "" : `: ${reason}`}`,
  "service.ready": ({ service, address }) =>
    `service ${service}: ready${address === undefined ? "" : ` at ${address}`}`,
  "cluster.ready": ({ cluster, seconds }) => `${cluster}: ready after ${duration(seconds * 1000)}`,
  "root.recoveryKey": ({ key }) =>
    `recovery key of the cluster's root, shown this once: ${key} (keep it in a safe place; it opens the root's private key)`,
  "template.published": ({ url }) => `template: ${url}`,
  "cleanup.removed": ({ kind, subject }) => `${kind} ${subject}: removed`,
  "cleanup.left": ({ kind, subject, why }) => `${kind} ${subject}: left: ${why}`,
  "cleanup.zero": ({ cluster }) => `nothing is left of ${cluster}`,
  warning: ({ message }) => `warning: ${message}`,
};

/** One line for people, harmless for a terminal whatever a node has put into it. */
export function sentence(event: Event): string {
  // The table gives each name the function for its own event; the union hides that from the compiler.
  const say = sentences[event.name] as (event: Event) => string;
  return neutral(say(event), 2000);
}

/** `1 change`, `2 changes`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
