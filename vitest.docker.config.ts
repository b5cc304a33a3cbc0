import { basename } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first, so that the last file does not run alone for minutes. */
const longest = ["faults", "converted", "services", "operations", "trust", "files", "disks"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.indexOf(basename(moduleId, ".test.ts"));
      return place < 0 ? longest.length : place;
    };
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

// Real clusters on the machine's Docker engine, each file with cluster names of its own. They wait for a good part of their
// time, so three files at a time use a machine of two cores well.
export default defineConfig({
  test: {
    include: ["test/docker/**/*.test.ts"],
    globalSetup: "scripts/docker-tests.mjs",
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
