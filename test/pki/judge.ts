import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeKey, makeRequest, signRequest } from "../../src/pki/request.ts";
import { template, type TestCluster } from "./authorities.ts";

export const now = Date.UTC(2026, 10, 21, 9, 30, 0, 123);
export const hour = 3_600_000;
export const day = 24 * hour;
const folder = mkdtempSync(join(tmpdir(), "pki-"));

/** Removes what `file` wrote. */
export function removeFiles(): void {
  rmSync(folder, { recursive: true });
}

/** A file for openssl to read; gives its path. */
export function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

export function openssl(...words: string[]): string {
  return execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A certificate of the cluster's store authority for a new key. */
export async function signed(
  cluster: TestCluster,
  more: Parameters<typeof template>[1] = {},
  life?: number,
): Promise<string> {
  const wanted = template("store", more);
  const csr = await makeRequest(makeKey(), wanted);
  return signRequest({
    csr,
    issuer: cluster.issuers.store,
    template: wanted,
    now,
    ...(life === undefined ? {} : { life }),
  });
}
