import type { Duplex } from "node:stream";
import type { Cluster, ClusterName, NodeName, TargetName } from "../cluster/cluster.ts";
import type { Emit } from "../events/event.ts";
import type { MachineConfig } from "../machine/machine.ts";
import type { Change, Forecast, Observed, ObservedNode, Outlook, Step } from "../plan/plan.ts";
import type { RecordValue } from "../records/table.ts";
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
  /** The host at which nodes reach the store; undefined: no server of ours is there, which would need a certificate. */
  readonly address: string | undefined;
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
export type Leftover = {
  readonly kind: string;
  readonly name: string;
  readonly blocker?: string;
  /** What a cleanup may be told to keep. */
  readonly data?: true;
  /** Dollars a month that it costs as long as it is there, where that is known. */
  readonly monthly?: number;
};

/** A creation came to nothing; whoever asked for it takes away what is left of it. */
export class CreationFailed extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "CreationFailed";
    this.next = next;
  }
}

/** A change came to nothing, and the target has taken it back by itself: what was published for it is to be taken back, too. */
export class ChangeTakenBack extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.name = "ChangeTakenBack";
    this.next = next;
  }
}

/** All that operations know of a target, beside the launch's own desires. `Work` is plain data that only the target understands. */
export interface Target<Work = unknown> {
  readonly name: TargetName;
  /** What a node runs in, for people. */
  readonly body: "container" | "instance" | "machine";
  /** Control nodes' disks outlive what these run in, and no observation shows them: one that only the roster has comes back as it was. */
  readonly disksStay?: true;
  /** What is there costs money for as long as it is there. */
  readonly billed?: true;
  /** A cleanup tells disks and the store from the rest, and can leave them. */
  readonly keepsData?: true;
  /** The image that nodes start from, by its tag; absent where nodes start from another's. */
  readonly image?: NodeImageAccess;
  /** Nodes start by other means than ours: they come by user data, which points at these programs. */
  readonly userData?: { sums(): Promise<ProgramSums> };
  /** Nodes cannot be told to look at once: they look by themselves. */
  readonly deaf?: true;
  /** Control nodes write the roster, by what they see; else operators do, as they make nodes. */
  readonly keepsRoster?: true;
  /** Milliseconds between two looks while nodes are waited for, where looks are counted. */
  readonly observeEvery?: number;
  readonly floating?: Floating;
  readonly interrupted?: Interrupted;
  /** Before nodes are stopped, and after stopped ones are ready again: so that nobody brings others in their place. */
  readonly still?: {
    before(cluster: ClusterName, nodes: readonly ObservedNode[], run: Run): Promise<void>;
    after(cluster: ClusterName, nodes: readonly ObservedNode[], run: Run): Promise<void>;
  };
  /** Ends nodes' machines and keeps all else, so that a launch brings the same nodes back; absent where machines are somebody else's. */
  readonly ending?: {
    /**
     * Stops the machine in good order and takes it away; one that is gone already is no error. `away`: the instance comes
     * back with its data; `gone`: it went with its machine, and another takes the node's name.
     */
    end(node: ObservedNode, cluster: ClusterName, grace: number, run: Run): Promise<"away" | "gone">;
    /** When all that were to go are gone, also by an earlier run: a launch finds nothing in its way. */
    settle(cluster: ClusterName): Promise<void>;
  };
  /** Whether the engine or account can be reached, and what it lacks; for `doctor` and for clear errors. */
  examine(): Promise<readonly Examination[]>;
  /** What of its world a cluster that is there stands on, and may lose; for `doctor`. */
  examineCluster?(cluster: ClusterName): Promise<readonly Examination[]>;
  list(): Promise<readonly ClusterName[]>;
  /** Starts what holds the store where it is stopped, such as after a reboot of the machine; nothing else. */
  wake(cluster: ClusterName): Promise<void>;
  /** Undefined when the cluster has no store (nothing there). */
  store(cluster: ClusterName): Promise<StoreAccess | undefined>;
  observe(cluster: ClusterName): Promise<Observed>;
  /** What an observation has read of the store on its way: nobody reads that again. */
  recorded?(observed: Observed):
    | {
        readonly roster: readonly RecordValue<"roster">[];
        readonly pointer: RecordValue<"pointer"> | undefined;
        readonly wanted: RecordValue<"servicesRevision"> | undefined;
      }
    | undefined;
  node(name: NodeName, cluster: ClusterName): NodeAccess;
  /** Makes what lies below the nodes: image, network, gateway with the store. Idempotent. */
  prepare(cluster: Cluster, run: Run): Promise<StoreAccess>;
  /** Undefined instead of a cluster: remove all that is there. */
  plan(cluster: Cluster | undefined, observed: Observed, request?: PlanRequest): Promise<TargetPlan<Work>>;
  /** The steps with which one node leaves for good. */
  removal(node: ObservedNode, cluster: ClusterName): readonly Step<Work>[];
  apply(work: Work, run: Run & { readonly admission?: Admission }): Promise<void>;
  /** Asks a running node's agent to look again at once. */
  nudge(name: NodeName): Promise<void>;
  /** Ids of the images that lie on the operator's side, by reference; others are the registry's. */
  localImages(references: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Puts a local image into nodes that lack it, once their engine is up; gives the nodes that got it. */
  loadImage(reference: string, id: string, nodes: readonly NodeName[], run: Run): Promise<readonly NodeName[]>;
  readonly publishing?: Publishing;
  /** The proof of zero: all that bears the cluster's name. */
  leftovers(cluster: ClusterName): Promise<readonly Leftover[]>;
}

export type TargetPlan<Work> = {
  readonly changes: readonly Change[];
  readonly steps: readonly Step<Work>[];
  /** Computed, when left out. */
  readonly forecast?: Forecast;
  readonly outlook?: Outlook;
  /** The wave that takes the store away; when left out, the one before the last. */
  readonly storeWave?: number;
};

/** What a plan stands on beside the file and what was observed. */
export type PlanRequest = {
  /** What the target's own `gather` gave, and the revision has pinned. */
  readonly facts?: FactData;
  /** SHA-256 of the root certificate, once there is one. */
  readonly pin?: string;
  /** Whether the steps will be taken: what a plan makes to look at is taken away again where they will not. */
  readonly keep: boolean;
  /** A creation that fails is left as it is, to be looked at. */
  readonly leave?: boolean;
  /** Disks and the store stay when all else goes. */
  readonly keepData?: boolean;
  readonly signal: AbortSignal;
};

/** Facts as plain data, whose shape only the target knows. */
export type FactData = object;

/** Something that was looked at before the first thing is made, or by `doctor`. */
export type Examination = {
  readonly subject: string;
  readonly state: "good" | "warning" | "bad";
  readonly message: string;
  readonly fix?: string;
};

/** What a target's world says, and may say otherwise tomorrow: gathered once and pinned in the revision. */
export interface Floating {
  /** What `--refresh` may name. */
  readonly names: readonly string[];
  /** What is pinned stays, but for what is to be asked anew; gives the same data for the same answers. */
  gather(cluster: Cluster, pinned: FactData | undefined, refresh: readonly string[]): Promise<FactData>;
  /** For people: what it is, and how old. */
  describe(facts: FactData, gathered: number, now: number): readonly string[];
  /** What would stop a launch of this cluster, all at once. Makes nothing. */
  examine(cluster: Cluster, facts: FactData): Promise<readonly Examination[]>;
}

/** What launches a cluster, for others who launch it without us. */
export interface Publishing {
  /** The store of the cluster where it is published, made where it is not there, and the way to publish beside it. */
  open(cluster: Cluster, to: string): Promise<PublishingAccess>;
  /** Facts that hold whoever launches it. */
  shared(facts: FactData): FactData;
}

export type PublishingAccess = StoreAccess & {
  /** Writes what launches the cluster; `pin`: SHA-256 of its root certificate. */
  write(facts: FactData, pin: string): Promise<Published>;
};

/** Where something was published, and how a cluster is launched by it. */
export type Published = { readonly url: string; readonly next: string };

/** What an interrupted run leaves behind can be under way, or have failed. */
export interface Interrupted {
  /** Waits for what is under way. `failed`: a creation that is good for nothing; `nothing`: there is only the store. */
  rest(cluster: Cluster, run: Run): Promise<"nothing" | "there" | "failed">;
  /** Whether a creation goes on with data that was kept, by its facts: then it is never a new cluster, and failing it forgets nothing. */
  continues(cluster: Cluster, facts: FactData): boolean;
  /** Takes a creation that failed away. */
  discard(cluster: Cluster, run: Run): Promise<void>;
}
