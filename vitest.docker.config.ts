import { defineConfig } from "vitest/config";
import { longestFirst } from "./test/longest-first.ts";

// Real clusters on the machine's Docker engine, each file with cluster names of its own. They wait for a good part of their
// time, so three files at a time use a machine of two cores well.
export default defineConfig({
  test: {
    include: ["test/docker/**/*.test.ts"],
    globalSetup: "scripts/docker-tests.mjs",
    maxWorkers: 3,
    sequence: {
      sequencer: longestFirst(["faults", "converted", "services", "operations", "trust", "files", "disks"]),
    },
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
