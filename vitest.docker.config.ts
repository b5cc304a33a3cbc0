import { defineConfig } from "vitest/config";

// Real clusters on the machine's Docker engine, each file with cluster names of its own. Mostly they wait, so two files
// at a time use a machine of two cores well.
export default defineConfig({
  test: {
    include: ["test/docker/**/*.test.ts"],
    globalSetup: "scripts/docker-tests.mjs",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
