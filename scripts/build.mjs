// Builds dist/: the command line (ESM, split, so that a verb loads only what it needs), and the programs that run
// elsewhere as single files. `tsc` checks types; it is not needed to build. Another folder than dist/ may be given.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const started = new Date();
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = resolve(root, process.argv[2] ?? "dist");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  // x509 names its ES modules only here; its CommonJS would lose its names behind a lazy import.
  mainFields: ["module", "main"],
  keepNames: true,
  sourcemap: true,
  metafile: true,
  logLevel: "error",
  legalComments: "none",
  define: { slipwayVersion: JSON.stringify(version) },
  // Some libraries are CommonJS: they call `require` for Node's own modules, and name their folder.
  banner: {
    js: [
      'import { createRequire as slipwayRequire } from "node:module";',
      'import { dirname as slipwayDirname } from "node:path";',
      'import { fileURLToPath as slipwayPath } from "node:url";',
      "const require = slipwayRequire(import.meta.url), __filename = slipwayPath(import.meta.url), __dirname = slipwayDirname(__filename);",
    ].join(" "),
  },
  // ssh2 tries its native add-ons and does without them.
  external: ["*.node", "cpu-features"],
};

/** Programs that are put into nodes and containers: one file each. */
const programs = { agent: "src/agent/main.ts", gateway: "src/gateway/main.ts" };

const builds = [
  build({
    ...shared,
    entryPoints: { cli: "src/cli/main.ts" },
    outdir: dist,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
  }).then(({ metafile }) => ["cli", metafile]),
  ...Object.entries(programs)
    .filter(([, entry]) => existsSync(join(root, entry)))
    .map(([name, entry]) =>
      build({
        ...shared,
        entryPoints: { [name]: entry },
        outdir: dist,
        minifyWhitespace: true,
        sourcemap: "external",
      }).then(({ metafile }) => [name, metafile]),
    ),
];

const results = await Promise.all(builds).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

await mkdir(join(dist, "meta"), { recursive: true });
for (const [name, metafile] of results) await writeFile(join(dist, `meta/${name}.json`), JSON.stringify(metafile));
await writeFile(join(dist, "THIRD-PARTY.txt"), await notices(results.map(([, metafile]) => metafile)));
await removeOldChunks(
  new Set(results.flatMap(([, metafile]) => Object.keys(metafile.outputs).map((path) => join(root, path)))),
);
// Dated when the build began, so that an edit during the build makes the next run build again.
await writeFile(join(dist, "stamp"), `${version}\n`);
await utimes(join(dist, "stamp"), started, started);

/** The licence text of every package that went into a bundle. */
async function notices(metafiles) {
  const folders = new Set();
  for (const { inputs } of metafiles) {
    for (const path of Object.keys(inputs)) {
      const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  }
  const parts = await Promise.all(
    [...folders]
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map(async (folder) => {
        const described = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
        const file = (await readdir(join(root, folder))).find((name) => /^(licen[cs]e|copying)/i.test(name));
        const text =
          file === undefined
            ? "(the package carries no licence file)"
            : await readFile(join(root, folder, file), "utf8");
        return `${described.name} ${described.version} (${described.license ?? "licence not stated"})\n\n${text.trim()}\n`;
      }),
  );
  return `Slipway's bundles contain these packages.\n\n${parts.join(`\n${"-".repeat(78)}\n\n`)}`;
}

/** A program that runs may still load a chunk of the build before; a package to publish has none of those. */
async function removeOldChunks(outputs) {
  const keep = process.env.npm_lifecycle_event === "prepack" ? 0 : 600_000;
  const folder = join(dist, "chunks");
  for (const name of existsSync(folder) ? await readdir(folder) : []) {
    if (outputs.has(join(folder, name))) continue;
    if (started.getTime() - (await stat(join(folder, name))).mtimeMs > keep)
      await rm(join(folder, name), { force: true });
  }
}
