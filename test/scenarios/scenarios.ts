import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster, Group, Os } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import type { FormatName } from "../../src/machine/formats/format.ts";
import { formats } from "../../src/machine/formats/registry.ts";
import { emptyMachine, type MachineConfig } from "../../src/machine/machine.ts";
import { mergeMachines } from "../../src/machine/merge.ts";
import { pointerMachine, type Pointer } from "../../src/machine/pointer.ts";
import { render, type UserData } from "../../src/operations/render.ts";
import { machineOf } from "../../src/operations/revision.ts";
import type { Read } from "../../src/problems/problem.ts";
import type { Source } from "../../src/problems/source.ts";

const folder = import.meta.dirname;
const examples = join(folder, "../../examples");

/** What a format's text is called on a disk, and the system that is meant where the file names none. */
const kinds: Readonly<Record<FormatName, { readonly extension: string; readonly usualOs: Os }>> = {
  ignition: { extension: "ign", usualOs: "flatcar" },
  "coreos-cloud-config": { extension: "yml", usualOs: "flatcar" },
  "cloud-init": { extension: "yml", usualOs: "debian" },
  agent: { extension: "json", usualOs: "flatcar" },
};

/** One text that `slipway render` gives for a scenario's file, or the problems why it gives none. */
export type Rendering = {
  readonly scenario: string;
  readonly group: string;
  readonly format: FormatName;
  readonly whole: boolean;
  readonly os: Os;
  readonly data: Read<UserData>;
  /** What the text is to say. */
  readonly machine: MachineConfig;
  /** The golden's path without its ending. */
  readonly golden: string;
  readonly extension: string;
  readonly source: Source;
};

/** The folders beside this file; where one has no cluster.yml, the example of its name is the scenario. */
const names: readonly string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .toSorted();

/** A join token of the usual length, a real sum's length, and an address: what makes a pointer as long as they get. */
function pointerOf(cluster: Cluster, group: Group): Pointer {
  const sum = "0123456789abcdef".repeat(4);
  return {
    cluster: cluster.name,
    group: group.name,
    store: "https://store.example.com:7443",
    pin: sum,
    token: "t0ken-".repeat(8),
    runtime: { agent: sum, node: { x86_64: sum, aarch64: sum } },
  };
}

function renderingsOf(scenario: string, format: FormatName): readonly Rendering[] {
  const own = join(folder, scenario, "cluster.yml");
  const file = existsSync(own) ? own : join(examples, `${scenario}.yml`);
  const { extension, usualOs } = kinds[format];
  const read = readCluster(readFileSync(file), "cluster.yml", { on: "files", usualOs });
  if (read.kind === "bad") throw new Error(`${scenario}: ${JSON.stringify(read.problems)}`);
  const cluster = read.value;
  if (!formats[format].systems.includes(cluster.os)) return [];
  return cluster.groups.flatMap((group) =>
    (format === "agent" ? [true] : [false, true]).map((whole): Rendering => {
      const pointer = pointerOf(cluster, group);
      const described = machineOf(cluster, group).machine;
      const name = [group.name, format, ...(whole && format !== "agent" ? ["whole"] : [])].join(".");
      return {
        scenario,
        group: group.name,
        format,
        whole,
        os: cluster.os,
        data: render({ cluster, group: group.name, format, whole, pointer }),
        machine: mergeMachines([
          format === "agent" ? emptyMachine : pointerMachine(pointer),
          whole ? described : emptyMachine,
        ]).machine,
        golden: join(folder, scenario, "expected", name),
        extension,
        source: read.source,
      };
    }),
  );
}

/** Every scenario, group and format that the scenario's system reads: the pointer, and the whole. */
export const renderings: readonly Rendering[] = names.flatMap((scenario) =>
  (["ignition", "coreos-cloud-config", "cloud-init", "agent"] as const).flatMap((format) =>
    renderingsOf(scenario, format),
  ),
);

/** The renderings of a format that have a text, with a name for messages. */
export function textsOf(
  ...wanted: readonly FormatName[]
): readonly (Rendering & { readonly name: string; readonly text: string })[] {
  return renderings.flatMap((rendering) => {
    if (!wanted.includes(rendering.format) || rendering.data.kind === "bad") return [];
    const { scenario, group, format, whole } = rendering;
    const name = `${scenario} ${group} ${format}${whole ? " whole" : ""}`;
    return [{ ...rendering, name, text: rendering.data.value.text }];
  });
}
