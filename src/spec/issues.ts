import type * as z from "zod";
import { nearest, oneOf } from "../problems/nearest.ts";
import { problemCodes, type Path, type Problem, type ProblemCode } from "../problems/problem.ts";
import { quoted } from "../problems/visible.ts";
import { kindOf, missing } from "./fields.ts";

/** What zod found, as problems of ours. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = pathOf(issue.path);
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey(key, path, issue.message.split(" ")));
    if (issue.code === "custom") return [customProblem(issue.message, path, issue.params ?? {})];
    return [wrongType(issue, path)];
  });
}

function pathOf(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "symbol" ? String(step) : step));
}

function unknownKey(key: string, path: Path, known: readonly string[]): Problem {
  const near = nearest(key, known);
  const words = path.length === 0 ? "the top of the file" : `${where(path)}`;
  return {
    code: "unknown-key",
    severity: "error",
    path: [...path, key],
    at: "key",
    message: `unknown key ${quoted(key)}`,
    fix: near === undefined ? `${words} takes ${oneOf([...known].sort())}` : near,
  };
}

/** A map's name in a sentence: its last key. */
function where(path: Path): string {
  const last = path.at(-1);
  return typeof last === "number" ? `an item of ${String(path.at(-2) ?? "this list")}` : String(last);
}

function customProblem(message: string, path: Path, params: Readonly<Record<string, unknown>>): Problem {
  const code =
    problemCodes.find((candidate) => candidate === params["code"]) ?? ("invalid-value" satisfies ProblemCode);
  const fix = typeof params["fix"] === "string" ? params["fix"] : undefined;
  if (code === "missing-key" && message === missing.message) return missingKey(path);
  return {
    code,
    severity: "error",
    path,
    message,
    ...(fix === undefined ? {} : { fix }),
    ...(params["at"] === "key" ? { at: "key" } : {}),
  };
}

function missingKey(path: Path): Problem {
  const key = String(path.at(-1) ?? "");
  const around = path.slice(0, -1);
  return {
    code: "missing-key",
    severity: "error",
    path,
    message: `the key ${quoted(key)} is missing${around.length === 0 ? "" : ` in ${where(around)}`}`,
    fix: `add ${key}: …`,
  };
}

function wrongType(issue: z.core.$ZodIssue, path: Path): Problem {
  if (issue.code === "invalid_type" && issue.input === undefined) return missingKey(path);
  const expected = issue.code === "invalid_type" && issue.expected === "array" ? "a list" : "a map";
  return {
    code: "wrong-type",
    severity: "error",
    path,
    message: `expected ${expected}, found ${kindOf(issue.input)}`,
    fix: expected === "a list" ? "[first, second]" : "{ key: value }",
  };
}
