import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { archive } from "./archive.ts";
import { imageNodejs, type ImageNodejs } from "./image.ts";

/** The programs of a cluster's runtime volume, with their hashes. */
export type Runtime = {
  readonly hash: string;
  /** Node.js is the node image's own; else it is among the files. */
  readonly nodejs: "image" | "file";
  readonly files: readonly {
    readonly name: string;
    readonly path: string;
    readonly sha256: string;
    readonly mode: number;
  }[];
};

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** Hashing 100 MB takes 0.3 s, so the sum of an unchanged file (path, size, time) is remembered. */
async function rememberedSha256(path: string, cacheFolder: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  const key = createHash("sha256").update(`${path}\0${size}\0${mtimeMs}\0${ino}`).digest("hex");
  const note = join(cacheFolder, `sum-${key}`);
  try {
    const text = (await readFile(note, "utf8")).trim();
    if (/^[0-9a-f]{64}$/.test(text)) return text;
  } catch (error) {
    if (!(error instanceof Error && Reflect.get(error, "code") === "ENOENT")) throw error;
  }
  const sum = await sha256(path);
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  await writeFile(note, sum, { mode: 0o600 });
  return sum;
}

/**
 * The runtime of nodes and gateway: the agent and the gateway program, each one file, and a Node.js: the node image's, or
 * the operator's where that has none. An image that is not there yet will be given the operator's.
 */
export async function findRuntime(
  options: { readonly node: string; readonly programs: string; readonly cacheFolder: string },
  image: ImageNodejs | undefined,
): Promise<Runtime> {
  const nodejs = image === undefined ? await rememberedSha256(options.node, options.cacheFolder) : image.sha256;
  const files = await Promise.all(
    [
      ...(nodejs === undefined ? [{ name: "node", path: options.node, mode: 0o755 }] : []),
      { name: "agent.js", path: join(options.programs, "agent.js"), mode: 0o644 },
      { name: "gateway.js", path: join(options.programs, "gateway.js"), mode: 0o644 },
    ].map(async (file) => ({ ...file, sha256: await rememberedSha256(file.path, options.cacheFolder) })),
  );
  const hash = createHash("sha256")
    .update(files.map((file) => `${file.name} ${file.sha256}\n`).join(""))
    .update(nodejs ?? "")
    .digest("hex");
  return { hash: hash.slice(0, 16), nodejs: nodejs === undefined ? "file" : "image", files };
}

/** The archive for the runtime volume; SHA256SUMS is checked by the gateway before it starts. */
export function runtimeArchive(runtime: Runtime): Readable {
  return archive([
    ...(runtime.nodejs === "image" ? [{ path: "node", target: imageNodejs }] : []),
    ...runtime.files.map((file) => ({ path: file.name, from: file.path, mode: file.mode })),
    { path: "package.json", content: '{"type":"module"}\n', mode: 0o644 },
    {
      path: "SHA256SUMS",
      content: runtime.files.map((file) => `${file.sha256}  ${file.name}\n`).join(""),
      mode: 0o644,
    },
  ]);
}
