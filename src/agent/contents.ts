import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { NodePorts } from "../components/node.ts";
import { bytesOf, type Contents } from "../machine/machine.ts";

/** The largest remote file that is taken, packed or not, bytes. */
const largest = 512 * 1024 ** 2;

/** The sum of bytes as machine configs write it: `sha256-` or `sha512-` and hexadecimal digits. */
function sumOf(bytes: Uint8Array, like: string): string {
  const algorithm = like.startsWith("sha512-") ? "sha512" : "sha256";
  return `${algorithm}-${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** What a file is to hold; a remote one is fetched, unpacked and judged by its sum. */
export async function bytesToWrite(
  { download }: Pick<NodePorts, "download">,
  contents: Contents,
): Promise<Uint8Array | string> {
  if (contents.kind === "text") return contents.text;
  if (contents.kind === "bytes") return bytesOf(contents);
  const fetched = await download(contents.url, largest);
  const bytes = contents.compression === "gzip" ? gunzipSync(fetched, { maxOutputLength: largest }) : fetched;
  const sum = sumOf(bytes, contents.hash);
  if (sum !== contents.hash) throw new Error(`${contents.url} has the sum ${sum}, not ${contents.hash}`);
  return bytes;
}

/** Whether a file still holds what it should; `undefined` when it is gone. */
export async function holds(
  { files }: Pick<NodePorts, "files">,
  path: string,
  contents: Contents,
): Promise<boolean | undefined> {
  if (contents.kind === "text") {
    const there = await files.read(path);
    return there === undefined ? undefined : there === contents.text;
  }
  const there = await files.bytes(path);
  if (there === undefined) return undefined;
  return contents.kind === "bytes"
    ? Buffer.from(there).equals(bytesOf(contents))
    : sumOf(there, contents.hash) === contents.hash;
}
