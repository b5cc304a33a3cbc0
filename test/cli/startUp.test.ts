import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clusterFile } from "./fakeWorld.ts";

const exec = promisify(execFile);
const root = join(import.meta.dirname, "../..");
let folder = "";

type Metafile = {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-start-"));
  await exec(process.execPath, ["scripts/build.mjs", join(folder, "dist")], { cwd: root });
  await writeFile(join(folder, "cluster.yml"), clusterFile);
});
afterAll(() => rm(folder, { recursive: true }));

/** The source files behind all that Node.js loads for these words, as its own coverage tells; and what was printed. */
async function loaded(
  words: readonly string[],
): Promise<{ readonly sources: readonly string[]; readonly stdout: string }> {
  const coverage = await mkdtemp(join(folder, "coverage-"));
  const ended = exec(process.execPath, [join(folder, "dist/cli.js"), ...words], {
    cwd: folder,
    // Where there is no Docker, a verb ends when it has found that out, with all that it needs loaded.
    env: { PATH: process.env["PATH"], NODE_V8_COVERAGE: coverage, DOCKER_HOST: `unix://${folder}/none.sock` },
  });
  const { stdout } = await ended.catch((error: { stdout: string }) => error);
  const [report = ""] = await readdir(coverage);
  const scripts: { result: { url: string }[] } = JSON.parse(await readFile(join(coverage, report), "utf8"));
  const { outputs }: Metafile = JSON.parse(await readFile(join(folder, "dist/meta/cli.json"), "utf8"));
  const sources = new Set<string>();
  for (const { url } of scripts.result) {
    if (!url.startsWith("file:")) continue;
    const output = outputs[relative(root, new URL(url).pathname)];
    for (const source of Object.keys(output?.inputs ?? {})) sources.add(source);
  }
  return { sources: [...sources].toSorted(), stdout };
}

/** The packages among source files. */
function packages(sources: readonly string[]): readonly string[] {
  return [
    ...new Set(sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [])),
  ].toSorted();
}

describe("what is loaded", () => {
  it("for --version: nothing but the entry", async () => {
    const { sources, stdout } = await loaded(["--version"]);
    expect(stdout).toMatch(/^slipway \d+\.\d+\.\d+\n$/);
    expect(sources).toEqual(["src/cli/main.ts", "src/cli/version.ts"]);
  });

  it("for --help: no verb, no operation, no library", async () => {
    const { sources, stdout } = await loaded(["--help"]);
    expect(stdout).toContain("VERBS");
    expect(packages(sources)).toEqual([]);
    expect(
      sources.filter((source) => /^src\/(?:cli\/verbs\/|spec|cluster|targets|operations\/(?!context))/.test(source)),
    ).toEqual([]);
  });

  it("for check: the file's grammar, and nothing of targets, certificates or prompts", async () => {
    const { sources, stdout } = await loaded(["check"]);
    expect(stdout).toContain("good: demo");
    const found = packages(sources);
    expect(found).toEqual(expect.arrayContaining(["@stricli/core", "yaml", "zod"]));
    for (const heavy of [
      "@aws-sdk",
      "@peculiar",
      "@clack",
      "@docker",
      "log-update",
      "hono",
      "reflect-metadata",
      "age-encryption",
      "@bomb.sh",
    ]) {
      expect(found.filter((name) => name.startsWith(heavy))).toEqual([]);
    }
    expect(sources.filter((source) => /^src\/(?:targets|agent|pki|operations\/(?!context))/.test(source))).toEqual([]);
  });

  it.each([
    ["status", "src/operations/status.ts"],
    ["stop", "src/operations/stop.ts"],
    ["terminate", "src/operations/terminate.ts"],
    ["cleanup", "src/operations/cleanup.ts"],
    ["doctor", "src/operations/doctor.ts"],
  ])("for %s on Docker: nothing of AWS", async (verb, operation) => {
    const acts = verb === "status" || verb === "doctor" ? [] : ["--yes"];
    const { sources } = await loaded([verb, "--name", "demo", "--on", "docker", ...acts]);
    expect(sources).toContain(operation);
    expect(sources).toContain("src/targets/docker/target.ts");
    expect(
      sources.filter((source) =>
        /@(?:aws-sdk|smithy|aws-crypto)\/|aws4fetch|^src\/(?:targets|host)\/aws\//.test(source),
      ),
    ).toEqual([]);
  });

  it("AWS has chunks of its own, that a verb for it loads", async () => {
    const { outputs }: Metafile = JSON.parse(await readFile(join(folder, "dist/meta/cli.json"), "utf8"));
    const all = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
    expect(all.filter((source) => source.includes("@aws-sdk/client-ec2")).length).toBeGreaterThan(0);
    const { sources } = await loaded(["plan", "--on", "aws", "--offline"]);
    expect(sources).toContain("src/targets/aws/offline.ts");
    expect(sources.filter((source) => source.includes("@aws-sdk/"))).toEqual([]);
  });

  it("for plain verbs that only look: no terminal drawing, no prompts", async () => {
    const { sources } = await loaded(["completion", "bash"]);
    expect(packages(sources)).toEqual(["@bomb.sh/tab", "@stricli/core"]);
  });
});
