import { defineConfig } from "vitest/config";
import usual from "./vitest.config.ts";

// Minutes of two cores: `npm test -- --long` runs them with the others.
export default defineConfig({
  test: { ...usual.test, projects: undefined, include: ["test/**/*.long.test.ts"], exclude: ["node_modules/**"] },
});
