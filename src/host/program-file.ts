import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";

/** A program on this machine: its SHA-256, and its bytes when they are wanted. */
export async function programFile(
  path: string,
): Promise<{ readonly sum: string; readonly read: () => Promise<Uint8Array> }> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return { sum: hash.digest("hex"), read: () => readFile(path) };
}
