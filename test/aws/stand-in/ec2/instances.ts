import { durations } from "../durations.ts";
import type { Place } from "../place.ts";
import { seconds } from "../place.ts";
import { type Element, textAt } from "../xml.ts";

export type InstanceState = "pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated";

/** EC2's numbers for its states (EC2 API reference, InstanceState). */
export const stateCodes: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};

/** An instance, with all that a node of it would know. */
export type Instance = {
  readonly id: string;
  readonly type: string;
  readonly image: string;
  readonly zone: string;
  readonly subnet: string;
  readonly privateAddress: string;
  readonly publicAddress: string;
  /** ARN of its profile; empty where it has none. */
  readonly profile: string;
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly launchedAt: number;
  readonly account: string;
  readonly region: string;
  state: InstanceState;
  endedAt: number;
  /** What its console says; the node behind it writes it. */
  console: string;
  /** Volumes by device, and attachments by interface, that it was given after it was launched. */
  readonly extras: { readonly volumes: Map<string, string>; readonly interfaces: Map<string, string> };
};

export type Instances = {
  readonly all: ReadonlyMap<string, Instance>;
  add(item: Element, userData: string, tags: Readonly<Record<string, string>>): Instance;
  stop(id: string): void;
  start(id: string): void;
  terminate(id: string): void;
  /** Its state stays; its node begins anew. */
  reboot(id: string): void;
  onReboot(listener: (instance: Instance) => void): void;
  /** Heard at every change of a state. */
  onState(listener: (instance: Instance, before: InstanceState) => void): void;
};

/** Instances have their states here, with durations; moto has only the last one of each. */
export function instancesOf(place: Place): Instances {
  const all = new Map<string, Instance>();
  const listeners: ((instance: Instance, before: InstanceState) => void)[] = [];
  const reboots: ((instance: Instance) => void)[] = [];
  const { clock, backend } = place;

  const turn = (instance: Instance, state: InstanceState): void => {
    const before = instance.state;
    if (before === state) return;
    instance.state = state;
    if (state === "terminated") instance.endedAt = clock.now();
    for (const listener of listeners) listener(instance, before);
  };

  /** After so many seconds, unless something else has become of it. */
  const later = (instance: Instance, from: InstanceState, after: number, act: () => Promise<void>): void => {
    void clock.inner.sleep(seconds(after)).then(async () => {
      if (instance.state !== from) return;
      await act();
    });
  };

  const boot = (instance: Instance, after: number): void => {
    turn(instance, "pending");
    later(instance, "pending", after, async () => turn(instance, "running"));
  };

  return {
    all,
    add(item, userData, tags) {
      const instance: Instance = {
        id: textAt(item, "instanceId"),
        type: textAt(item, "instanceType"),
        image: textAt(item, "imageId"),
        zone: textAt(item, "placement", "availabilityZone"),
        subnet: textAt(item, "subnetId"),
        privateAddress: textAt(item, "privateIpAddress"),
        publicAddress: textAt(item, "ipAddress"),
        profile: textAt(item, "iamInstanceProfile", "arn"),
        userData,
        tags,
        launchedAt: clock.now(),
        account: place.account,
        region: place.region,
        state: "pending",
        endedAt: Infinity,
        console: "",
        extras: { volumes: new Map(), interfaces: new Map() },
      };
      all.set(instance.id, instance);
      later(instance, "pending", durations.instancePending, async () => turn(instance, "running"));
      return instance;
    },
    stop(id) {
      const instance = all.get(id);
      if (instance === undefined || (instance.state !== "running" && instance.state !== "pending")) return;
      turn(instance, "stopping");
      later(instance, "stopping", durations.instanceStopping, async () => {
        await backend.ask("ec2", "StopInstances", { InstanceId: [id] });
        turn(instance, "stopped");
      });
    },
    start(id) {
      const instance = all.get(id);
      if (instance === undefined || instance.state !== "stopped") return;
      void backend.ask("ec2", "StartInstances", { InstanceId: [id] });
      boot(instance, durations.instanceStarting);
    },
    terminate(id) {
      const instance = all.get(id);
      if (instance === undefined || instance.state === "terminated" || instance.state === "shutting-down") return;
      turn(instance, "shutting-down");
      later(instance, "shutting-down", durations.instanceShuttingDown, async () => {
        // What it leaves behind may linger: its interface is in use until moto hears of the end. Its disks are free.
        if (place.settings.interfaceLingers > 0) {
          await release(place, instance);
          turn(instance, "terminated");
          await clock.inner.sleep(place.settings.interfaceLingers);
          await bury(place, instance);
          return;
        }
        await bury(place, instance);
        turn(instance, "terminated");
      });
    },
    reboot(id) {
      const instance = all.get(id);
      if (instance?.state !== "running") return;
      // EC2 waits for nothing, and says nothing more.
      void clock.inner.sleep(seconds(durations.instanceRebooting)).then(() => {
        if (instance.state === "running") for (const listener of reboots) listener(instance);
      });
    },
    onReboot(listener) {
      reboots.push(listener);
    },
    onState(listener) {
      listeners.push(listener);
    },
  };
}

/** Terminates it in moto, which takes every disk along: what was attached later is taken off before. */
async function bury(place: Place, instance: Instance): Promise<void> {
  const { backend } = place;
  const { id, extras } = instance;
  await release(place, instance);
  for (const attachment of extras.interfaces.values())
    await backend.ask("ec2", "DetachNetworkInterface", { AttachmentId: attachment });
  extras.interfaces.clear();
  await backend.ask("ec2", "TerminateInstances", { InstanceId: [id] });
}

async function release({ backend }: Place, { id, extras }: Instance): Promise<void> {
  for (const [Device, VolumeId] of extras.volumes)
    await backend.ask("ec2", "DetachVolume", { VolumeId, InstanceId: id, Device });
  extras.volumes.clear();
}
