import { isUtf8 } from "node:buffer";
import { gunzipSync } from "node:zlib";
import type { Problem } from "../problems/problem.ts";
import type { FileSpec } from "../spec/machine.ts";
import type { ExtraFile, FileContents } from "./cluster.ts";

/** What a packed file may grow to, in bytes: a file of megabytes belongs behind a source. */
const largest = 4 * 1024 ** 2;

/** What a file holds, without the way it was written; a packed text that cannot be unpacked gives nothing here. */
export function contentsOf(file: FileSpec): FileContents {
  if (file.source !== undefined) {
    const { url, hash, compression } = file.source;
    return { kind: "remote", url, hash, compression: compression ?? "none" };
  }
  const written = file.content ?? "";
  if (file.encoding === undefined || file.encoding === "text") return { kind: "text", text: written };
  const bytes = Buffer.from(written, "base64");
  const plain = file.encoding === "base64" ? bytes : (unpacked(bytes) ?? Buffer.alloc(0));
  return isUtf8(plain)
    ? { kind: "text", text: plain.toString("utf8") }
    : { kind: "bytes", base64: plain.toString("base64") };
}

function unpacked(bytes: Uint8Array): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: largest });
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

/** Packed contents that cannot be unpacked. */
export function contentProblems(files: readonly FileSpec[], written: readonly ExtraFile[]): Problem[] {
  return files.flatMap((file, index): Problem[] => {
    if (file.encoding !== "gzip+base64" || unpacked(Buffer.from(file.content ?? "", "base64")) !== undefined) return [];
    return [
      {
        code: "invalid-value",
        severity: "error",
        path: [...(written[index]?.at ?? []), "content"],
        message: `the content is not packed with gzip, or is larger than ${largest / 1024 ** 2} MiB`,
        fix: "gzip -c FILE | base64",
      },
    ];
  });
}
