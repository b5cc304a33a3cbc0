import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/docker/**", "test/**/*.long.test.ts", "node_modules/**"],
    globalSetup: "test/aws/stand-in/motos.ts",
    // One file on each core: by itself vitest leaves one to its main process, which is half of a machine with two.
    maxWorkers: availableParallelism(),
    // It says by itself, and to everyone, that Node.js 20 is old.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
