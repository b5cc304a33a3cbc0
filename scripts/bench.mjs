// The figures that are promised, as anyone can measure them: ratios and medians of interleaved runs.
//   --runs N       rounds of launching (7)
//   --only PARTS   of start,compile,formats,aws,launch,agent; then docs/benchmarks.md is left as it is
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ensurePeers } from "./judges.mjs";
import { ensureImages, ensureProgram, root } from "./ready.mjs";

const parts = ["start", "compile", "formats", "aws", "launch", "agent"];
const { values } = parseArgs({ options: { runs: { type: "string", default: "7" }, only: { type: "string" } } });
const runs = Number(values.runs);
const wanted = values.only === undefined ? parts : values.only.split(",");
const unknown = wanted.filter((part) => !parts.includes(part));
if (!Number.isInteger(runs) || runs < 1 || unknown.length > 0) {
  process.stderr.write(`error: --runs takes a whole number from 1, --only some of ${parts.join(",")}\n`);
  process.exit(2);
}
const say = (line) => process.stderr.write(`${line}\n`);
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const milliseconds = (value) =>
  value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const spread = (list) =>
  `${milliseconds(median(list))} (${milliseconds(Math.min(...list))} to ${milliseconds(Math.max(...list))})`;
const against = (mine, base) => `${(median(mine) / median(base)).toFixed(2)} ×`;
const rows = [];

await ensureProgram();
const load = loadavg()[0].toFixed(1);
if (wanted.includes("start")) start();
if (wanted.includes("compile")) await compile();
if (wanted.includes("formats")) await formats();
if (wanted.includes("aws")) await templates();
let engine = "none";
if (wanted.includes("launch") || wanted.includes("agent")) {
  const { version, nodeImage } = await ensureImages(say);
  engine = version;
  const { clusters } = await import("../bench/clusters.mjs");
  const { times, agents } = await clusters({
    runs: wanted.includes("launch") ? runs : 1,
    nodeImage,
    say,
    watch: wanted.includes("agent"),
  });
  if (wanted.includes("launch")) {
    rows.push(["bare floor: 3 etcd, 3 managers, 2 workers by plain shell, no TLS", spread(times.floor), ""]);
    rows.push([
      "launch 3+2, etcd with mutual TLS, all ready",
      spread(times.launch),
      `${against(times.launch, times.floor)} the floor`,
    ]);
    rows.push(["`docker rm -f` of a cluster's containers", spread(times.remove), ""]);
    rows.push([
      "cleanup with its proof, volumes and network too",
      spread(times.cleanup),
      `${against(times.cleanup, times.remove)} \`docker rm -f\``,
    ]);
  }
  if (agents !== undefined) {
    const most = (key) => Math.max(...agents.map((agent) => agent[key]));
    rows.push(["agent at rest, memory: the largest of five", `${most("megabytes").toFixed(0)} MB`, ""]);
    rows.push([
      "agent at rest, processor: the busiest of five over a minute",
      `${most("percent").toFixed(2)} % of a core`,
      "",
    ]);
  }
}
const text = page();
process.stdout.write(text);
if (wanted.length === parts.length) await writeFile(join(root, "docs/benchmarks.md"), text);

function start() {
  const commands = {
    "`node -e 0`": ["-e", "0"],
    "`slipway --version`": ["bin/slipway", "--version"],
    "`slipway --help`": ["bin/slipway", "--help"],
    "`slipway check examples/swarm.yml`": ["bin/slipway", "check", "examples/swarm.yml"],
  };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  // The first round warms the disk's cache and is not counted.
  for (let round = 0; round <= 20; round++) {
    for (const [name, words] of Object.entries(commands)) {
      const begun = performance.now();
      execFileSync(process.execPath, words, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
      if (round > 0) times[name].push(performance.now() - begun);
    }
  }
  const [bare] = Object.keys(commands);
  for (const [name, list] of Object.entries(times))
    rows.push([name, spread(list), name === bare ? "" : `${against(list, times[bare])} \`node -e 0\``]);
}

/** A module of bench/ with the sources that it measures, loaded for as long as `use` takes. */
async function bundled(entry, use) {
  const { build } = await import("esbuild");
  const bundle = join(root, ".cache", `bench-${process.pid}.mjs`);
  await mkdir(join(root, ".cache"), { recursive: true });
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      // Some libraries are CommonJS and call `require` for Node's own modules.
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      logLevel: "error",
    });
    return await use(await import(`${pathToFileURL(bundle).href}?${entry}`));
  } finally {
    await rm(bundle, { force: true });
  }
}

function compile() {
  return bundled("bench/compile.ts", ({ measure }) => {
    for (const { nodes, first, median: middle } of measure(9))
      rows.push([
        `file → revision and every step, ${nodes} nodes, in process`,
        milliseconds(middle),
        `first: ${milliseconds(first)}; ${((middle * 1000) / nodes).toFixed(0)} µs a node`,
      ]);
  });
}

