import type { FlagParametersForType } from "@stricli/core";
import type { TargetName } from "../cluster/cluster.ts";

/** On when it is given. */
export type Toggle = boolean | undefined;

/** Flags that every verb on a cluster takes. */
export type Common = {
  readonly on: TargetName | undefined;
  readonly name: string | undefined;
  readonly json: Toggle;
  readonly quiet: Toggle;
  readonly noColor: Toggle;
};
/** Of verbs that change something. */
export type Acting = Common & { readonly yes: Toggle };

/** A flag that is off unless given. */
export function toggle(brief: string) {
  return { kind: "boolean", optional: true, withNegated: false, brief } as const;
}

const shown = {
  json: toggle("print JSON: one document, or one event per line for long work"),
  quiet: toggle("print results and errors only"),
  noColor: toggle("no colour (also NO_COLOR=1)"),
} as const;

export const common: FlagParametersForType<Common> = {
  on: {
    kind: "enum",
    values: ["docker", "files", "aws"],
    optional: true,
    brief: "where the cluster runs (default: what the file says, else docker)",
  },
  name: {
    kind: "parsed",
    parse: String,
    optional: true,
    placeholder: "cluster",
    brief: "the cluster's name",
  },
  ...shown,
};
export const acting: FlagParametersForType<Acting> = {
  ...common,
  yes: toggle("do it without asking"),
};

/** Facts that a revision has pinned and that are to be asked anew. */
export const refreshFlag = {
  kind: "parsed",
  parse: String,
  optional: true,
  placeholder: "facts",
  brief: "--on aws: ask anew what is pinned: zones, images, security-groups, caller, programs, or all",
} as const;

/** The names in a `--refresh`. */
export function factsNamed(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").filter((name) => name !== "");
}

/** A whole number between two bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new Error(`${JSON.stringify(text)} is not a whole number from ${least} to ${most}`);
  };
}

/** Seconds, or `90s`, `5m`, `1h`; gives milliseconds. */
export function span(text: string): number {
  const [, count, unit = "s"] = /^(\d{1,6})([smh]?)$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`${JSON.stringify(text)} is not a time span such as 90s, 5m or 1h`);
  return Number(count) * (unit === "h" ? 3_600_000 : unit === "m" ? 60_000 : 1000);
}

/** From which time on something past is shown. */
export const sinceFlag = {
  kind: "parsed",
  parse: String,
  optional: true,
  brief: "from then on: 10m, 2h, or a time in ISO 8601",
  placeholder: "time",
} as const;

export const followFlag = toggle("go on with what comes, until Ctrl-C");

/** Of verbs that write a file. */
export const overwriteFlag = toggle("write over a file that is there");

/** Of verbs that the quorum guard can refuse. */
export const forceFlag = toggle("also where quorum would be lost");

/** Seconds that a machine has to stop in good order; `brief` says whose. */
export function graceFlag(brief: string) {
  return { kind: "parsed", parse: wholeNumber(0, 3600), default: "30", brief, placeholder: "seconds" } as const;
}

/** How long to wait until nodes are ready; `brief` says for what. */
export function timeoutFlag(brief: string) {
  return { kind: "parsed", parse: span, default: "5m", brief, placeholder: "span" } as const;
}
