import * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { complain, kindOf, missing, section, text, type Complaint } from "./fields.ts";
import { variableName } from "./names.ts";
import { Plain } from "./plain.ts";

/** An absolute path without `.`, `..`, double or trailing slashes. */
export function absolutePath(path: string): Complaint | undefined {
  if (path.length > 1024)
    return {
      code: "invalid-value",
      message: "the path has more than 1024 characters",
      fix: "use a shorter one",
    };
  if (!path.startsWith("/"))
    return {
      code: "invalid-value",
      message: `${quoted(path)} is not an absolute path`,
      fix: "begin with /",
    };
  const clean = `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
  if (path.split("/").includes(".."))
    return {
      code: "invalid-value",
      message: `${quoted(path)} has .. in it`,
      fix: "write the whole path",
    };
  if (path === "/")
    return {
      code: "invalid-value",
      message: "/ is the root directory",
      fix: "name something below it",
    };
  return path === clean
    ? undefined
    : { code: "invalid-value", message: `${quoted(path)} is not a clean path`, fix: quoted(clean) };
}

// A mode in decimal, as tools write it that read YAML 1.1 (`0644` is 420 there).
const decimalModes = [0o400, 0o440, 0o444, 0o555, 0o600, 0o640, 0o644, 0o700, 0o750, 0o755, 0o777];

/** Permission bits as octal text; a number is refused, since YAML's versions do not agree on `0644`. */
export function mode(description: string) {
  return z
    .unknown()
    .transform((input, context): string => {
      if (typeof input === "string" && /^[0-7]{3,4}$/.test(input)) return input.padStart(4, "0");
      complain(context, modeComplaint(input));
      return z.NEVER;
    })
    .meta({ type: "string", pattern: "^[0-7]{3,4}$", description });
}

function modeComplaint(input: unknown): Complaint {
  if (input === undefined) return missing;
  if (typeof input === "string")
    return {
      code: "invalid-value",
      message: `${quoted(input)} is not a mode`,
      fix: 'three or four octal digits: mode: "0644"',
    };
  if (!(input instanceof Plain) || typeof input.value !== "number")
    return {
      code: "wrong-type",
      message: `expected a mode, found ${kindOf(input)}`,
      fix: 'mode: "0644"',
    };
  const octal = input.source.replace(/^0o/, "");
  const meant =
    decimalModes.includes(Number(input.source)) && !input.source.startsWith("0") ? input.value.toString(8) : octal;
  return {
    code: "wrong-type",
    message: `a mode must be text: YAML reads ${input.source} as a number`,
    fix: `mode: "${/^[0-7]{3,4}$/.test(meant) ? meant.padStart(4, "0") : "0644"}"`,
  };
}

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const longest = 24 * units.h;

/** A length of time such as `10s` or `1m30s`, in milliseconds. */
export function duration(description: string, least: number) {
  return text({
    description,
    schema: { type: "string" },
    check: (value) => durationComplaint(value, least),
  }).transform((value) => milliseconds(value) ?? 0);
}

function durationComplaint(value: string, least: number): Complaint | undefined {
  const length = milliseconds(value);
  if (length === undefined)
    return {
      code: "invalid-value",
      message: `${quoted(value)} is not a length of time`,
      fix: /^\d+$/.test(value) ? `add the unit: ${value}s` : "such as 500ms, 10s, 1m30s or 2h",
    };
  if (length >= least && length <= longest) return undefined;
  return {
    code: "out-of-range",
    message: `${value} is out of range`,
    fix: `from ${durationText(least)} to 24h`,
  };
}

/** The milliseconds of a length of time; undefined when it is none. */
function milliseconds(value: string): number | undefined {
  if (value === "0") return 0;
  const parts = /^(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,6})s)?(?:(\d{1,9})ms)?$/.exec(value);
  if (parts === null || value === "") return undefined;
  const [hours = 0, minutes = 0, seconds = 0, rest = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return hours * units.h + minutes * units.m + seconds * units.s + rest;
}

/** The shortest text of a length of time in milliseconds; reads back to the same. */
export function durationText(length: number): string {
  if (length === 0) return "0s";
  for (const unit of ["h", "m", "s"] as const) if (length % units[unit] === 0) return `${length / units[unit]}${unit}`;
  return `${length}ms`;
}

const sourceShape = {
  file: text({ description: "A file beside cluster.yml whose content is the value." }).optional(),
  environment: text({
    description: "An environment variable, read at launch.",
    check: variableName,
  }).optional(),
};

/** The keys `file` and `environment`, of which one must be there. */
export type SourceKeys = {
  readonly file?: string | undefined;
  readonly environment?: string | undefined;
};
export const sourceKeys = sourceShape;

/** Complains unless one of `file` and `environment` is there. */
export function oneSource(value: SourceKeys, context: z.core.$RefinementCtx<unknown>): void {
  if (value.file === undefined && value.environment === undefined)
    complain(context, {
      code: "missing-key",
      message: "the value's place is missing",
      fix: "{ file: path } or { environment: VARIABLE }",
    });
  if (value.file !== undefined && value.environment !== undefined)
    complain(context, {
      code: "invalid-value",
      message: "the value has two places: file and environment",
      fix: "keep one of the two",
      path: ["environment"],
      at: "key",
    });
}

/** A secret value that stands elsewhere: never in this file. */
export function secretValue(description: string) {
  return z
    .preprocess((input, context) => {
      if (typeof input === "string" || (input instanceof Plain && input.value !== null))
        complain(context, {
          code: "invalid-value",
          message: "a secret must not stand in this file",
          fix: "{ file: path } or { environment: VARIABLE }",
        });
      return input;
    }, section(description, sourceShape).superRefine(oneSource))
    .meta({ description });
}
