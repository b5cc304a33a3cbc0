// What the demo, the tests and the benchmarks need before they begin: libraries and bundle, a Docker engine, the
// node image and the example service's image. Each is looked for first; what is there is left alone.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureEngine } from "./engine.mjs";
import { ensureHello } from "./hello.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The program's name as a person calls it, to be run from the project's folder. */
export const slipway = "bin/slipway";

/** Runs a command in the project's folder with this terminal; gives the exit code. */
export function show(command, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = start(command, ["ignore", "inherit", "inherit"], environment);
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

/** Runs a command and gives what it printed; its errors stay visible. Fails when the command does. */
export async function output(command) {
  const child = start(command, ["ignore", "pipe", "inherit"]);
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`${command.join(" ")} failed with ${code}`);
  return Buffer.concat(chunks).toString("utf8");
}

function start([program, ...words], stdio, environment = {}) {
  return spawn(program === slipway ? process.execPath : program, program === slipway ? [slipway, ...words] : words, {
    cwd: root,
    stdio,
    env: { ...process.env, ...environment },
  });
}

/** The libraries, and the program in `dist/`. */
export async function ensureProgram() {
  if (!existsSync(join(root, "node_modules/esbuild"))) {
    const words = ["npm", "ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
    if ((await show(words)) !== 0) throw new Error(`${words.join(" ")} failed`);
  }
  // It builds itself where dist/ is older than its sources.
  await output([slipway, "--version"]);
}

/** The engine, the node image and demo/hello; gives the engine's version and the node image's tag. */
export async function ensureImages(log) {
  const { version } = await ensureEngine({ log });
  const nodeImage = (await output([slipway, "image", "--build"])).trim();
  await ensureHello({ nodeImage, log });
  return { version, nodeImage };
}
