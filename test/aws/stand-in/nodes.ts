import type { StandIn } from "./stand-in.ts";
import type { Hook, Group } from "./autoscaling/group.ts";
import type { Instance } from "./ec2/instances.ts";

/**
 * What lives on instances. Replace its functions to put whole nodes behind the stand-in: each is told of an instance with its
 * user data, tags, profile and addresses, and acts as it by `standIn.asInstance(id)`.
 */
export type Nodes = {
  /** It runs: for the first time, or again after it was stopped. */
  booted: (instance: Instance) => void;
  /** Its group lets it go, and waits for it at a hook. */
  leaving: (instance: Instance, group: Group, hook: Hook) => void;
  stopped: (instance: Instance) => void;
  rebooted?: (instance: Instance) => void;
  terminated: (instance: Instance) => void;
};

export type Word = "SUCCESS" | "FAILURE" | "silence";

/** Nodes that do what a good node would, in so many seconds, or what a test wants of one. */
export function obedientNodes(
  standIn: StandIn,
  {
    ready = 60,
    says = () => "SUCCESS",
    leaves = 10,
  }: { readonly ready?: number; readonly says?: (instance: Instance) => Word; readonly leaves?: number } = {},
): Nodes {
  const { inner } = standIn.clock;
  const signal = async (instance: Instance): Promise<void> => {
    await inner.sleep(ready * 1_000);
    const word = says(instance);
    const { "aws:cloudformation:stack-name": stack, "aws:cloudformation:logical-id": logical } = instance.tags;
    instance.console += `[ ${String(ready)}.0 ] slipway: ${word}\n`;
    if (instance.state !== "running" || word === "silence" || stack === undefined || logical === undefined) return;
    const answer = await ask("cloudformation", instance, {
      Action: "SignalResource",
      Version: "2010-05-15",
      StackName: stack,
      LogicalResourceId: logical,
      UniqueId: instance.id,
      Status: word,
    });
    instance.console += `[ ${String(ready)}.1 ] slipway: the signal was answered with ${answer.status}\n`;
  };
  const ask = (service: string, instance: Instance, parameters: Readonly<Record<string, string>>): Promise<Response> =>
    standIn.asInstance(instance.id).fetch(`https://${service}.${instance.region}.amazonaws.com/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(parameters).toString(),
    });
  const signalled = new Set<string>();
  return {
    booted(instance) {
      if (signalled.has(instance.id)) return;
      signalled.add(instance.id);
      void signal(instance);
    },
    leaving(instance, group, hook) {
      void inner.sleep(leaves * 1_000).then(() =>
        ask("autoscaling", instance, {
          Action: "CompleteLifecycleAction",
          Version: "2011-01-01",
          AutoScalingGroupName: group.name,
          LifecycleHookName: hook.name,
          InstanceId: instance.id,
          LifecycleActionResult: "CONTINUE",
        }),
      );
    },
    stopped() {
      // Nothing is lost.
    },
    terminated() {
      // Nothing is left.
    },
  };
}
