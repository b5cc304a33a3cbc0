import type { NodeFiles } from "../host/nodeFiles.ts";
import { UnknownCaller } from "../store/store.ts";

/** Names the instance that the roster told to leave; an agent that is started again must know it as well. */
const departureFile = "/var/lib/slipway/leaving";

/** Before the first step of leaving: a store that is cleaned up meanwhile can say to nobody that it is gone. */
export async function beginDeparture(files: NodeFiles, instance: string): Promise<void> {
  if ((await files.read(departureFile)) === instance) return;
  await files.write(departureFile, instance, { mode: 0o600, user: "root", group: "root" });
}

/**
 * Whether this instance is out for good: the store says that it is gone, or it was told to leave and the store knows it no
 * more. That alone is no proof: a node whose store was lost or emptied goes on as it is.
 */
export async function hasDeparted(files: NodeFiles, instance: string, error: unknown): Promise<boolean> {
  return error instanceof UnknownCaller && (error.gone || (await files.read(departureFile)) === instance);
}
