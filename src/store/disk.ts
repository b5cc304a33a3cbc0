import { processAlive, type ProcessOwner, thisProcess } from "../host/owner.ts";
import { type Random, systemRandom } from "../host/random.ts";
import { claimFolder, type FolderRight } from "./exclusive.ts";
import { folderFiles, type StoreFiles } from "./files.ts";
import { keptStore } from "./kept.ts";
import { decodeRecordFile, encodeRecordFile, recordFileName } from "./recordFile.ts";
import { type ClusterStore, type Entry, type Key, StoreError } from "./store.ts";
import { versionSource } from "./versions.ts";

export interface DiskStore extends ClusterStore {
  /** Waits for the writes that are under way, then gives the folder back; every later call is refused with `closed`. */
  close(): Promise<void>;
}

export type DiskOptions = {
  readonly random?: Random;
  readonly files?: StoreFiles;
  readonly owner?: ProcessOwner;
  readonly processAlive?: (owner: ProcessOwner) => boolean;
  /**
   * Called once when a write ended in a way that leaves its outcome unknown (the disk failed, another process took
   * the folder): the store answers nothing more and has to be opened again.
   */
  readonly onBroken?: (error: StoreError) => void;
};

const marker = "store.json";
const markerText = `${JSON.stringify({ store: "slipway", format: 1 })}\n`;
const readersAtOnce = 16;

/**
 * The cluster store in a folder of one disk, for one process. Every record is a file of its own, written beside its
 * place, synced, renamed and the folder synced before the write is acknowledged or seen by any reader: a kill or a
 * loss of power at any point leaves the record as it was or as it should be, and nothing else. Syncs of the folder are
 * shared by the writes that wait for one. Throws `invalid`, naming the file, when something in the folder is damaged.
 */
export async function diskStore(folder: string, options: DiskOptions = {}): Promise<DiskStore> {
  const files = options.files ?? folderFiles(folder);
  const random = options.random ?? systemRandom;
  try {
    await files.make();
    await refuseForeign(files);
    await files.protect();
    const right = await claimFolder({
      files,
      random,
      owner: options.owner ?? thisProcess(),
      processAlive: options.processAlive ?? processAlive,
    });
    try {
      const entries = await load(files, random);
      return serve(files, random, right, entries, options.onBroken ?? (() => {}));
    } catch (error) {
      await right.release();
      throw error;
    }
  } catch (error) {
    await files.close();
    throw error;
  }
}

function serve(
  files: StoreFiles,
  random: Random,
  right: FolderRight,
  entries: Map<Key, Entry>,
  onBroken: (error: StoreError) => void,
): DiskStore {
  const syncFolder = sharedSync(() => files.syncFolder());
  const drafts = versionSource(random);
  const busy = new Set<Promise<void>>();
  let stopped: StoreError | undefined;

  function broken(cause: unknown): StoreError {
    if (stopped === undefined) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const kind = cause instanceof StoreError ? cause.kind : "unreachable";
      stopped = new StoreError(kind, `the store in ${files.place("")} must be opened again: ${why}`, { cause });
      onBroken(stopped);
    }
    return stopped;
  }

  async function change(key: Key, entry: Entry | undefined): Promise<void> {
    const name = recordFileName(key);
    const draft = `${drafts()}.temp`;
    if (entry !== undefined) await writeDraft(files, draft, encodeRecordFile(key, entry));
    try {
      if (stopped !== undefined) throw stopped;
      await right.check();
      if (entry === undefined) await files.remove(name);
      else await files.rename(draft, name);
      await syncFolder();
      await right.check();
    } catch (error) {
      // Nobody can say now what a loss of power would leave (fsync reports a failure only once).
      throw broken(error);
    }
  }

  async function persist(key: Key, entry: Entry | undefined): Promise<void> {
    const work = change(key, entry);
    busy.add(work);
    try {
      await work;
    } finally {
      busy.delete(work);
    }
  }

  return {
    ...keptStore({
      entries,
      nextVersion: versionSource(random),
      persist,
      ready: () => {
        if (stopped !== undefined) throw stopped;
      },
    }),
    async close() {
      stopped ??= new StoreError("closed", `the store in ${files.place("")} is closed`);
      await Promise.allSettled(busy);
      await right.release();
      await files.close();
    },
  };
}

/** A whole and lasting file that nobody looks at yet; a failure leaves nothing changed. */
async function writeDraft(files: StoreFiles, name: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await files.create(name);
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // What cannot be removed now goes when the store is opened next.
    await Promise.allSettled([files.remove(name)]);
    throw new StoreError("unreachable", `could not write ${files.place(name)}: ${why}`, {
      cause: error,
    });
  }
}

/** One sync at a time; those who ask while one runs share the next, because the running one may have begun before their change. */
function sharedSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const mine = sync().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  };
  return () => {
    if (running === undefined) return start();
    if (next === undefined) {
      const begin = (): Promise<void> => {
        next = undefined;
        return start();
      };
      next = running.then(begin, begin);
    }
    return next;
  };
}

/** A folder that holds other things and no store is someone else's. */
async function refuseForeign(files: StoreFiles): Promise<void> {
  const names = await files.names();
  if (names.includes(marker)) return;
  const record = names.find((name) => name.endsWith(".record"));
  if (record !== undefined)
    throw new StoreError("invalid", `${files.place(marker)} is missing, but ${files.place(record)} is there`);
  const foreign = names.find((name) => !/^(?:owner\.\d+|.*\.temp|lost\+found)$/.test(name));
  if (foreign !== undefined) throw new StoreError("invalid", `${files.place("")} is not a store: it holds ${foreign}`);
}

async function load(files: StoreFiles, random: Random): Promise<Map<Key, Entry>> {
  const names = await files.names();
  for (const name of names) if (name.endsWith(".temp")) await files.remove(name);
  if (names.includes(marker)) await checkMarker(files);
  else {
    // Nothing but the marker tells a new store from one whose records were lost.
    await refuseForeign(files);
    const draft = `${random.hex(8)}.temp`;
    await writeDraft(files, draft, new TextEncoder().encode(markerText));
    await files.rename(draft, marker);
  }
  // A process that was killed may have left names that are there but would not outlast a loss of power; nobody may read them before they do.
  await files.syncFolder();
  const entries = new Map<Key, Entry>();
  const records = names.filter((name) => name.endsWith(".record"));
  const reader = async (): Promise<void> => {
    for (let name = records.pop(); name !== undefined; name = records.pop()) {
      const { key, entry } = await loadRecord(files, name);
      entries.set(key, entry);
    }
  };
  await Promise.all(Array.from({ length: readersAtOnce }, reader));
  return entries;
}

async function checkMarker(files: StoreFiles): Promise<void> {
  if (new TextDecoder().decode(await files.read(marker)) === markerText) return;
  throw new StoreError("invalid", `${files.place(marker)} is damaged or of another format`);
}

async function loadRecord(files: StoreFiles, name: string): Promise<{ readonly key: Key; readonly entry: Entry }> {
  const bytes = await files.read(name);
  try {
    return decodeRecordFile(name, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StoreError("invalid", `${files.place(name)} is damaged: ${why}`, { cause: error });
  }
}
