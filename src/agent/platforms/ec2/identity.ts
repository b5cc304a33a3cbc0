import * as z from "zod/mini";
import type { NodeFiles } from "../../../host/nodeFiles.ts";

/** On the member's own disk: who it is there, whatever machine it is attached to. */
const identityFile = "/var/lib/slipway/identity.json";

const identitySchema = z.object({ instance: z.string(), node: z.string() });

/**
 * Who a control member is: what stands on its disk, or this very instance where the disk is new. Written once, exclusively.
 * A disk of another member is an error: nothing on it is this one's.
 */
export async function memberIdentity(files: NodeFiles, own: z.infer<typeof identitySchema>): Promise<string> {
  const owner = { mode: 0o600, user: "root", group: "root" } as const;
  await files.create(identityFile, `${JSON.stringify(own)}\n`, owner);
  const kept = identitySchema.parse(JSON.parse((await files.read(identityFile)) ?? ""));
  if (kept.node !== own.node)
    throw new Error(`the disk at /var/lib/slipway is that of ${kept.node}, and this machine is ${own.node}`);
  return kept.instance;
}
