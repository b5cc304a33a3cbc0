import * as z from "zod";
import { nearest, oneOf } from "../problems/nearest.ts";
import type { Path, ProblemCode } from "../problems/problem.ts";
import { hiddenCharacter, quoted } from "../problems/visible.ts";
import { Plain } from "./plain.ts";

/** What is wrong with one value; its place is added by who found it. */
export type Complaint = {
  readonly code: ProblemCode;
  readonly message: string;
  readonly fix: string;
  readonly at?: "key";
  /** From the value on. */
  readonly path?: Path;
};

type Context = z.core.$RefinementCtx<unknown>;

/** Tells zod of a complaint; `issues.ts` reads it back. */
export function complain(context: Context, { message, path, ...complaint }: Complaint): void {
  context.addIssue({
    code: "custom",
    message,
    params: complaint,
    ...(path === undefined ? {} : { path: [...path] }),
  });
}

/** Takes a scalar's meaning: a map or list that is left empty is there, with nothing in it. */
export function unwrap(input: unknown, empty: () => unknown): unknown {
  if (!(input instanceof Plain)) return input;
  return input.value === null ? empty() : input.value;
}

/** A map with a fixed set of keys. `keys` in the message let `issues.ts` find the nearest word. */
export function section<Shape extends z.core.$ZodLooseShape>(description: string, shape: Shape) {
  const known = Object.keys(shape).join(" ");
  return z
    .preprocess(
      (input) => unwrap(input, () => ({})),
      z.strictObject(shape, {
        error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined),
      }),
    )
    .meta({ description });
}

/** A map from names to values; `rule` judges the names. */
export function mapOf<Value extends z.core.SomeType>(
  description: string,
  value: Value,
  rule: (name: string) => Complaint | undefined,
) {
  return z
    .preprocess(
      (input) => unwrap(input, () => ({})),
      z.record(z.string(), value).superRefine(
        (map, context) => {
          for (const name of Object.keys(map)) {
            const complaint = hiddenIn(name, false) ?? rule(name);
            if (complaint !== undefined) complain(context, { ...complaint, at: "key", path: [name] });
          }
        },
        { when: ({ value: map }) => typeof map === "object" && map !== null },
      ),
    )
    .meta({ description });
}

/** A list. */
export function listOf<Item extends z.core.SomeType>(description: string, item: Item) {
  return z.preprocess((input) => unwrap(input, () => []), z.array(item)).meta({ description });
}

type TextRule = {
  readonly description: string;
  /** Tabs and newlines may stand in it. */
  readonly lines?: boolean;
  readonly empty?: boolean;
  readonly check?: (text: string) => Complaint | undefined;
  readonly schema?: Readonly<Record<string, unknown>>;
};

/** A text field: what YAML took for a number or a boolean is its source text again. */
export function text(rule: TextRule) {
  return z
    .unknown()
    .transform((input, context): string => {
      const value = textOf(input, context);
      if (value === undefined) return z.NEVER;
      const complaint = checkText(value, rule);
      if (complaint === undefined) return value;
      complain(context, complaint);
      return z.NEVER;
    })
    .meta({ type: ["string", "number", "boolean"], ...rule.schema, description: rule.description });
}

function checkText(value: string, rule: TextRule): Complaint | undefined {
  const hidden = hiddenIn(value, rule.lines === true);
  if (hidden !== undefined) return hidden;
  if (value === "" && rule.empty !== true)
    return {
      code: "invalid-value",
      message: "the text is empty",
      fix: "write a value, or leave the key out",
    };
  return rule.check?.(value);
}

/** Refuses characters that can hide or rewrite what a terminal, a log or a reader sees. */
export function hiddenIn(value: string, lines: boolean): Complaint | undefined {
  const found = hiddenCharacter(value, lines);
  if (found === undefined) return undefined;
  return {
    code: "yaml-control-character",
    message: `${quoted(value)} has the control character ${found.character}`,
    fix: lines ? "leave it out; tabs and newlines are allowed" : "leave it out; a line end is one too",
  };
}

