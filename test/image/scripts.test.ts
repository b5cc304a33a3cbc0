import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished, expect, test } from "vitest";
import { recipeDirectory } from "../../src/targets/docker/image/disk.ts";

const root = dirname(recipeDirectory());

/** Runs a script with a `docker` that does what the given shell lines do, and nothing of Docker's own in reach. */
function withDocker(
  lines: string,
  script: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | string; readonly said: string; readonly asked: string }> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-scripts-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "docker"), `#!/bin/sh\necho "$@" >> ${folder}/asked\n${lines}\n`);
  chmodSync(join(folder, "docker"), 0o755);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...script],
      { env: { PATH: `${folder}:/usr/bin:/bin`, ...environment } },
      (error, stdout, stderr) => {
        resolve({
          code: error?.code ?? 0,
          said: stdout + stderr,
          asked: readFileSync(join(folder, "asked"), "utf8"),
        });
      },
    );
  });
}

const engine = join(root, "scripts/engine.mjs");

test("an engine that answers is used: one question, not a word", async () => {
  const { code, said, asked } = await withDocker("echo 27.0.1", [engine]);
  expect({ code, said, asked }).toEqual({
    code: 0,
    said: "",
    asked: "version --format {{.Server.Version}}\n",
  });
});

test.each([
  ["DOCKER_HOST", { DOCKER_HOST: "tcp://10.1.2.3:2376" }, "DOCKER_HOST=tcp://10.1.2.3:2376"],
  ["DOCKER_CONTEXT", { DOCKER_CONTEXT: "far" }, "DOCKER_CONTEXT=far"],
  ["the current context", {}, "the docker context far"],
])("an engine named by %s that does not answer is not replaced by another", async (_, environment, named) => {
  const silent =
    'if [ "$1" = context ]; then echo far; else echo "Cannot connect to the Docker daemon" >&2; exit 1; fi';
  const { code, said } = await withDocker(silent, [engine], environment);
  expect(code).toBe(1);
  expect(said).toBe(
    `The Docker engine of ${named} does not answer: Cannot connect to the Docker daemon\nStart it, or point docker at another one.\n`,
  );
});

const hello = (nodeImage: string): readonly string[] => [
  "--input-type=module",
  "--eval",
  `import { ensureHello } from ${JSON.stringify(join(root, "scripts/hello.mjs"))}; console.log(JSON.stringify(await ensureHello({ nodeImage: ${JSON.stringify(nodeImage)} })))`,
];

test("the example image is built when it is not there, from the node image, and again only when that changes", async () => {
  const absent = 'if [ "$1" = image ]; then echo "Error: No such image: demo/hello" >&2; exit 1; fi';
  const first = await withDocker(absent, hello("slipway/node:1"));
  expect(first.said).toContain('{"image":"demo/hello","built":true}');
  const build = first.asked.split("\n").find((line) => line.startsWith("build")) ?? "";
  expect(build).toContain("--build-arg NODE_IMAGE=slipway/node:1");
  const label = /slipway\.example=([0-9a-f]{64})/.exec(build)?.[1] ?? "none";
  const there = `if [ "$1" = image ]; then echo ${label}; fi`;
  expect((await withDocker(there, hello("slipway/node:1"))).said).toContain('"built":false');
  expect((await withDocker(there, hello("slipway/node:2"))).said).toContain('"built":true');
});
