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

// Real clusters on the machine's Docker engine, each file with cluster names of its own. Two files at a time leave a machine
// of two cores idle for a tenth of the time; three take all of it, and a tenth less.
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
