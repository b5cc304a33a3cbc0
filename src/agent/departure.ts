import type { NodeFiles } from "../host/nodeFiles.ts";
import { UnknownCaller } from "../store/store.ts";

/** Names the instance that the roster told to leave; an agent that is started again must know it as well. */
const departureFile = "/var/lib/slipway/leaving";

/** Before the first step of leaving: once the roster says that it is gone, the store tells this instance nothing any more. */
export async function beginDeparture(files: NodeFiles, instance: string): Promise<void> {
  if ((await files.read(departureFile)) === instance) return;
  await files.write(departureFile, instance, { mode: 0o600, user: "root", group: "root" });
}

/**
 * Whether this instance is out for good: it was told to leave, and the store knows it no more. Each alone is no proof: a
 * node whose store was lost or is another one goes on as it is.
 */
export async function hasDeparted(files: NodeFiles, instance: string, error: unknown): Promise<boolean> {
  return error instanceof UnknownCaller && (await files.read(departureFile)) === instance;
}
