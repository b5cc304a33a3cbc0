import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { readCluster } from "../../src/cluster/read.ts";
import { outcomeTable } from "../../src/cli/views/outcome.ts";
import { themeOf } from "../../src/cli/views/theme.ts";
import { output } from "../cli/fakeWorld.ts";
import { converted, expectedPath, inputNames } from "./inputs.ts";

// UPDATE_GOLDENS=1 rewrites them; the diff is the review.
const rewrite = process.env["UPDATE_GOLDENS"] === "1";
const plain = themeOf(output(), { LANG: "C.UTF-8" }, true);

describe("old files become a good cluster.yml, and a table of what became of them", () => {
  test.each(inputNames)("%s", async (name) => {
    const conversion = await converted(name);
    if (conversion.kind !== "good") throw new Error(JSON.stringify(conversion, undefined, 2));
    const table = `${outcomeTable(conversion.rows, plain)}\n`;
    if (rewrite) {
      mkdirSync(dirname(expectedPath(name, "cluster.yml")), { recursive: true });
      writeFileSync(expectedPath(name, "cluster.yml"), conversion.yaml);
      writeFileSync(expectedPath(name, "table.txt"), table);
    }
    expect(conversion.yaml).toBe(readFileSync(expectedPath(name, "cluster.yml"), "utf8"));
    expect(table).toBe(readFileSync(expectedPath(name, "table.txt"), "utf8"));
    const read = readCluster(conversion.yaml, "cluster.yml", { on: "docker" });
    expect(read.kind === "good" ? read.warnings : read.problems).toEqual([]);
  });
});
