import { publicAddress } from "./public-address.ts";
import type { Cluster } from "../../../cluster/cluster.ts";
import type { Session } from "../clients/session.ts";

/** Where the file lets the caller in by a word: the address by which the world sees who calls, as a network of one. */
export async function callerFor(
  session: Session,
  { aws }: Cluster,
  pinned: string | undefined,
): Promise<string | undefined> {
  if (!aws.sshFrom.includes("caller")) return undefined;
  if (pinned !== undefined) return pinned;
  try {
    return `${await publicAddress(session)}/32`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(`aws.allow_ssh_from: ${why}`, { cause: error }), {
      next: "allow_ssh_from: 203.0.113.7/32 in the file, with your own address",
    });
  }
}
