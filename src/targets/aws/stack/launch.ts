import type { Cluster, ClusterName } from "../../../cluster/cluster.ts";
import { ChangeTakenBack, CreationFailed, type Run } from "../../target.ts";
import { ensurePrograms, type Programs } from "../bucket/programs.ts";
import { isTrouble, unlessGone } from "../clients/caller.ts";
import type { Stack } from "../clients/cloudformation.ts";
import type { Session } from "../clients/session.ts";
import { isThere, placeOf, stackOf, storeAt } from "../look.ts";
import type { StackWork } from "../work.ts";
import { launching } from "../graph/names.ts";
import { storeParameter } from "../graph/store.ts";
import { makeChangeSet } from "./change-set.ts";
import { scalingGroups } from "./changes.ts";
import { eventReader } from "./events.ts";
import { stackState, stuck } from "./states.ts";
import { watchStack, type Watched } from "./watch.ts";

/** Brings a stack to what it is to be, and follows it to its end. Goes on where an earlier call was interrupted. */
export async function launchStack(
  session: Session,
  work: StackWork,
  programs: () => Promise<Programs>,
  run: Run,
): Promise<void> {
  const { wanted, changeSet, leave } = work;
  const { cluster } = wanted;
  const cloudFormation = await session.cloudFormation();
  const before = await stackOf(session, cluster);
  const place = {
    ...(await placeOf(session, cluster, before)),
    bucket: wanted.parameters[storeParameter.name] ?? "",
  };
  await ensurePrograms(place, work.architectures, work.programs, programs);
  const creating = stackState(before?.StackStatus) === "none";
  let name = changeSet;
  let id = before?.StackId;
  if (name === undefined) {
    const made = await makeChangeSet(
      session,
      place,
      wanted,
      { name: launching, type: "CREATE", keep: leave },
      run.signal,
    );
    name = made.name;
    id = made.stack;
  }
  const stack = id ?? cluster;
  const events = eventReader(cloudFormation, stack);
  await events.skip();
  try {
    await cloudFormation.executeChangeSet(name, cluster, `slipway-${session.random.hex(12)}`);
  } catch (error) {
    // An answer that was lost: it was executed, and is not there any more.
    const now = isTrouble(error, "gone", "conflict") ? await stackOf(session, cluster) : undefined;
    if (stackState(now?.StackStatus) !== "busy") throw error;
  }
  const watched = await watchStack({
    session,
    cluster,
    stack,
    events,
    store: await storeAt(place),
    run,
    groups: work.groups,
    origins: work.origins,
    total: work.total,
    isNew: (now) =>
      creating
        ? now?.StackStatus !== "REVIEW_IN_PROGRESS"
        : now?.LastUpdatedTime?.getTime() !== before?.LastUpdatedTime?.getTime(),
  });
  judge(watched, cluster, creating, leave);
}

/** What a stack that was followed to its end means for who launches it. */
function judge({ stack, causes }: Watched, cluster: ClusterName, creating: boolean, leave: boolean): void {
  if (causes.length === 0) return;
  const status = stack?.StackStatus ?? "DELETE_COMPLETE";
  const why = causes.map((cause) => `  ${cause}`).join("\n");
  if (creating)
    throw new CreationFailed(
      `the creation of ${cluster} failed:\n${why}\n${leave ? "what there is of it is left to be looked at" : "nothing of it is left but its store, with what its nodes have said"}`,
      leave
        ? `slipway logs ${cluster}; slipway launch without --keep takes it away and begins anew`
        : `slipway launch, when that is mended; slipway events ${cluster} has it all`,
    );
  if (stackState(status) === "stuck") throw stuck(cluster, status, causes.join("; "));
  throw new ChangeTakenBack(
    `the change of ${cluster} failed, and CloudFormation has taken it back:\n${why}`,
    "slipway launch, when that is mended",
  );
}

/** Waits for what is under way, says what is there then. */
export async function restStack(session: Session, cluster: Cluster, run: Run): Promise<"nothing" | "there" | "failed"> {
  const stack = await stackOf(session, cluster.name);
  const ended = stackState(stack?.StackStatus) === "busy" ? await followed(session, cluster, stack, run) : stack;
  const status = ended?.StackStatus ?? "DELETE_COMPLETE";
  switch (stackState(status)) {
    case "none":
      return "nothing";
    case "ready":
    case "busy":
      return "there";
    case "failed":
      return "failed";
    case "stuck":
      throw stuck(cluster.name, status, ended?.StackStatusReason ?? "");
    case "kept":
      throw Object.assign(
        new Error(`the stack ${cluster.name} is half deleted: ${ended?.StackStatusReason ?? status}`),
        { next: `slipway cleanup ${cluster.name}` },
      );
  }
}

async function followed(
  session: Session,
  cluster: Cluster,
  stack: Stack | undefined,
  run: Run,
): Promise<Stack | undefined> {
  const id = stack?.StackId ?? cluster.name;
  run.emit("warning", {
    message: `the stack ${cluster.name} is in ${stack?.StackStatus ?? "an unknown state"}: an earlier run has begun it, and its end is waited for`,
  });
  const place = await placeOf(session, cluster.name, stack);
  const groups = scalingGroups(cluster);
  const watched = await watchStack({
    session,
    cluster: cluster.name,
    stack: id,
    events: eventReader(await session.cloudFormation(), id),
    store: (await isThere(place, cluster.name)) ? await storeAt(place) : undefined,
    run,
    groups: Object.fromEntries(groups.map(({ name, resource, count }) => [name, { resource, count }])),
    origins: {},
    total: 0,
    isNew: () => true,
  });
  for (const cause of watched.causes) run.emit("warning", { message: `the earlier run failed: ${cause}` });
  return watched.stack;
}

/** Deletes a stack and follows it to its end. Gives why it is still there, or nothing. */
export async function deleteStack(
  session: Session,
  cluster: ClusterName,
  stack: Stack,
  run: Run,
): Promise<{ readonly left: Stack; readonly causes: readonly string[] } | undefined> {
  const cloudFormation = await session.cloudFormation();
  const id = stack.StackId ?? cluster;
  const events = eventReader(cloudFormation, id);
  if (stack.StackStatus !== "DELETE_IN_PROGRESS") {
    if (stack.EnableTerminationProtection === true) await cloudFormation.protect(cluster, false);
    await events.skip();
    await unlessGone(
      cloudFormation.deleteStack({ StackName: id, ClientRequestToken: `slipway-${session.random.hex(12)}` }),
    );
  }
  const watched = await watchStack({
    session,
    cluster,
    stack: id,
    events,
    store: undefined,
    run,
    groups: {},
    origins: {},
    total: 0,
    isNew: (now) => stackState(now?.StackStatus) === "none" || now?.StackStatus === "DELETE_FAILED",
  });
  return watched.stack === undefined || stackState(watched.stack.StackStatus) === "none"
    ? undefined
    : { left: watched.stack, causes: watched.causes };
}
