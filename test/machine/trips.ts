import type { Format, Setting } from "../../src/machine/formats/format.ts";
import type { MachineConfig } from "../../src/machine/machine.ts";

/** What a trip there and back needs; the real modules, or ones with a fault put in. */
export type Formats = {
  readonly ignition: Format;
  readonly coreosCloudConfig: Format;
  readonly cloudInit: Format;
  readonly readIgnition: (text: string) => MachineConfig;
  readonly readCoreosCloudConfig: (text: string) => MachineConfig;
  readonly readCloudInit: (text: string) => MachineConfig;
};
export type Trip = {
  readonly format: Format;
  readonly setting: Setting;
  readonly read: (text: string) => MachineConfig;
};

/** What coreos-cloudinit does to a whole text before it reads it (initialize/env.go). */
export function substituted(text: string): string {
  return ["$public_ipv4", "$private_ipv4", "$public_ipv6", "$private_ipv6"].reduce(
    (now, key) =>
      now.replaceAll(new RegExp(`([^\\\\]|^)\\${key}`, "g"), "$1192.0.2.7").replaceAll(`\\${key}`, () => key),
    text,
  );
}

export function tripsOf(formats: Formats): Readonly<Record<string, Trip>> {
  return {
    ignition: { format: formats.ignition, setting: { system: "flatcar" }, read: formats.readIgnition },
    "coreos-cloud-config": {
      format: formats.coreosCloudConfig,
      setting: { system: "flatcar" },
      read: (text) => formats.readCoreosCloudConfig(substituted(text)),
    },
    "cloud-init": { format: formats.cloudInit, setting: { system: "debian" }, read: formats.readCloudInit },
  };
}

/** Without what the format refuses at the field: that is a problem, and no text is used. */
export function sayable(machine: MachineConfig, name: string): MachineConfig {
  if (name === "ignition") return machine;
  const { kernelArguments: _, ...rest } = machine;
  if (name === "cloud-init") return { ...rest, kernelArguments: [] };
  const users = rest.users.map(({ uid: __, ...user }) => user);
  return { ...rest, users, groups: [], kernelArguments: [] };
}
