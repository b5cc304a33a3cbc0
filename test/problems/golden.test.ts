import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { problemCodes } from "../../src/problems/problem.ts";
import { showProblems } from "../../src/problems/show.ts";
import { caseNames, caseProblems, expectedPath } from "./cases.ts";

// UPDATE_GOLDENS=1 rewrites them; the diff is the review.
const rewrite = process.env["UPDATE_GOLDENS"] === "1";

describe("what a bad file is told", () => {
  test.each(caseNames)("%s", (name) => {
    const { problems, source } = caseProblems(name);
    const shown = showProblems(problems, source);
    if (rewrite) writeFileSync(expectedPath(name), shown);
    expect(problems).not.toHaveLength(0);
    expect(shown).toBe(readFileSync(expectedPath(name), "utf8"));
  });
});

test("every code of a problem has a case of its name, in which it is reported", () => {
  const shownIn = (code: string) =>
    caseNames.includes(code) && caseProblems(code).problems.some((problem) => problem.code === code);
  expect(problemCodes.filter((code) => !shownIn(code))).toEqual([]);
});

test("every problem says what would be right", () => {
  const silent = caseNames.flatMap((name) =>
    caseProblems(name)
      .problems.filter((problem) => problem.fix === undefined)
      .map((problem) => `${name}: ${problem.message}`),
  );
  expect(silent).toEqual([]);
});
