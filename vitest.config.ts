import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * What leaves a process other than it was: files of openssl's in a folder of the process, TLS that is given other roots, a
 * heap of hundreds of megabytes.
 */
const alone = [
  "test/pki/**/*.test.ts",
  "test/store/**/*.test.ts",
  "test/components/*-explore.test.ts",
  "test/target/many-nodes.test.ts",
];
const elsewhere = ["test/docker/**", "test/**/*.long.test.ts", "node_modules/**"];

export default defineConfig({
  test: {
    // One file more than there are cores: some wait for judges and for AWS's stand-in. By itself vitest leaves a core to its
    // main process, which is half of a machine with two.
    maxWorkers: availableParallelism() + 1,
    // Explorations, and whoever makes many objects at once, spent a seventh of their time on moving them about.
    execArgv: ["--max-semi-space-size=32"],
    projects: [
      // A process for each worker, not for each file: to read the same modules 150 times took two minutes of a core.
      {
        extends: true,
        test: { name: "together", include: ["test/**/*.test.ts"], exclude: [...elsewhere, ...alone], isolate: false },
      },
      { extends: true, test: { name: "alone", include: alone, exclude: elsewhere } },
    ],
    globalSetup: "test/aws/stand-in/motos.ts",
    // It says by itself, and to everyone, that Node.js 20 is old.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
