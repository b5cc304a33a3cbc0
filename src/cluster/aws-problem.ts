import type { Path, Problem, ProblemCode } from "../problems/problem.ts";

/** A problem with all that it needs, in one line. */
export function problem(
  code: ProblemCode,
  path: Path,
  message: string,
  fix: string,
  more: Partial<Pick<Problem, "at" | "severity" | "related">> = {},
): Problem {
  return { code, severity: "error", path, message, fix, ...more };
}
