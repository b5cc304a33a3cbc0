// Writes the pages of docs/ that are made from the code; a test sees to it that they are up to date.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Below the project, so that the libraries are found from it.
const bundle = join(root, ".cache", `pages-${process.pid}.mjs`);
await mkdir(dirname(bundle), { recursive: true });
try {
  await build({
    absWorkingDir: root,
    entryPoints: ["scripts/pages.ts"],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    define: { slipwayVersion: '""' },
    logLevel: "error",
  });
  const { pages } = await import(pathToFileURL(bundle).href);
  for (const { path, text } of pages((source) => readFileSync(join(root, source), "utf8"))) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    const before = await readFile(join(root, path), "utf8").catch((error) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (before === text) continue;
    await writeFile(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
} finally {
  await rm(bundle, { force: true });
}
