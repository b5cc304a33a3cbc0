import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expectedPath, inputNames } from "./inputs.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/converting.md"), "utf8");
const examples = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text);

it("what the page shows is what comes out", () => {
  const written = inputNames.map((name) => readFileSync(expectedPath(name, "cluster.yml"), "utf8"));
  expect(examples.length).toBeGreaterThan(4);
  expect(examples.filter((example) => !written.some((text) => text.includes(example)))).toEqual([]);
});
