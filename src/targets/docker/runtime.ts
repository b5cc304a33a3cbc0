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

/** Hashing the 100 MB of Node.js takes 0.3 s, so the sum of a file that is as it was (size, time, inode) is remembered. */
async function rememberedSha256(path: string, cacheFolder: string): Promise<string> {
  const { size, mtimeMs, ino } = await stat(path);
  const state = `${path} ${size} ${mtimeMs} ${ino}`;
  const note = join(cacheFolder, "nodejs-sum");
  try {
    const [known, sum = ""] = (await readFile(note, "utf8")).trim().split("\n");
    if (known === state && /^[0-9a-f]{64}$/.test(sum)) return sum;
  } catch (error) {
    if (!(error instanceof Error && Reflect.get(error, "code") === "ENOENT")) throw error;
  }
  const sum = await sha256(path);
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  await writeFile(note, `${state}\n${sum}\n`, { mode: 0o600 });
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
  const own = { name: "node", path: options.node, mode: 0o755 };
  const files = await Promise.all([
    ...(nodejs === undefined
      ? [rememberedSha256(own.path, options.cacheFolder).then((sum) => ({ ...own, sha256: sum }))]
      : []),
    ...["agent.js", "gateway.js"].map(async (name) => {
      const path = join(options.programs, name);
      return { name, path, mode: 0o644, sha256: await sha256(path) };
    }),
  ]);
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
