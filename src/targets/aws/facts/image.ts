import type { Cluster } from "../../../cluster/cluster.ts";
import { isTrouble } from "../clients/caller.ts";
import type { Image } from "../clients/ec2.ts";
import type { Session } from "../clients/session.ts";
import type { AwsFacts } from "./facts.ts";

/** How a cluster gets another image for its nodes. */
export const renewal =
  "slipway launch FILE --refresh images; or another one in aws: { images: … }, where the file names it";

/** What new nodes would start from is gone: a change that needs some would fail half-way. */
export class ImageLost extends Error {
  readonly next = renewal;
  constructor(lost: readonly string[]) {
    super(lost.join("\n"));
    this.name = "ImageLost";
  }
}

/** The image as EC2 has it now; undefined where it is gone, or not for this account. */
export async function imageNow(session: Session, id: string): Promise<Image | undefined> {
  try {
    return (await (await session.ec2()).images({ ids: [id] }))[0];
  } catch (error) {
    if (isTrouble(error, "gone", "invalid")) return undefined;
    throw error;
  }
}

/** What nodes would start from and cannot: a sentence for each image that was pinned, or that the file names, and is not there any more. */
export async function imagesLost(session: Session, cluster: Cluster, facts: AwsFacts): Promise<readonly string[]> {
  const own = cluster.aws.images[facts.region ?? ""];
  const ids = own === undefined ? Object.values(facts.images ?? {}).map(({ id }) => id) : [own];
  const found = await Promise.all(
    [...new Set(ids)].map(async (id) => {
      const state = (await imageNow(session, id))?.State;
      return state === "available"
        ? []
        : [`the image ${id} is ${state ?? "not there any more"}, and new nodes start from it`];
    }),
  );
  return found.flat();
}
