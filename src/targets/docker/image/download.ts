import { ProcessError } from "../../../host/processes.ts";
import { type Workshop, stoppable } from "./workshop.ts";

/** What came is not what was pinned; nothing of it was used. */
export class HashError extends Error {
  constructor(url: string, expected: string, found: string) {
    super(`${url} has the SHA-256 ${found}, not the pinned ${expected}: refused`);
    this.name = "HashError";
  }
}

/**
 * Fetches a file and checks its SHA-256 before anyone may use it. By curl, which knows the proxies and
 * certificates of this machine; gives up when nothing comes for 15 seconds.
 */
export async function download(
  workshop: Workshop,
  url: string,
  sha256: string,
  to: string,
): Promise<void> {
  const { processes, disk, signal } = workshop;
  await processes.run(
    // Only https, also after a redirect; nothing of the user's ~/.curlrc.
    [
      "curl",
      "--disable",
      "--fail",
      "--silent",
      "--show-error",
      "--location",
      "--proto",
      "=https",
      "--connect-timeout",
      "10",
      "--speed-limit",
      "1000",
      "--speed-time",
      "15",
      "--output",
      to,
      url,
    ],
    { timeout: 300_000, ...stoppable(signal) },
  );
  const found = await disk.sha256(to);
  if (found === undefined) throw new ProcessError(["curl", url], 0, "", "left no file");
  if (found !== sha256) throw new HashError(url, sha256, found);
}
