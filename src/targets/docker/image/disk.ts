import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

/** A directory that goes away after use. */
type Workplace = { readonly path: string; remove(): Promise<void> };

/** The files that building an image needs: the recipe shipped with the package, and a private cache. */
export interface Disk {
  /** Every file below a directory, by path with `/`, sorted. */
  list(directory: string): Promise<readonly string[]>;
  /** Undefined when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** SHA-256 in hexadecimal; undefined when there is no such file. */
  sha256(path: string): Promise<string | undefined>;
  write(path: string, content: Uint8Array | string, mode: number): Promise<void>;
  copy(from: string, to: string, mode: number): Promise<void>;
  /** Fetches over HTTPS without a program's help; knows no proxies. */
  fetch(url: string, to: string, signal: AbortSignal): Promise<void>;
  /** Puts a finished directory in its place; a directory that is there already is replaced. */
  place(from: string, to: string): Promise<void>;
  /** A path in the user's cache, `~/.cache/slipway` or below XDG_CACHE_HOME, readable by the user alone. */
  cached(...names: readonly string[]): string;
  /** A new empty directory beside the cache's entries, so that `place` is one rename. */
  workplace(): Promise<Workplace>;
}

/** Whether a failed file call says that the file is not there. */
function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** The disk of this machine with its cache at the given root. */
export function diskWithCache(root: string): Disk {
  return {
    async list(directory) {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(directory.length).split(sep).filter(Boolean).join("/"))
        .toSorted();
    },
    async read(path) {
      try {
        return await readFile(path);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    async sha256(path) {
      const hash = createHash("sha256");
      try {
        await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
      return hash.digest("hex");
    },
    async write(path, content, mode) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(path, content, { mode });
      await chmod(path, mode);
    },
    async copy(from, to, mode) {
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      await copyFile(from, to);
      await chmod(to, mode);
    },
    async fetch(url, to, signal) {
      const response = await fetch(url, { signal });
      if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
      await pipeline(response.body, createWriteStream(to, { mode: 0o600 }), { signal });
    },
    async place(from, to) {
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      // A directory cannot be renamed over one that has files; what was there is moved aside first.
      const aside = `${to}.${randomBytes(6).toString("hex")}.old`;
      try {
        await rename(to, aside);
      } catch (error) {
        if (!isAbsent(error)) throw error;
      }
      await rename(from, to);
      await rm(aside, { recursive: true, force: true });
    },
    cached: (...names) => join(root, ...names),
    async workplace() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const path = await mkdtemp(join(root, "work-"));
      return { path, remove: () => rm(path, { recursive: true, force: true }) };
    },
  };
}

/** Where a user's cache is: XDG_CACHE_HOME when it is an absolute path, else `~/.cache`. */
export function cacheRoot(environment: Readonly<Record<string, string | undefined>>, home: string): string {
  const configured = environment["XDG_CACHE_HOME"];
  return join(configured?.startsWith("/") === true ? configured : join(home, ".cache"), "slipway");
}

/** This machine's disk with the user's cache. */
export function systemDisk(): Disk {
  return diskWithCache(cacheRoot(process.env, homedir()));
}

/** The package's directory `image/`, which lies beside `src/` and `dist/`. */
export function recipeDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "image", "packages.txt"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error("the package lacks its directory image/");
    directory = parent;
  }
  return join(directory, "image");
}
