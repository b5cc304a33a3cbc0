import { defineConfig } from "vitest/config";

// Real clusters on the machine's Docker engine: one file after the other, each with cluster names of its own.
export default defineConfig({
  test: {
    include: ["test/docker/**/*.test.ts"],
    // Minutes of killing and wiping control nodes: asked for by `npm test -- --faults`.
    exclude: process.env["SLIPWAY_FAULTS"] === "1" ? [] : ["test/docker/faults.test.ts"],
    globalSetup: "scripts/docker-tests.mjs",
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
