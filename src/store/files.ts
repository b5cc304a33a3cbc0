import { constants } from "node:fs";
import { type FileHandle, chmod, link, mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that is being written. */
export interface NewFile {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Makes the content last over a loss of power. */
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * One flat folder of the disk. Nothing lasts over a loss of power before it is synced: a file's content by
 * `NewFile.sync`, names (new, changed, gone) by `syncFolder`.
 */
export interface StoreFiles {
  /** The folder's path with the name, for messages. */
  readonly place: (name: string) => string;
  /** Makes the folder (0700) where it is not there. */
  readonly make: () => Promise<void>;
  /** Closes the folder to all but its owner. */
  readonly protect: () => Promise<void>;
  readonly names: () => Promise<readonly string[]>;
  readonly has: (name: string) => Promise<boolean>;
  readonly read: (name: string) => Promise<Uint8Array>;
  /** A new file (0600); what bore the name before is emptied. */
  readonly create: (name: string) => Promise<NewFile>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** A second name for a file; `false` when that name is taken, or the file is gone. */
  readonly link: (from: string, to: string) => Promise<boolean>;
  /** Removing what is not there succeeds. */
  readonly remove: (name: string) => Promise<void>;
  readonly syncFolder: () => Promise<void>;
  /** Gives back what was held open. */
  readonly close: () => Promise<void>;
}

/** A folder of the real disk. */
export function folderFiles(folder: string): StoreFiles {
  let held: FileHandle | undefined;
  const place = (name: string): string => join(folder, name);
  return {
    place,
    async make() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const parent = await open(dirname(folder), constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await parent.sync();
      } finally {
        await parent.close();
      }
    },
    protect: () => chmod(folder, 0o700),
    names: () => readdir(folder),
    async has(name) {
      try {
        await stat(place(name));
        return true;
      } catch (error) {
        if (hasCode(error, "ENOENT")) return false;
        throw error;
      }
    },
    read: (name) => readFile(place(name)),
    async create(name) {
      const file = await open(place(name), "w", 0o600);
      return {
        async write(bytes) {
          await file.writeFile(bytes);
        },
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
    rename: (from, to) => rename(place(from), place(to)),
    async link(from, to) {
      try {
        await link(place(from), place(to));
        return true;
      } catch (error) {
        if (hasCode(error, "EEXIST") || hasCode(error, "ENOENT")) return false;
        throw error;
      }
    },
    async remove(name) {
      try {
        await unlink(place(name));
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw error;
      }
    },
    async syncFolder() {
      held ??= await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
      await held.sync();
    },
    async close() {
      await held?.close();
      held = undefined;
    },
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
