import { describe, expect, test } from "vitest";
import { resolvedYaml } from "../../src/cluster/show.ts";
import { awsCluster, compiled, scenarios } from "./scenarios.ts";

describe("a file with every default written down", () => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    "%s gives the same template",
    (_name, scenario) => {
      const written = resolvedYaml(scenario.cluster);
      const again = awsCluster(written);
      expect(compiled(again, scenario.facts).text).toBe(scenario.compiled.text);
      expect(resolvedYaml(again)).toBe(written);
    },
  );
});
