import type { Cluster } from "../cluster/cluster.ts";
import { ownFormat, type Format, type FormatName, type Setting } from "../machine/formats/format.ts";
import { packedIgnition, userDataLimit } from "../machine/formats/ignition.ts";
import { largestOf, partsOf, type Part } from "../machine/formats/parts.ts";
import { formats } from "../machine/formats/registry.ts";
import { emptyMachine } from "../machine/machine.ts";
import { mergeMachines } from "../machine/merge.ts";
import { pointerMachine, type Pointer } from "../machine/pointer.ts";
import type { Problem, Read } from "../problems/problem.ts";
import { OperationError } from "./context.ts";
import { machineOf } from "./revision.ts";

export type RenderInput = {
  readonly cluster: Cluster;
  readonly group: string;
  /** The system's own when left out. */
  readonly format?: FormatName;
  /** All of the machine config in the user data, beside the pointer. */
  readonly whole: boolean;
  readonly pointer: Pointer;
  readonly hostName?: string;
};

export type UserData = {
  readonly format: FormatName;
  readonly text: string;
  /** Bytes. */
  readonly size: number;
  readonly limit: number;
  readonly parts: readonly Part[];
};

/** The user data of a group's nodes; what the format cannot say is a problem with the place of the field. Pure. */
export function render(input: RenderInput): Read<UserData> {
  const { cluster, format: name = ownFormat[cluster.os], whole } = input;
  const format = formats[name];
  const group = cluster.groups.find((candidate) => candidate.name === input.group);
  if (group === undefined)
    throw new OperationError(
      `${cluster.name} has no group ${input.group}; it has ${cluster.groups.map((one) => one.name).join(", ")}`,
    );
  if (!format.systems.includes(cluster.os)) return { kind: "bad", problems: [unread(format, cluster.os)] };
  const described = machineOf(cluster, group);
  // A pointer says nothing of the machine: what the agent applies later is judged by its own format.
  const wanted = name === "agent" || whole ? described.machine : emptyMachine;
  const pointed = name === "agent" ? emptyMachine : pointerMachine(input.pointer);
  const merged = mergeMachines([pointed, wanted]);
  const setting: Setting = {
    system: cluster.os,
    ...(input.hostName === undefined ? {} : { hostName: input.hostName }),
  };
  const { text, problems } = format.render(merged.machine, setting);
  const all = [...described.problems, ...merged.problems, ...problems];
  if (all.some(({ severity }) => severity === "error")) return { kind: "bad", problems: all };
  const fitting = name === "ignition" && Buffer.byteLength(text) > userDataLimit ? packedIgnition(text) : text;
  const size = Buffer.byteLength(fitting);
  const parts = partsOf(merged.machine, format, setting);
  if (name !== "agent" && size > userDataLimit) return { kind: "bad", problems: [tooLarge(size, parts, group.path)] };
  return { kind: "good", value: { format: name, text: fitting, size, limit: userDataLimit, parts }, warnings: all };
}

function unread(format: Format, os: Cluster["os"]): Problem {
  const others = Object.values(formats)
    .filter((other) => other.name !== "agent" && other.systems.includes(os))
    .map((other) => other.name);
  return {
    code: "unsupported",
    severity: "error",
    path: ["os"],
    message: `${os} does not read ${format.name} from user data`,
    fix: `--format ${others.join(" or ")}, or --os ${format.systems.join(" or ")}`,
  };
}

function tooLarge(size: number, parts: UserData["parts"], path: Problem["path"]): Problem {
  return {
    code: "out-of-range",
    severity: "error",
    path,
    at: "key",
    message: `the user data has ${size} bytes, and providers take ${userDataLimit}; the largest parts: ${largestOf(parts)}`,
    fix: "leave out --whole: nodes fetch the rest from the store; or give large files a source",
  };
}
