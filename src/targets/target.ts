import type { Duplex } from "node:stream";
import type { Cluster, ClusterName, NodeName, TargetName } from "../cluster/cluster.ts";
import type { Emit } from "../events/event.ts";
import type { MachineConfig } from "../machine/machine.ts";
import type { Change, Observed, ObservedNode, Step } from "../plan/plan.ts";
import type { ClusterStore } from "../store/store.ts";

/** What an operation on a cluster is given: where to say things and when to stop. */
export type Run = {
  readonly emit: Emit;
  readonly signal: AbortSignal;
};

/** What the runner gives to work on a node that was just enrolled: the token, the root's fingerprint, and the config to boot with. */
export type Admission = { readonly token: string; readonly pin: string; readonly machine: MachineConfig };

/** A connection to the cluster's store with the operator's rights. */
export type StoreAccess = {
  readonly store: ClusterStore;
  /** The host at which nodes reach the store. */
  readonly address: string;
  close(): Promise<void>;
};

export type ExecResult = { readonly code: number; readonly stdout: string; readonly stderr: string };
export type ExecOptions = {
  readonly input?: Uint8Array | string;
  /** Called with chunks as they come, instead of keeping them in the result. */
  readonly output?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  readonly signal?: AbortSignal;
  readonly environment?: Readonly<Record<string, string>>;
};

/** What an operator can do with one node through the target. */
export interface NodeAccess {
  exec(command: readonly [string, ...string[]], options?: ExecOptions): Promise<ExecResult>;
  /** The words of a command that gives an interactive terminal on the node, such as `docker exec -it …`. */
  terminal(command: readonly string[]): readonly [string, ...string[]] | Promise<readonly [string, ...string[]]>;
  /** A tar archive into a folder of the node. */
  put(folder: string, archive: Uint8Array): Promise<void>;
  /** A tar archive of a path on the node. */
  get(path: string): Promise<Uint8Array>;
  /** Console or container log; works for a node that never joined. */
  console(lines: number): Promise<string>;
  start(): Promise<void>;
  /** Stops in good order within the given seconds, then hard. */
  stop(seconds: number): Promise<void>;
  restart(seconds: number): Promise<void>;
  /** A byte stream to a TCP port of the node, seen from inside the cluster's network. */
  connect(port: number): Promise<Duplex>;
}

/** What this target does not do; `next` is what to do instead. */
export class NotHere extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "NotHere";
    this.next = next;
  }
}

/** SHA-256 of the programs that the store hands to everyone. */
export type ProgramSums = { readonly agent: string; readonly node: Readonly<Record<"x86_64" | "aarch64", string>> };

/** The image of nodes: what this version of the program wants, and the way to have it built (minutes) where it is not there. */
export type NodeImageAccess = { wanted(): Promise<string>; ensure(run: Run): Promise<string> };

/** Something that bears the cluster's name. */
export type Leftover = { readonly kind: string; readonly name: string; readonly blocker?: string };

/** All that operations know of a target, beside the launch's own desires. `Work` is plain data that only the target understands. */
export interface Target<Work = unknown> {
  readonly name: TargetName;
  /** The image that nodes start from, by its tag; absent where nodes start from another's. */
  readonly image?: NodeImageAccess;
  /** Nodes start by other means than ours: they come by user data, which points at these programs. */
  readonly userData?: { sums(): Promise<ProgramSums> };
  /** Whether the engine or account can be reached, and what it lacks; for `doctor` and for clear errors. */
  examine(): Promise<
    readonly {
      readonly subject: string;
      readonly state: "good" | "warning" | "bad";
      readonly message: string;
      readonly fix?: string;
    }[]
  >;
  list(): Promise<readonly ClusterName[]>;
  /** Starts what holds the store where it is stopped, such as after a reboot of the machine; nothing else. */
  wake(cluster: ClusterName): Promise<void>;
  /** Undefined when the cluster has no store (nothing there). */
  store(cluster: ClusterName): Promise<StoreAccess | undefined>;
  observe(cluster: ClusterName): Promise<Observed>;
  node(name: NodeName, cluster: ClusterName): NodeAccess;
  /** Makes what lies below the nodes: image, network, gateway with the store. Idempotent. */
  prepare(cluster: Cluster, run: Run): Promise<StoreAccess>;
  /** Undefined instead of a cluster: remove all that is there. */
  plan(cluster: Cluster | undefined, observed: Observed): Promise<TargetPlan<Work>>;
  /** The steps with which one node leaves for good. */
  removal(node: ObservedNode, cluster: ClusterName): readonly Step<Work>[];
  apply(work: Work, run: Run & { readonly admission?: Admission }): Promise<void>;
  /** Asks a running node's agent to look again at once. */
  nudge(name: NodeName): Promise<void>;
  /** Ids of the images that lie on the operator's side, by reference; others are the registry's. */
  localImages(references: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Puts a local image into nodes that lack it, once their engine is up; gives the nodes that got it. */
  loadImage(reference: string, id: string, nodes: readonly NodeName[], run: Run): Promise<readonly NodeName[]>;
  /** The proof of zero: all that bears the cluster's name. */
  leftovers(cluster: ClusterName): Promise<readonly Leftover[]>;
}

export type TargetPlan<Work> = { readonly changes: readonly Change[]; readonly steps: readonly Step<Work>[] };
