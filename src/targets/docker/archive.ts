import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

export type ArchiveEntry =
  | { readonly path: string; readonly content: string | Uint8Array; readonly mode: number }
  | { readonly path: string; readonly from: string; readonly mode: number }
  | { readonly path: string; readonly target: string };

/** A tar stream of the entries, owned by root; contents of `from` entries are read while it is sent. */
export function archive(entries: readonly ArchiveEntry[]): Readable {
  const tar = pack();
  const fill = async (): Promise<void> => {
    for (const entry of entries) {
      if ("target" in entry) tar.entry({ name: entry.path, type: "symlink", linkname: entry.target });
      else if ("content" in entry)
        tar.entry({ name: entry.path, mode: entry.mode, mtime: new Date(0) }, Buffer.from(entry.content));
      else {
        const { size } = await stat(entry.from);
        await pipeline(
          createReadStream(entry.from, { highWaterMark: 1 << 20 }),
          tar.entry({ name: entry.path, mode: entry.mode, size, mtime: new Date(0) }),
        );
      }
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar);
}
