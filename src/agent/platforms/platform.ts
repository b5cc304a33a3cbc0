import type { Systemd } from "../../components/systemd.ts";
import type { Clock } from "../../host/clock.ts";
import type { Download } from "../../host/download.ts";
import type { NodeFiles } from "../../host/nodeFiles.ts";
import type { Processes } from "../../host/processes.ts";
import type { Random } from "../../host/random.ts";
import type { Proving } from "../../components/keeper.ts";
import type { ClusterStore } from "../../store/store.ts";
import type { NodeRecord } from "../nodeRecord.ts";

/** Why a machine is no node yet; `stuck`: it is an error, and not somebody else's turn. */
export type Waiting = { readonly reason: string; readonly stuck: boolean };

/** The node's half of a target: who this instance is, how it comes in, and what it does there beside its reconcilers. */
export type Platform = {
  readonly instance: string;
  readonly store: ClusterStore;
  /** The host at which nodes reach the store; stands in the certificate of whoever serves it. */
  readonly gateway: string;
  /** What the provider calls this machine, where an instance outlives machines. */
  readonly machine?: string;
  /** Tells one life of the root file system from another over the same data. */
  readonly life: string;
  /** Where requests are paid: how long a node at rest waits before it looks again, and at least between asking; milliseconds. */
  readonly pause?: { readonly atRest: number; readonly asking: number };
  readonly proving?: Proving;
  /** Asks to be let in; called until the store has this instance's bootstrap, and asking twice is asking once. */
  readonly ask: () => Promise<void>;
  /** While it is not let in: says why where people look; absent where nobody but the console can hear it. */
  readonly waits?: (waiting: Waiting) => Promise<void>;
  /** The store knows this instance. */
  readonly admitted: (node: string) => Promise<void>;
  /** There is another certificate on the disk to show to the store. */
  readonly certificatesChanged: () => Promise<void>;
  /** After each round that has written this node's record. */
  readonly tend: (record: NodeRecord | undefined) => Promise<void>;
  readonly close: () => void;
};

/** What of the machine and its outside a platform is given. */
export type PlatformPorts = {
  readonly files: NodeFiles;
  readonly processes: Processes;
  readonly systemd: Systemd;
  readonly download: Download;
  readonly clock: Clock;
  readonly random: Random;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
  /** The process's `fetch`, unless a test has its own. */
  readonly fetch?: typeof fetch;
};

/** This machine is no node and will be none: said to people before the agent ends for good. */
export class NoNode extends Error {}
