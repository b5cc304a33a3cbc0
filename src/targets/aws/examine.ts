import type { ClusterName } from "../../cluster/cluster.ts";
import { isoTime } from "../../host/time.ts";
import type { Examination } from "../target.ts";
import { isTrouble } from "./clients/caller.ts";
import type { Session } from "./clients/session.ts";
import { headroom } from "./facts/demand.ts";
import { imageNow, renewal } from "./facts/image.ts";
import { ownStackOf } from "./look.ts";

/** A launch of many nodes takes so long. Milliseconds. */
const launchTime = 20 * 60_000;
/** How long before its deprecation an image is spoken of. Milliseconds. */
const notice = 30 * 86_400_000;
/** Share of a quota from which on it is spoken of. */
const scarce = 0.9;

/** Who calls and where, for how long, and what the account's quotas leave. */
export async function examineAccount(session: Session): Promise<readonly Examination[]> {
  let left: number | undefined;
  let who: string;
  try {
    const [{ account, arn }, region, expires] = await Promise.all([
      session.identity(),
      session.region(),
      session.expires(),
    ]);
    left = expires === undefined ? undefined : expires - session.clock.now();
    who = `account ${account} in ${region}, as ${arn}`;
  } catch (error) {
    const next = error instanceof Error && "next" in error && typeof error.next === "string" ? error.next : undefined;
    return [
      {
        subject: "AWS",
        state: "bad",
        message: error instanceof Error ? error.message : String(error),
        fix: next ?? "aws configure, or aws sso login",
      },
    ];
  }
  const minutes = left === undefined ? "" : `, for ${Math.max(0, Math.round(left / 60_000))} minutes more`;
  const here: Examination =
    left !== undefined && left < launchTime
      ? { subject: "AWS", state: "warning", message: `${who}${minutes}: a launch takes longer`, fix: "log in again" }
      : { subject: "AWS", state: "good", message: `${who}${minutes}` };
  return [here, ...(await allowed("quotas", () => quotas(session)))];
}

async function quotas(session: Session): Promise<readonly Examination[]> {
  const found = await headroom(session);
  const line = ({ taken, most, name }: (typeof found)[number]): string => `${taken} of ${most} ${name}`;
  const few = found.filter(({ taken, most }) => taken >= most * scarce);
  const rest = found.filter((one) => !few.includes(one));
  return [
    ...few.map((one): Examination => ({
      subject: "quota",
      state: "warning",
      message: `${line(one)} are taken`,
      fix: `aws service-quotas request-service-quota-increase --service-code ${one.service} --quota-code ${one.code} --desired-value ${one.most * 2}`,
    })),
    ...(rest.length === 0
      ? []
      : [{ subject: "quotas", state: "good" as const, message: `taken: ${rest.map(line).join("; ")}` }]),
  ];
}

/**
 * The images that a cluster's nodes start from, by its stack: one that is gone keeps a node that is replaced from coming
 * back, and one that is deprecated may go.
 */
export async function examineImages(session: Session, cluster: ClusterName): Promise<readonly Examination[]> {
  return allowed("image", async () => {
    const stack = await ownStackOf(session, cluster);
    const ids = (stack?.Parameters ?? []).flatMap(({ ParameterKey = "", ParameterValue = "" }) =>
      /^Image(?:Arm64|X8664)$/.test(ParameterKey) ? [ParameterValue] : [],
    );
    const found = await Promise.all([...new Set(ids)].map((id) => examineImage(session, id)));
    return found.flat();
  });
}

async function examineImage(session: Session, id: string): Promise<readonly Examination[]> {
  const image = await imageNow(session, id);
  if (image === undefined || image.State !== "available")
    return [
      {
        subject: "image",
        state: "bad",
        message: `${id}, from which nodes start, is ${image?.State ?? "not there any more"}: a node that is replaced does not come back`,
        fix: renewal,
      },
    ];
  const until = Date.parse(image.DeprecationTime ?? "");
  const now = session.clock.now();
  if (!Number.isFinite(until) || until - now > notice) return [];
  return [
    {
      subject: "image",
      state: "warning",
      message: `${id} (${image.Name ?? "without a name"}) ${until <= now ? "has been" : "will be"} deprecated ${until <= now ? "since" : "from"} ${isoTime(until)}: its owner may take it away`,
      fix: renewal,
    },
  ];
}

/** What may not be looked at is said; it is not known to be well. */
async function allowed(subject: string, look: () => Promise<readonly Examination[]>): Promise<readonly Examination[]> {
  try {
    return await look();
  } catch (error) {
    if (!isTrouble(error, "forbidden")) throw error;
    return [
      {
        subject,
        state: "warning",
        message: `not looked at: ${error.message}`,
        fix: error.next ?? "slipway policy FILE --for operate",
      },
    ];
  }
}
