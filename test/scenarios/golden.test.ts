import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { showProblems } from "../../src/problems/show.ts";
import { renderings, type Rendering } from "./scenarios.ts";

// UPDATE_GOLDENS=1 rewrites them; the diff is the review.
const rewrite = process.env["UPDATE_GOLDENS"] === "1";

/** What a person sees: the text, or why there is none. */
function shown({ data, golden, extension, source }: Rendering): { readonly path: string; readonly text: string } {
  return data.kind === "good"
    ? { path: `${golden}.${extension}`, text: data.value.text }
    : { path: `${golden}.problems.txt`, text: showProblems(data.problems, source) };
}

const scenarios = [...new Set(renderings.map(({ scenario }) => scenario))];

describe("what slipway render gives for", () => {
  test.each(scenarios)("%s", (scenario) => {
    const all = renderings.filter((rendering) => rendering.scenario === scenario).map(shown);
    const [first] = all;
    const folder = dirname(first?.path ?? expect.fail(scenario));
    if (rewrite) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      for (const { path, text } of all) writeFileSync(path, text);
    }
    for (const { path, text } of all) {
      if (!existsSync(path)) expect.fail(`there is no ${path}: UPDATE_GOLDENS=1 npx vitest run test/scenarios`);
      expect(text, path).toBe(readFileSync(path, "utf8"));
    }
    expect(readdirSync(folder).toSorted()).toEqual(all.map(({ path }) => basename(path)).toSorted());
  });

  test("a scenario of every folder", () => {
    expect(scenarios.length).toBeGreaterThanOrEqual(12);
    const folders = readdirSync(import.meta.dirname).filter((name) =>
      existsSync(join(import.meta.dirname, name, "expected")),
    );
    expect(scenarios).toEqual(folders.toSorted());
  });
});

test("a pointer is at most 4 KB in every format, whatever the machine is to be", () => {
  const pointers = renderings.filter(({ whole }) => !whole);
  expect(new Set(pointers.map(({ format }) => format))).toEqual(
    new Set(["ignition", "coreos-cloud-config", "cloud-init"]),
  );
  const large = pointers.filter(({ data }) => data.kind === "bad" || data.value.size > 4_096);
  expect(large.map(({ scenario, group, format }) => `${scenario} ${group} ${format}`)).toEqual([]);
});
