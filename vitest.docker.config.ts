import { defineConfig } from "vitest/config";

// Real clusters on the machine's Docker engine: one file after the other, each with cluster names of its own.
export default defineConfig({
  test: {
    include: ["test/docker/**/*.test.ts"],
    globalSetup: "scripts/docker-tests.mjs",
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
