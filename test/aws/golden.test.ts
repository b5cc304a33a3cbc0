import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { prettyTemplate } from "../../src/targets/aws/cloudformation.ts";
import { inOrder, needsOf } from "../../src/targets/aws/graph/order.ts";
import { scenarios, type Scenario } from "./scenarios.ts";

// UPDATE_GOLDENS=1 rewrites them; the diff is the review.
const rewrite = process.env["UPDATE_GOLDENS"] === "1";

/** The smallest cluster's template is kept whole; of the others, what there is and what waits for what. */
const whole = "single";

function listOf({ compiled: { graph, size } }: Scenario): string {
  const lines = inOrder(graph.resources).map((resource) => {
    const { id, type, layer, origin } = resource;
    const from = origin.kind === "field" ? origin.path.join(".") : origin.component;
    return `${layer} ${id} ${type} <- ${from}${needsOf(resource)
      .toSorted()
      .map((need) => `\n  after ${need}`)
      .join("")}`;
  });
  const parameters = graph.parameters.map(({ name, default: usual }) => `parameter ${name} = ${usual ?? "to be said"}`);
  return `${[...parameters, ...lines].join("\n")}\n${graph.resources.length} resources, ${size} bytes\n`;
}

describe("the resources of", () => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (name, scenario) => {
    const texts = {
      "resources.txt": listOf(scenario),
      ...(name === whole ? { "cloudformation.json": prettyTemplate(scenario.compiled.graph) } : {}),
    };
    for (const [file, text] of Object.entries(texts)) {
      const path = join(scenario.expected, file);
      if (rewrite) {
        mkdirSync(scenario.expected, { recursive: true });
        writeFileSync(path, text);
      }
      if (!existsSync(path)) expect.fail(`there is no ${path}: UPDATE_GOLDENS=1 npx vitest run test/aws`);
      expect(text).toBe(readFileSync(path, "utf8"));
    }
  });

  test("at least twelve scenarios", () => {
    expect(scenarios.length).toBeGreaterThanOrEqual(12);
  });
});
