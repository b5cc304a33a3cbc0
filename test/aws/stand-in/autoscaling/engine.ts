import { durations } from "../durations.ts";
import type { Ec2 } from "../ec2/ec2.ts";
import type { Instance } from "../ec2/instances.ts";
import { type Place, seconds } from "../place.ts";
import { type Activity, type Group, type Hook, type Member, standing } from "./group.ts";
import { launcherOf } from "./launch.ts";

export type Engine = {
  readonly groups: ReadonlyMap<string, Group>;
  add(group: Group): void;
  remove(name: string): void;
  /** Looks at a group, and does the next thing that it needs. */
  look(group: Group): void;
  /** Takes one out; `replace`: the group still wants as many as before. */
  terminate(group: Group, member: Member, cause: string): void;
  groupOf(instance: string): { readonly group: Group; readonly member: Member } | undefined;
  /** Heard when an instance waits at a hook. */
  onWait(listener: (instance: Instance, group: Group, hook: Hook) => void): void;
};

/** Groups, whose instances are real ones of the layer's EC2. */
export function engineOf(place: Place, ec2: Ec2): Engine {
  const { clock } = place;
  const groups = new Map<string, Group>();
  const waiters: ((instance: Instance, group: Group, hook: Hook) => void)[] = [];

  const groupOf: Engine["groupOf"] = (instance) => {
    for (const group of groups.values()) {
      const member = group.members.get(instance);
      if (member !== undefined) return { group, member };
    }
    return undefined;
  };

  const begin = (group: Group, description: string, cause: string, where?: Activity["place"]): Activity => {
    const activity: Activity = {
      id: place.id("activity-"),
      description,
      cause,
      start: clock.now(),
      end: undefined,
      status: "InProgress",
      message: "",
      place: where,
    };
    group.activities.unshift(activity);
    return activity;
  };
  const end = (activity: Activity, status: Activity["status"], message = ""): void => {
    activity.status = status;
    activity.message = message;
    activity.end = clock.now();
  };

  /** Waits at the hooks of a transition, one after the other; gives what came out. */
  const waitAtHooks = async (
    group: Group,
    member: Member,
    transition: Hook["transition"],
  ): Promise<"CONTINUE" | "ABANDON"> => {
    const state = transition.endsWith("LAUNCHING") ? "Pending" : "Terminating";
    for (const hook of group.hooks.values()) {
      if (hook.transition !== transition) continue;
      member.lifecycle = `${state}:Wait`;
      const instance = ec2.instances.all.get(member.id);
      const result = await new Promise<"CONTINUE" | "ABANDON">((resolve) => {
        member.proceed = resolve;
        member.heartbeat = clock.now() + seconds(hook.timeout);
        const watch = async (): Promise<void> => {
          while (member.proceed === resolve && clock.now() < member.heartbeat)
            await clock.inner.sleep(member.heartbeat - clock.now());
          if (member.proceed === resolve) resolve(hook.result);
        };
        void watch();
        if (instance !== undefined) for (const listener of waiters) listener(instance, group, hook);
      });
      member.proceed = undefined;
      if (result === "ABANDON") return result;
    }
    if (member.lifecycle.endsWith(":Wait")) member.lifecycle = `${state}:Proceed`;
    return "CONTINUE";
  };

  const { launch, activities } = launcherOf(place, ec2, { begin, end, look: (group) => look(group) });

  const terminate: Engine["terminate"] = (group, member, cause) => {
    if (member.lifecycle.startsWith("Terminat")) return;
    member.proceed?.("ABANDON");
    member.lifecycle = "Terminating";
    const activity = begin(group, `Terminating EC2 instance: ${member.id}`, cause);
    void (async () => {
      const gone = ec2.instances.all.get(member.id)?.state;
      // Nobody is there to wait for where the instance has ended already (assumed).
      if (gone !== "terminated" && gone !== "shutting-down")
        await waitAtHooks(group, member, "autoscaling:EC2_INSTANCE_TERMINATING");
      ec2.instances.terminate(member.id);
      ending.set(member.id, () => {
        end(activity, "Successful");
        group.members.delete(member.id);
        look(group);
      });
      if (ec2.instances.all.get(member.id)?.state === "terminated") ending.get(member.id)?.();
    })();
  };
  /** What follows when an instance has ended. */
  const ending = new Map<string, () => void>();

  let looking = Promise.resolve();
  const look = (group: Group): void => {
    looking = looking.then(() => step(group));
  };
  const step = async (group: Group): Promise<void> => {
    if (!groups.has(group.name)) return;
    const has = (process: string): boolean => group.suspended.has(process);
    for (const member of group.members.values())
      if (
        member.health === "Unhealthy" &&
        !member.lifecycle.startsWith("Terminat") &&
        !has("ReplaceUnhealthy") &&
        !has("Terminate")
      )
        terminate(
          group,
          member,
          `At ${new Date(clock.now()).toISOString()} an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.`,
        );
    const there = standing(group);
    // Who is going still counts while the group lets no more be there than it wants.
    const going = group.members.size - there.length;
    const most = Math.floor((group.desired * (group.maintenance?.most ?? 100)) / 100);
    const room = Math.min(group.desired - there.length, Math.max(0, most - there.length - going));
    if (!has("Launch") && !group.deleting) for (let n = 0; n < room && !group.resting; n++) await launch(group);
    if (!has("Terminate"))
      for (const member of surplus(group))
        terminate(
          group,
          member,
          `At ${new Date(clock.now()).toISOString()} an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from ${there.length} to ${group.desired}.`,
        );
  };

  ec2.instances.onState((instance) => {
    const found = groupOf(instance.id);
    if (instance.state === "terminated") {
      const then = ending.get(instance.id);
      ending.delete(instance.id);
      then?.();
    }
    if (found === undefined) return;
    const { group, member } = found;
    if (instance.state === "running" && member.lifecycle === "Pending") {
      void waitAtHooks(group, member, "autoscaling:EC2_INSTANCE_LAUNCHING").then((result) => {
        if (!member.lifecycle.startsWith("Pending")) return;
        const activity = activities.get(member.id);
        activities.delete(member.id);
        if (activity !== undefined) end(activity, result === "CONTINUE" ? "Successful" : "Failed");
        if (result === "CONTINUE") member.lifecycle = "InService";
        else terminate(group, member, "an instance was abandoned at a lifecycle hook");
        look(group);
      });
      return;
    }
    if (instance.state === "running" || instance.state === "pending" || member.lifecycle.startsWith("Terminat")) return;
    void clock.inner.sleep(seconds(durations.healthCheck)).then(() => check(group, member));
  });

  /** Auto Scaling notices what EC2 has stopped or ended, unless it was told not to look. */
  const check = (group: Group, member: Member): void => {
    const state = ec2.instances.all.get(member.id)?.state;
    if (group.suspended.has("HealthCheck") || state === "running" || state === "pending") return;
    if (!group.members.has(member.id)) return;
    member.health = "Unhealthy";
    look(group);
  };

  return {
    groups,
    add(group) {
      groups.set(group.name, group);
      look(group);
    },
    remove(name) {
      groups.delete(name);
    },
    look(group) {
      // What nobody looked at while processes were suspended is seen now.
      for (const member of group.members.values()) {
        const state = ec2.instances.all.get(member.id)?.state;
        if (state !== "running" && state !== "pending" && !group.suspended.has("HealthCheck"))
          void clock.inner.sleep(seconds(durations.healthCheck)).then(() => check(group, member));
      }
      look(group);
    },
    terminate,
    groupOf,
    onWait(listener) {
      waiters.push(listener);
    },
  };
}

/** Who goes when there are too many: the default termination policy, simplified to the oldest first. */
function surplus(group: Group): readonly Member[] {
  const there = standing(group);
  const many = there.length - group.desired;
  return many <= 0 ? [] : there.filter((member) => group.deleting || !member.protected).slice(0, many);
}
