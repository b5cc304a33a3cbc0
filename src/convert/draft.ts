/** What a thing was called in the old files, and where it stood there. */
export type Subject = { readonly what: string; readonly at: string };

type Said = {
  readonly subject: Subject;
  /** Comments above it. */
  readonly notes: readonly string[];
};

export type DraftUnit = Said & {
  readonly name: string;
  readonly content: string | undefined;
  readonly enabled: boolean;
  readonly masked: boolean;
  readonly dropIns: readonly { readonly name: string; readonly content: string }[];
};

export type DraftFile = Said & {
  readonly path: string;
  readonly content: string;
  readonly encoding: "text" | "base64" | "gzip+base64";
  readonly mode: string | undefined;
  readonly user: string | undefined;
  readonly group: string | undefined;
};

export type DraftUser = Said & {
  readonly name: string;
  readonly keys: readonly string[];
  readonly comment: string | undefined;
  readonly home: string | undefined;
  readonly shell: string | undefined;
  readonly primaryGroup: string | undefined;
  readonly groups: readonly string[];
  readonly system: boolean;
};

export type DraftVolume = Said & {
  readonly name: string;
  readonly size: string | undefined;
  readonly type: string | undefined;
  readonly format: string | undefined;
  readonly mount: string;
  readonly onTermination: "keep" | "delete" | undefined;
};

/** What nodes of a group get; groups of the same old config share one. */
export type DraftMachine = {
  readonly units: readonly DraftUnit[];
  readonly files: readonly DraftFile[];
  readonly users: readonly DraftUser[];
  readonly userGroups: readonly string[];
  readonly volumes: readonly DraftVolume[];
  readonly labels: Readonly<Record<string, string>>;
};

export const emptyMachine: DraftMachine = { units: [], files: [], users: [], userGroups: [], volumes: [], labels: {} };

export type DraftGroup = {
  readonly name: string;
  readonly role: "control" | "worker";
  readonly count: number;
  readonly machine: DraftMachine;
  readonly notes: readonly string[];
};

export type DraftService = Said & {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly global: boolean;
  readonly ports: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly constraints: Readonly<Record<string, string>>;
};

export type DraftUpdates = {
  readonly channel?: string;
  readonly group?: string;
  readonly server?: string;
  readonly reboot?: "never" | "window" | "always";
  readonly window?: { readonly start: string; readonly length: string; readonly days?: readonly string[] };
  readonly notes: readonly string[];
};

/** A cluster as far as the old files say it. */
export type Draft = {
  readonly name: string;
  /** The files that it was made from, and of which system they are. */
  readonly sources: readonly string[];
  readonly orchestrator: "swarm" | "none";
  readonly orchestratorNote: string | undefined;
  readonly groups: readonly DraftGroup[];
  readonly services: readonly DraftService[];
  readonly updates: DraftUpdates | undefined;
  readonly region: string | undefined;
  /** Settings of AWS, as `key: value`, for which the file has no place yet. */
  readonly aws: readonly string[];
  /** Whether programs of the old cluster could use its etcd. */
  readonly hadEtcd: boolean;
};