function textOf(input: unknown, context: Context): string | undefined {
  if (typeof input === "string") return input;
  if (input instanceof Plain) return input.source;
  complain(
    context,
    input === undefined
      ? missing
      : {
          code: "wrong-type",
          message: `expected text, found ${kindOf(input)}`,
          fix: "one word, or text in quotes",
        },
  );
  return undefined;
}

/** What `issues.ts` completes with the key's name. */
export const missing: Complaint = { code: "missing-key", message: "missing", fix: "" };

/** One of a few words. */
export function choice<const Word extends string>(
  description: string,
  words: readonly Word[],
  other?: (word: string) => Complaint | undefined,
) {
  return z
    .unknown()
    .transform((input, context): Word => {
      const value = textOf(input, context);
      if (value === undefined) return z.NEVER;
      const word = words.find((candidate) => candidate === value);
      if (word !== undefined) return word;
      const near = nearest(value, words);
      complain(
        context,
        other?.(value) ?? {
          code: "invalid-value",
          message: `${quoted(value)} is not one of ${oneOf(words)}`,
          fix: near ?? oneOf(words),
        },
      );
      return z.NEVER;
    })
    .meta({ enum: [...words], description });
}

/** A whole number, written in decimal. */
export function integer(description: string, least: number, most: number) {
  return z
    .unknown()
    .transform((input, context): number => {
      const number = integerOf(input, least, most);
      if (typeof number === "number") return number;
      complain(context, number);
      return z.NEVER;
    })
    .meta({ type: "integer", minimum: least, maximum: most, description });
}

/** A value as a whole number, or what is wrong with it. */
export function integerOf(input: unknown, least: number, most: number): number | Complaint {
  const range = `a whole number from ${least} to ${most}`;
  if (input === undefined) return missing;
  if (typeof input === "string" && /^\d{1,15}$/.test(input))
    return {
      code: "wrong-type",
      message: `expected ${range}, found text`,
      fix: `${Number(input)}, without quotes`,
    };
  if (!(input instanceof Plain) || typeof input.value === "boolean" || input.value === null)
    return { code: "wrong-type", message: `expected ${range}, found ${kindOf(input)}`, fix: range };
  if (/^[-+]?\d+$/.test(input.source) && (Number(input.value) < least || Number(input.value) > most))
    return { code: "out-of-range", message: `${input.source} is out of range`, fix: range };
  if (/^(0|[1-9]\d*)$/.test(input.source)) return Number(input.value);
  const value = Number(input.value);
  const fits = Number.isInteger(value) && value >= least && value <= most;
  return {
    code: "wrong-type",
    message: `expected ${range}, found ${input.source}`,
    fix: fits ? String(value) : range,
  };
}

/** True or false; YAML 1.2 has no `yes` and no `on`. */
export function boolean(description: string) {
  return z
    .unknown()
    .transform((input, context): boolean => {
      if (input instanceof Plain && typeof input.value === "boolean") return input.value;
      const word = typeof input === "string" ? input.toLowerCase() : "";
      const fix = ["yes", "on", "true"].includes(word)
        ? "true"
        : ["no", "off", "false"].includes(word)
          ? "false"
          : "true or false";
      complain(
        context,
        input === undefined
          ? missing
          : { code: "wrong-type", message: `expected true or false, found ${kindOf(input)}`, fix },
      );
      return z.NEVER;
    })
    .meta({ type: "boolean", description });
}

/** A value's kind, as a message names it. */
export function kindOf(input: unknown): string {
  if (input instanceof Plain) return input.describe();
  if (typeof input === "string") return `the text ${quoted(input)}`;
  if (Array.isArray(input)) return "a list";
  if (input === null || input === undefined) return "nothing";
  return typeof input === "object" ? "a map" : `the ${typeof input} ${JSON.stringify(input)}`;
}
