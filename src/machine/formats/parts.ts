import { emptyMachine, type MachineConfig } from "../machine.ts";
import type { Format, Setting } from "./format.ts";

/** A file, unit or user of a machine config, and how many bytes a text has by it. */
export type Part = { readonly part: string; readonly size: number };

/** What each part of the machine adds to the text, largest first: where a text that is too large can lose weight. */
export function partsOf(machine: MachineConfig, format: Format, setting: Setting): readonly Part[] {
  const sizeOf = (some: MachineConfig): number => Buffer.byteLength(format.render(some, setting).text);
  const bare = sizeOf(emptyMachine);
  const alone = (part: Partial<MachineConfig>): number => sizeOf({ ...emptyMachine, ...part }) - bare;
  return [
    ...machine.files.map((file) => ({ part: file.path, size: alone({ files: [file] }) })),
    ...machine.units.map((unit) => ({ part: unit.name, size: alone({ units: [unit] }) })),
    ...machine.users.map((user) => ({ part: `user ${user.name}`, size: alone({ users: [user] }) })),
  ].toSorted((a, b) => b.size - a.size || (a.part < b.part ? -1 : 1));
}

/** The three largest, in words. */
export function largestOf(parts: readonly Part[]): string {
  return parts
    .slice(0, 3)
    .map(({ part, size }) => `${part} ${size}`)
    .join(", ");
}