/** User data in each format; the same Ignition by Butane, whole command against whole command. */
function formats() {
  return bundled("bench/formats.ts", async ({ measureFormats, butaneText }) => {
    const file = "examples/swarm.yml";
    const text = readFileSync(join(root, file), "utf8");
    for (const { format, median: middle, pointer, whole } of measureFormats(text, 51))
      rows.push([
        `file → a worker's user data as ${format}, in process`,
        milliseconds(middle),
        `${pointer} bytes that point at the store, ${whole} bytes that say all`,
      ]);
    const { butane } = await ensurePeers({ log: say });
    if (butane.path === undefined) return say(`skipped: Butane: ${butane.missing}`);
    const input = butaneText(text);
    const times = { butane: [], slipway: [] };
    // The first round warms the disk's cache and is not counted.
    for (let round = 0; round <= 20; round++) {
      const timed = (list, program, words, options) => {
        const begun = performance.now();
        execFileSync(program, words, { cwd: root, stdio: ["pipe", "pipe", "inherit"], ...options });
        if (round > 0) list.push(performance.now() - begun);
      };
      timed(times.butane, butane.path, ["--strict"], { input });
      const words = ["dist/cli.js", "render", file, "--quiet", "--whole", "--group", "worker", "--format", "ignition"];
      timed(times.slipway, process.execPath, words);
    }
    rows.push(["`butane --strict` for the same Ignition", spread(times.butane), ""]);
    rows.push([
      "`slipway render --whole --format ignition`",
      spread(times.slipway),
      `${against(times.slipway, times.butane)} Butane, which is a compiled program and starts no Node.js`,
    ]);
  });
}

/** The template of a whole cluster; the same resources by AWS CDK, whole command against whole command. */
function templates() {
  return bundled("bench/templates.ts", async ({ measureTemplates }) => {
    for (const { nodes, median: middle, bytes, resources } of measureTemplates(51))
      rows.push([
        `file → CloudFormation template, ${nodes} nodes, in process`,
        milliseconds(middle),
        `${resources} resources, ${bytes} bytes`,
      ]);
    const { cdk } = await ensurePeers({ log: say });
    if (cdk.path === undefined) return say(`skipped: AWS CDK: ${cdk.missing}`);
    const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
    try {
      const file = join(folder, "template.json");
      const times = { cdk: [], slipway: [] };
      const timed = (list, words) => {
        const begun = performance.now();
        execFileSync(process.execPath, words, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
        list.push(performance.now() - begun);
      };
      // The first round warms the disk's cache, and writes what CDK reads; it is not counted.
      for (let round = 0; round <= runs; round++) {
        const slipway = [
          "dist/cli.js",
          "render",
          "examples/aws-swarm.yml",
          "--format",
          "cloudformation",
          "--force",
          "-o",
          file,
        ];
        timed(round > 0 ? times.slipway : [], slipway);
        timed(round > 0 ? times.cdk : [], [cdk.path, file, join(folder, "out")]);
      }
      rows.push([
        "AWS CDK synthesising the same stack from its resources, without its command line",
        spread(times.cdk),
        "",
      ]);
      rows.push([
        "`slipway render examples/aws-swarm.yml --format cloudformation`",
        spread(times.slipway),
        `${(median(times.cdk) / median(times.slipway)).toFixed(1)} × as fast as CDK`,
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

function page() {
  const [{ model }] = cpus();
  const machine = `${cpus().length} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node.js ${process.versions.node}, Docker ${engine}`;
  // Counted, not timed: a test has recorded them.
  const calls = JSON.parse(readFileSync(join(root, "bench/aws-calls.json"), "utf8"));
  return `<!-- Written by \`npm run bench\`. -->

# Benchmarks

To measure them yourself: \`npm run bench\` (${runs} rounds, interleaved; some minutes; it makes clusters of its own and removes them). Medians, with the
least and the most in brackets. Look at ratios: times are of this machine.

${machine}; load ${load} when it began; ${new Date().toISOString().slice(0, 10)}.

| what | median | against |
| --- | --- | --- |
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}

The floor is \`bench/floor/\`: the same image, the same number of nodes, etcd and Swarm without certificates of ours, nothing checked and nothing kept.
Where a launch spends its time: [decision 10](decisions/0010-where-a-launch-spends-its-time.md).
Calls of AWS's API beside the store's own, for 3+3 on the stand-in with durations like AWS's: ${calls.launch} for a launch (${calls.seconds} s of AWS's time), ${calls.status} for \`status\`, ${calls.same} for a
launch that changes nothing; \`test/aws/operator/budget.test.ts\` records them (\`bench/aws-calls.json\`) and holds them to 60 and 5.
`;
}
