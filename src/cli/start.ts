import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { constants, homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve as resolvePath } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as after } from "node:timers";
import { fileURLToPath } from "node:url";
import { systemClock } from "../host/clock.ts";
import { thisProcess } from "../host/owner.ts";
import { pasteable, systemProcesses } from "../host/processes.ts";
import { systemRandom } from "../host/random.ts";
import { runCli } from "./cli.ts";
import { exits } from "./exit.ts";
import { interrupts } from "./interrupts.ts";
import { operations } from "./operations.ts";
import { verbs } from "./verbs.ts";
import type { World } from "./world.ts";

/** Runs the program with the real world and ends the process; `programs` is the folder of the nodes' programs. */
export async function start(programs: URL): Promise<void> {
  const words = process.argv.slice(2);
  // AWS's SDK would say to everyone that Node.js 20 is old.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const program = programName(process.argv[1] ?? "slipway", process.cwd());
  const interrupted = interrupts({
    leave: () => {
      process.stderr.write(`\ninterrupted; the state is safe\nto go on: ${pasteable([program, ...words])}\n`);
      process.exit(exits.interrupted);
    },
    after: (milliseconds, call) => void after(call, milliseconds).unref(),
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupted.interrupt);
  quietPipes(words[0]);

  const world: World = {
    program,
    words,
    environment: process.env,
    stdin: { terminal: process.stdin.isTTY === true },
    readInput: async () => buffer(process.stdin),
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupted.signal,
    atExit: (call) => {
      process.once("exit", call);
      return () => void process.off("exit", call);
    },
    clock: systemClock,
    random: systemRandom,
    processes: systemProcesses,
    owner: thisProcess,
    files: {
      read: (path) => readFile(path),
      write: (path, content, replace) => writeFile(path, content, { flag: replace ? "w" : "wx" }),
      async writePrivate(path, content) {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const draft = `${path}.new`;
        await writeFile(draft, content, { mode: 0o600 });
        await chmod(draft, 0o600);
        await rename(draft, path);
      },
      exists: existsSync,
      absolute: resolvePath,
    },
    privateFolder: (cluster) =>
      join(process.env["XDG_RUNTIME_DIR"] || join(homedir(), ".local/state"), "slipway", cluster),
    interactive: (command) => interrupted.whileLent(() => onTerminal(command)),
    openTarget: async (name, files, aws) => {
      const { openTarget } = await import("../targets/registry.ts");
      const options = {
        environment: process.env,
        node: process.execPath,
        architecture: process.arch,
        platform: process.platform,
        programs: fileURLToPath(programs),
        cacheFolder: join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "slipway"),
        processes: systemProcesses,
        clock: systemClock,
        random: systemRandom,
      };
      return openTarget(name, options, { files, aws });
    },
    programs: {
      agent: fileURLToPath(new URL("agent.js", programs)),
      [`node-${process.arch === "arm64" ? "aarch64" : "x86_64"}`]: process.execPath,
    },
    bridge,
    operations,
    prompts: async () => (await import("./prompts.ts")).prompts,
  };
  const code = await runCli(world);
  process.exitCode = code;
  // Connections that are kept open must not keep the program alive; what was written must still go out.
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit(code);
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

function bridge(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("error", reject);
    socket.once("close", () => resolve());
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
  });
}

/** A reader that has gone away (`| head`) ends a verb that only looks; one that acts goes on in silence. */
function quietPipes(word: string | undefined): void {
  const acts = word !== undefined && Object.hasOwn(verbs, word) && verbs[word]?.acts === true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      if (!acts) process.exit(exits.done);
    });
  }
}

/** `bin/slipway` where that is how it was called from here, else `slipway`. */
function programName(script: string, directory: string): string {
  const path = relative(directory, script);
  const below = !path.startsWith("..") && !isAbsolute(path);
  return below && path.includes("/") && basename(path) === "slipway" ? path : "slipway";
}

function onTerminal([program, ...words]: readonly [string, ...string[]]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
