import type { Clock } from "../host/clock.ts";
import type { Download } from "../host/download.ts";
import type { NodeFiles } from "../host/nodeFiles.ts";
import type { Processes } from "../host/processes.ts";
import type { Random } from "../host/random.ts";
import type { RecordValue } from "../records/table.ts";
import type { ClusterStore } from "../store/store.ts";
import { listRecords, readRecord } from "../records/access.ts";
import type { EtcdClient } from "./etcd/client.ts";
import { seen, unknown, type Seen } from "./reconciler.ts";
import type { Roster } from "./roster.ts";
import type { Engine } from "./docker/engine.ts";
import type { Systemd } from "./systemd.ts";

/** Who this instance is; from its bootstrap record. */
export type Me = RecordValue<"bootstrap">;

/** A node's ports to the outside: what every reconciler on it is given. */
export type NodePorts = {
  readonly me: Me;
  readonly store: ClusterStore;
  readonly files: NodeFiles;
  readonly processes: Processes;
  readonly download: Download;
  readonly systemd: Systemd;
  readonly engine: Engine;
  readonly etcd: EtcdClient;
  readonly clock: Clock;
  readonly random: Random;
  /** What this node's group should run now; undefined until it has been read. */
  readonly wanted: () =>
    | { readonly group: RecordValue<"groupRevision">; readonly pointer: RecordValue<"pointer"> }
    | undefined;
  readonly say: (message: string) => void;
};

/** A look at something: its value, or why it could not be seen. */
export async function looking<T>(look: Promise<T>): Promise<Seen<T>> {
  try {
    return seen(await look);
  } catch (error) {
    return unknown(error instanceof Error ? error.message : String(error));
  }
}

export const rosterOf = async (store: ClusterStore): Promise<Roster> =>
  (await listRecords(store, "roster")).map((record) => record.value);

export async function generationOf({ store, me }: NodePorts): Promise<"open" | "closed" | undefined> {
  return (await readRecord(store, "generation", { generation: me.generation }))?.value.state;
}
