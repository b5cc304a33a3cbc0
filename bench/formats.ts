import { readCluster } from "../src/cluster/read.ts";
import type { FormatName } from "../src/machine/formats/format.ts";
import type { MachineConfig } from "../src/machine/machine.ts";
import { render } from "../src/operations/render.ts";
import { machineOf } from "../src/operations/revision.ts";

const sum = "0".repeat(64);
const systems = { ignition: "flatcar", "coreos-cloud-config": "flatcar", "cloud-init": "debian" } as const;

export type Measured = {
  readonly format: FormatName;
  /** Milliseconds from the file's text to the user data. */
  readonly median: number;
  /** Bytes of user data that points at the store, and that says all. */
  readonly pointer: number;
  readonly whole: number;
};

/** The text of a file becomes a worker's user data in each format. */
export function measureFormats(text: string, runs: number): readonly Measured[] {
  return Object.entries(systems).map(([name, os]) => {
    // The table's own keys.
    const format = name as keyof typeof systems;
    const compile = (whole: boolean): number => {
      const read = readCluster(text, "cluster.yml", { on: "files", os });
      if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
      const pointer = {
        cluster: read.value.name,
        group: "worker",
        store: "https://10.0.0.5:7443",
        pin: sum,
        token: "t",
        runtime: { agent: sum, node: { x86_64: sum, aarch64: sum } },
      };
      const made = render({ cluster: read.value, group: "worker", format, whole, pointer });
      if (made.kind === "bad") throw new Error(JSON.stringify(made.problems));
      return made.value.size;
    };
    const times = Array.from({ length: runs }, () => {
      const begun = performance.now();
      compile(true);
      return performance.now() - begun;
    }).toSorted((a, b) => a - b);
    return { format, median: times[Math.floor(runs / 2)] ?? 0, pointer: compile(false), whole: compile(true) };
  });
}

/** A worker's machine config in Butane's words, for the same Ignition. */
export function butaneText(text: string): string {
  const read = readCluster(text, "cluster.yml", { on: "files", os: "flatcar" });
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  const group = read.value.groups.find(({ role }) => role === "worker");
  if (group === undefined) throw new Error("the example has no worker");
  const { machine } = machineOf(read.value, group);
  return JSON.stringify(butaneConfig(machine));
}

function butaneConfig(machine: MachineConfig): object {
  const owner = ({ user, group }: { readonly user: string; readonly group: string }) => ({
    user: { name: user },
    group: { name: group },
  });
  return {
    variant: "flatcar",
    version: "1.0.0",
    storage: {
      files: machine.files.map((file) => ({
        path: file.path,
        mode: Number.parseInt(file.mode, 8),
        overwrite: true,
        ...owner(file),
        contents: { inline: file.contents.kind === "text" ? file.contents.text : "" },
      })),
      links: machine.links.map(({ path, target }) => ({ path, target, overwrite: true })),
    },
    systemd: {
      units: machine.units.map((unit) => ({
        name: unit.name,
        enabled: unit.state === "on",
        ...(unit.content === undefined ? {} : { contents: unit.content }),
        dropins: unit.dropIns.map(({ name, content }) => ({ name, contents: content })),
      })),
    },
  };
}
