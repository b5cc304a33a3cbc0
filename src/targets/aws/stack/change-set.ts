import { createHash } from "node:crypto";
import type { ClusterName } from "../../../cluster/cluster.ts";
import { askBucket, type Place } from "../bucket/requests.ts";
import { AwsFailure, isTrouble, unlessGone } from "../clients/caller.ts";
import type { ChangeSet } from "../clients/cloudformation.ts";
import type { Session } from "../clients/session.ts";
import { tagNames } from "../../../records/tags.ts";
import { limits } from "../limits.ts";

/** What a stack is to be: a template with all that it asks for. */
export type WantedStack = {
  readonly cluster: ClusterName;
  readonly template: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Beside the cluster's own. */
  readonly tags: Readonly<Record<string, string>>;
};

/** A change set takes seconds; one that takes longer than ten minutes is given up. Milliseconds. */
const patience = 600_000;
const pause = { first: 3_000, longest: 10_000 };

export type MadeChangeSet = {
  readonly name: string;
  readonly stack: string;
  /** Undefined: the stack is already so. */
  readonly changes: ChangeSet["Changes"] | undefined;
};

/** Makes a change set and waits until it is made; one without changes is taken away again. */
export async function makeChangeSet(
  session: Session,
  place: Place,
  wanted: WantedStack,
  given: {
    readonly name: string;
    readonly type: "CREATE" | "UPDATE";
    readonly keep: boolean;
    readonly revert?: boolean;
  },
  signal: AbortSignal,
): Promise<MadeChangeSet> {
  const { cluster, template, parameters, tags } = wanted;
  const cloudFormation = await session.cloudFormation();
  const source = await sourceOf(place, template);
  const input = {
    StackName: cluster,
    ChangeSetName: given.name,
    ChangeSetType: given.type,
    ...source,
    Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    Capabilities: ["CAPABILITY_IAM" as const],
    Tags: Object.entries({ ...tags, [tagNames.cluster]: cluster }).map(([Key, Value]) => ({ Key, Value })),
    ...(given.type === "CREATE"
      ? { OnStackFailure: given.keep ? ("DO_NOTHING" as const) : ("ROLLBACK" as const) }
      : {}),
    // Compared with what is there, and not only with what was set last.
    ...(given.revert === true ? { DeploymentMode: "REVERT_DRIFT" as const } : {}),
    Description: "made by Slipway",
    // Of this attempt alone: what an earlier one has made under the same name is taken away first.
    ClientToken: `slipway-${session.random.hex(12)}`,
  };
  try {
    await cloudFormation.createChangeSet(input);
  } catch (error) {
    if (!isTrouble(error, "exists")) throw error;
    // Left by a run that was interrupted between making and executing it.
    // One that is still being made cannot be deleted.
    await untilMade(session, given.name, cluster, signal);
    await unlessGone(cloudFormation.deleteChangeSet(given.name, cluster));
    await cloudFormation.createChangeSet({ ...input, ClientToken: `slipway-${session.random.hex(12)}` });
  }
  const made = await untilMade(session, given.name, cluster, signal);
  if (made.Status !== "FAILED")
    return { name: given.name, stack: made.StackId ?? cluster, changes: made.Changes ?? [] };
  await unlessGone(cloudFormation.deleteChangeSet(given.name, cluster));
  const reason = made.StatusReason ?? "";
  // CloudFormation says it in words only.
  if (/didn't contain changes|No updates are to be performed/i.test(reason))
    return { name: given.name, stack: made.StackId ?? cluster, changes: undefined };
  throw new AwsFailure(
    "invalid",
    "",
    "cloudformation:CreateChangeSet",
    `CloudFormation refuses the template: ${reason}`,
  );
}

async function untilMade(session: Session, name: string, stack: string, signal: AbortSignal): Promise<ChangeSet> {
  const cloudFormation = await session.cloudFormation();
  let wait = pause.first;
  for (let waited = 0; ; waited += wait) {
    await session.clock.sleep(wait, signal);
    signal.throwIfAborted();
    // It may not be seen everywhere yet.
    const seen = await unlessGone(cloudFormation.changeSet(name, stack));
    if (seen?.Status === "CREATE_COMPLETE" || seen?.Status === "FAILED") return seen;
    if (waited > patience)
      throw new AwsFailure(
        "unreachable",
        "",
        "cloudformation:DescribeChangeSet",
        `the change set of ${stack} was not made within ten minutes`,
      );
    wait = Math.min(pause.longest, wait * 1.5);
  }
}

/** The template itself, or the address of an object where it is too long for a request. */
async function sourceOf(place: Place, template: string): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  if (Buffer.byteLength(template) <= limits.body) return { TemplateBody: template };
  const path = `templates/${createHash("sha256").update(template).digest("hex")}.json`;
  await askBucket(place, { action: "s3:PutObject", method: "PUT", path, body: new TextEncoder().encode(template) });
  return { TemplateURL: `${await place.session.bucketUrl(place.bucket)}/${path}` };
}
