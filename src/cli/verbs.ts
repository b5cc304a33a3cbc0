import type { Command, RouteMap } from "@stricli/core";
import type { CliContext } from "./context.ts";

/** A verb as the list of verbs shows it; its own file is loaded only when it is called. */
export type Verb = {
  readonly brief: string;
  /** Changes the cluster: goes on when nobody reads its output any more. */
  readonly acts?: true;
  readonly hidden?: true;
  /** Everything after `--` is a command for nodes, not for us. */
  readonly command?: true;
  readonly load: () => Promise<{ readonly default: (brief: string) => Command<CliContext> | RouteMap<CliContext> }>;
};

/** Every verb, in the order of a cluster's life. */
export const verbs: Readonly<Record<string, Verb>> = {
  init: { brief: "write a first cluster.yml", load: () => import("./verbs/init.ts") },
  check: {
    brief: "read the file and show all that is wrong with it",
    load: () => import("./verbs/check.ts"),
  },
  convert: {
    brief: "write a cluster.yml from the files of an older system",
    load: () => import("./verbs/convert.ts"),
  },
  launch: {
    brief: "create the cluster, change it to what the file says, or finish what was interrupted",
    acts: true,
    load: () => import("./verbs/launch.ts"),
  },
  sync: {
    brief: "bring files, units and services to the nodes that run, and nothing else",
    acts: true,
    load: () => import("./verbs/sync.ts"),
  },
  plan: { brief: "show what launch would do", load: () => import("./verbs/plan.ts") },
  list: { brief: "list the clusters", load: () => import("./verbs/list.ts") },
  status: { brief: "show nodes, services and etcd", load: () => import("./verbs/status.ts") },
  doctor: {
    brief: "find out what is wrong with the target or a cluster",
    load: () => import("./verbs/doctor.ts"),
  },
  units: { brief: "show the systemd units of nodes", load: () => import("./verbs/units.ts") },
  dns: {
    brief: "show every name of the cluster with its addresses",
    load: () => import("./verbs/dns.ts"),
  },
  ip: { brief: "show addresses of nodes and published ports", load: () => import("./verbs/ip.ts") },
  inspect: { brief: "show all that is known, as JSON", load: () => import("./verbs/inspect.ts") },
  events: { brief: "show what operations did", load: () => import("./verbs/events.ts") },
  logs: {
    brief: "show journals of nodes, or a service's output",
    load: () => import("./verbs/logs.ts"),
  },
  exec: { brief: "run a command on nodes", command: true, load: () => import("./verbs/exec.ts") },
  ssh: { brief: "open a terminal on a node", command: true, load: () => import("./verbs/ssh.ts") },
  cp: { brief: "copy files to a node or from it", load: () => import("./verbs/cp.ts") },
  env: {
    brief: "print what a shell needs to speak to the cluster's Docker and etcd",
    load: () => import("./verbs/env.ts"),
  },
  start: { brief: "start stopped nodes", acts: true, load: () => import("./verbs/start.ts") },
  stop: {
    brief: "stop nodes; their data stays",
    acts: true,
    load: () => import("./verbs/stop.ts"),
  },
  restart: {
    brief: "restart nodes, one after the other",
    acts: true,
    load: () => import("./verbs/restart.ts"),
  },
  remove: { brief: "remove a node for good", acts: true, load: () => import("./verbs/remove.ts") },
  terminate: {
    brief: "end nodes' machines; network, store and data stay",
    acts: true,
    load: () => import("./verbs/terminate.ts"),
  },
  cleanup: {
    brief: "remove the cluster, and prove that nothing is left",
    acts: true,
    load: () => import("./verbs/cleanup.ts"),
  },
  image: {
    brief: "print the node image's tag, or have it built",
    load: () => import("./verbs/image.ts"),
  },
  render: {
    brief: "print the user data of a group's nodes in the words of a system",
    load: () => import("./verbs/render.ts"),
  },
  store: {
    brief: "serve a cluster's store, and let machines join by tokens",
    acts: true,
    load: () => import("./verbs/store.ts"),
  },
  policy: {
    brief: "print the smallest IAM policy for a cluster on AWS",
    load: () => import("./verbs/policy.ts"),
  },
  schema: {
    brief: "print the JSON Schema of cluster.yml for editors",
    load: () => import("./verbs/schema.ts"),
  },
  completion: {
    brief: "print the completion script of a shell",
    load: () => import("./verbs/completion.ts"),
  },
  complete: {
    brief: "propose words; completion scripts call it",
    hidden: true,
    command: true,
    load: () => import("./verbs/complete.ts"),
  },
};
