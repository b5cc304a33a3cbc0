import { randomBytes } from "node:crypto";
import {
  chown,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  statfs,
  symlink,
} from "node:fs/promises";
import { dirname } from "node:path";

export type Ownership = { readonly mode: number; readonly user: string; readonly group: string };

function isMissing(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}

async function orMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The numeric id of a user or group name in a passwd-like file; numbers stay themselves. */
async function idOf(file: "/etc/passwd" | "/etc/group", name: string): Promise<number | undefined> {
  if (/^\d+$/.test(name)) return Number(name);
  const line = (await readFile(file, "utf8")).split("\n").find((candidate) => candidate.startsWith(`${name}:`));
  const id = line?.split(":")[2];
  return id === undefined ? undefined : Number(id);
}

/** A node's own files, for the agent: whole files at once. */
export interface NodeFiles {
  /** `undefined` when it is not there. */
  read(path: string): Promise<string | undefined>;
  /** The same for what is no text. */
  bytes(path: string): Promise<Uint8Array | undefined>;
  /** Whole file, atomically (temporary file in the same folder, fsync, rename, fsync of the folder). */
  write(path: string, content: string | Uint8Array, owner: Ownership): Promise<void>;
  /** Exclusive create with fsync of file and folder, whole or not at all; false when it was there. */
  create(path: string, content: string, owner: Ownership): Promise<boolean>;
  makeFolder(path: string, owner: Ownership): Promise<void>;
  link(path: string, target: string): Promise<void>;
  linkTarget(path: string): Promise<string | undefined>;
  /** Mode, user and group as numbers, `undefined` when it is not there. */
  ownership(path: string): Promise<
    | {
        readonly mode: number;
        readonly uid: number;
        readonly gid: number;
        readonly kind: "file" | "folder" | "link" | "other";
      }
    | undefined
  >;
  /** The numbers of a user and a group; `undefined` when one of them is not there. */
  ids(owner: Ownership): Promise<{ readonly uid: number; readonly gid: number } | undefined>;
  remove(path: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  list(folder: string): Promise<readonly string[] | undefined>;
  space(path: string): Promise<{ readonly size: number; readonly free: number } | undefined>;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function ids({ user, group }: Ownership): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = [await idOf("/etc/passwd", user), await idOf("/etc/group", group)];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** The same for what is about to be owned. */
async function idsOf(owner: Ownership): Promise<{ uid: number; gid: number }> {
  const found = await ids(owner);
  if (found === undefined) throw new Error(`there is no user ${owner.user} or no group ${owner.group} on this node`);
  return found;
}

async function put(path: string, content: string | Uint8Array, owner: Ownership): Promise<void> {
  const handle = await open(path, "wx", owner.mode);
  try {
    const { uid, gid } = await idsOf(owner);
    await handle.chmod(owner.mode);
    await handle.chown(uid, gid);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const systemNodeFiles: NodeFiles = {
  read: (path) => orMissing(readFile(path, "utf8")),
  bytes: (path) => orMissing(readFile(path)),
  async write(path, content, owner) {
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      await put(draft, content, owner);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  },
  async create(path, content, owner) {
    if ((await orMissing(lstat(path))) !== undefined) return false;
    const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      await put(draft, content, owner);
      // A second name for what is whole: who is killed before has made nothing, and the second to come is refused.
      await link(draft, path);
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, "code") === "EEXIST") return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
    await syncFolder(dirname(path));
    return true;
  },
  async makeFolder(path, owner) {
    await mkdir(path, { recursive: true, mode: owner.mode });
    const { uid, gid } = await idsOf(owner);
    const handle = await open(path, "r");
    try {
      await handle.chmod(owner.mode);
    } finally {
      await handle.close();
    }
    await chown(path, uid, gid);
  },
  async link(path, target) {
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
    await symlink(target, draft);
    await rename(draft, path);
  },
  linkTarget: async (path) => ((await orMissing(lstat(path)))?.isSymbolicLink() === true ? readlink(path) : undefined),
  async ownership(path) {
    const found = await orMissing(lstat(path));
    if (found === undefined) return undefined;
    const kind = found.isSymbolicLink() ? "link" : found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
    return { mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, kind };
  },
  ids,
  remove: (path) => rm(path, { force: true, recursive: true }),
  async move(from, to) {
    await rename(from, to);
    await syncFolder(dirname(to));
  },
  async list(folder) {
    const { readdir } = await import("node:fs/promises");
    return orMissing(readdir(folder));
  },
  async space(path) {
    if ((await orMissing(stat(path))) === undefined) return undefined;
    const { bsize, blocks, bavail } = await statfs(path);
    return { size: bsize * blocks, free: bsize * bavail };
  },
};
