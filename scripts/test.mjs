// Everything that has to hold: types, lint, format, dead code, the tests, and the tests on real Docker clusters.
// The last line sums them up; the exit code is not 0 when anything failed.
//   --unit     no Docker          --docker   only the tests on Docker          --long   also what takes minutes more
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { NoEngineError } from "./engine.mjs";
import { ensureJudges } from "./judges.mjs";
import { ensureImages, ensureProgram, root, show } from "./ready.mjs";

const flags = process.argv.slice(2);
const unknown = flags.filter((flag) => !["--unit", "--docker", "--long"].includes(flag));
if (unknown.length > 0) {
  process.stderr.write(
    `error: ${unknown.join(" ")} is not known\nnext: npm test -- --unit, npm test -- --docker, or npm test -- --long\n`,
  );
  process.exit(2);
}
const begun = Date.now();
const say = (line) => process.stdout.write(`${line}\n`);
const stage = (title) => say(`\n== ${title} (${Math.round((Date.now() - begun) / 1000)} s)`);
const counted = { passed: 0, failed: 0 };
const failures = [];
const folder = mkdtempSync(join(tmpdir(), "slipway-tests-"));

try {
  await all();
} catch (error) {
  failed(String(error?.message ?? error));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const failure of failures) say(`failed: ${failure}`);
say(`${counted.passed} passed, ${counted.failed} failed`);
process.exitCode = counted.failed > 0 ? 1 : 0;

async function all() {
  stage("libraries and bundle");
  await ensureProgram();
  if (!flags.includes("--docker")) {
    stage("types, lint, format, dead code");
    await Promise.all([
      check("types", ["tsc", "--noEmit"]),
      check("lint", ["oxlint", "--type-aware", "--deny-warnings"]),
      check("format", ["oxfmt", "--check", "."]),
      check("dead code", ["knip"]),
    ]);
    await judges();
    await suite("tests", "vitest.config.ts");
    if (flags.includes("--long")) await suite("long tests", "vitest.long.config.ts");
    else
      say(
        "skipped: test/aws/operator/{converge,killed}.long.test.ts: changes one by one, and kills in states that AWS alone goes through (killed.test.ts has the others), some three minutes of one core; npm test -- --long runs them",
      );
  }
  if (flags.includes("--unit")) return say("\nskipped: the tests on Docker, as --unit asks");
  stage("Docker engine and images");
  try {
    const { version, nodeImage } = await ensureImages(say);
    say(`Docker ${version}, node image ${nodeImage}`);
  } catch (error) {
    // On a machine of one's own that is a remark; where nobody reads, tests that did not run must not look well.
    if (!(error instanceof NoEngineError) || (process.env["CI"] ?? "") !== "") throw error;
    return say(`\nskipped: the tests on Docker: ${error.message}`);
  }
  await suite("tests on Docker", "vitest.docker.config.ts");
}

function failed(what, count = 1) {
  counted.failed += count;
  failures.push(what);
}

/** The programs that judge what we write. One that is missing leaves its tests out, which is said; in CI it fails them. */
async function judges() {
  stage("judges");
  const found = Object.entries(await ensureJudges({ log: say }));
  for (const [name, { missing }] of found) if (missing !== undefined) say(`skipped: ${name}: ${missing}`);
  const there = found.filter(([, { path }]) => path !== undefined).map(([name]) => name);
  say(`${there.length} of ${found.length}: ${there.join(", ")}`);
  say(
    "skipped: Flatcar's own coreos-cloudinit: the Go module proxy does not hand it out; CoreOS's types and yaml.v3 stand in",
  );
}

/** A check counts as one; its program is the project's own. */
async function check(title, [program, ...words]) {
  const code = await show([join(root, "node_modules/.bin", program), ...words]);
  if (code === 0) counted.passed += 1;
  else failed(`${title}: ${[program, ...words].join(" ")} (exit code ${code})`);
}

/** Runs one vitest configuration and adds its tests to the sum. */
async function suite(title, config) {
  stage(title);
  const file = join(folder, `${config}.json`);
  const code = await show([
    join(root, "node_modules/.bin/vitest"),
    "run",
    `--config=${config}`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
  ]);
  let found = 0;
  for (const { name, status, message, assertionResults } of resultsIn(file)) {
    const path = relative(root, name);
    for (const test of assertionResults) {
      const titled = `${path}: ${test.fullName}`;
      if (test.status === "passed") counted.passed += 1;
      else if (test.status === "failed") failed(titled);
      else say(`skipped: ${titled}${reason(test)}`);
      if (test.status === "failed") found += 1;
    }
    // A file that cannot be loaded, or whose set-up fails, has no test that failed.
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
      failed(`${path}: ${String(message).split("\n")[0]}`);
      found += 1;
    }
  }
  if (code !== 0 && found === 0) failed(`${title}: vitest ended with ${code}`);
}

function resultsIn(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).testResults;
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function reason({ meta, failureMessages }) {
  const said = [meta?.reason, ...(failureMessages ?? [])].filter((text) => typeof text === "string" && text !== "");
  return said.length === 0 ? "" : `: ${said.join("; ")}`;
}
