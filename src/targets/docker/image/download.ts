import { ProcessError } from "../../../host/processes.ts";
import { type Workshop, stoppable } from "./workshop.ts";

/** What came is not what was pinned; nothing of it was used. */
export class HashError extends Error {
  constructor(url: string, expected: string, found: string) {
    super(`${url} has the SHA-256 ${found}, not the pinned ${expected}: refused`);
    this.name = "HashError";
  }
}

/** Milliseconds that a download may take in all; curl gives up long before when nothing comes. */
const most = 300_000;

/** By curl, which knows the proxies and certificates of this machine; nothing of the user's ~/.curlrc. */
function byCurl(url: string, to: string): readonly [string, ...string[]] {
  const patience = ["--connect-timeout", "10", "--speed-limit", "1000", "--speed-time", "15"];
  return [
    "curl",
    "--disable",
    "--fail",
    "--silent",
    "--show-error",
    "--location",
    "--proto",
    "=https",
    ...patience,
    "--output",
    to,
    url,
  ];
}

/** Fetches a file and checks its SHA-256 before anyone may use it; throws `HashError` when it is another. */
export async function download(workshop: Workshop, url: string, sha256: string, to: string): Promise<void> {
  const { processes, disk, signal } = workshop;
  try {
    await processes.run(byCurl(url, to), { timeout: most, ...stoppable(signal) });
  } catch (error) {
    signal?.throwIfAborted();
    // Only where there is no curl: what curl could not reach, we cannot.
    if (!(error instanceof ProcessError) || error.code !== undefined || !error.message.includes("ENOENT")) throw error;
    const limit = AbortSignal.timeout(most);
    await disk.fetch(url, to, signal === undefined ? limit : AbortSignal.any([signal, limit]));
  }
  const found = await disk.sha256(to);
  if (found === undefined) throw new Error(`${url} left no file`);
  if (found !== sha256) throw new HashError(url, sha256, found);
}
