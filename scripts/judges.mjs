// Makes sure that the programs which judge what Slipway writes are there: CoreOS's own, built with Go into the user's cache,
// those in Python, in an environment of their own there, each of their packages pinned by its sum, and Debian's packages,
// installed with apt as root. Each is looked for first; what is there is left alone.
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { taken } from "./set-up.mjs";

const execute = promisify(execFile);
const minutes = 60_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const judge = (name) => join(root, "test/judges", name);
const sources = judge("coreos-cloudinit");
/** What the newest stable Flatcar has. */
const ignition = "2.24.0";
/** What Fedora CoreOS has: it reads one version more of the format. */
const fedoraIgnition = "2.26.0";
const module = "github.com/coreos/ignition/v2";

/** How each judge is had: built by Go, from Python's packages, or a program of one of Debian's packages. */
const ways = {
  "ignition-validate": {
    go: { version: ignition, build: [`${module}/validate@v${ignition}`], takes: "half a minute" },
  },
  "ignition-validate-fedora": {
    go: { version: fedoraIgnition, build: [`${module}/validate@v${fedoraIgnition}`], takes: "half a minute" },
  },
  ignition: {
    go: {
      version: ignition,
      // Without SELinux's labels, as a distribution may build it: they are those of a whole system.
      build: [
        `-ldflags=-X ${module}/internal/distro.selinuxRelabel=false -X ${module}/internal/version.Raw=v${ignition}`,
        `${module}/internal@v${ignition}`,
      ],
      takes: "three minutes",
      header: { path: "/usr/include/blkid/blkid.h", package: "libblkid-dev" },
    },
  },
  "cfn-lint": { python: { version: "1.51.0", folder: judge("cfn-lint"), takes: "half a minute" } },
  checkov: { python: { version: "3.3.30", folder: judge("checkov"), takes: "a minute" } },
  moto_server: { python: { version: "5.2.1", folder: judge("moto"), takes: "half a minute" } },
  "coreos-cloudinit-judge": { go: { version: "1.14.0", folder: sources, build: ["."], takes: "ten seconds" } },
  "cloud-init": { package: "cloud-init" },
  shellcheck: { package: "shellcheck" },
  "systemd-analyze": { package: "systemd" },
};

/** Measured against, and no judge: only the benchmarks ask for it. */
const peers = {
  butane: {
    go: {
      version: "0.24.0",
      folder: join(root, "bench/butane"),
      build: ["github.com/coreos/butane/internal"],
      takes: "half a minute",
    },
  },
  cdk: { npm: { version: "2.276.0", folder: join(root, "bench/cdk"), program: "app.mjs", takes: "half a minute" } },
};

/** Why a judge cannot be had here, and what a person can do. */
class MissingError extends Error {
  constructor(message, next) {
    super(`${message}; next: ${next}`);
    this.name = "MissingError";
  }
}

/**
 * Gives each judge's path, or the reason why it is not there; takes some milliseconds when all are. `log` hears one line for
 * each thing done.
 */
export function ensureJudges(options = {}) {
  return ensure(ways, options);
}

/** The same for the programs that Slipway is measured against. */
export function ensurePeers(options = {}) {
  return ensure(peers, options);
}

async function ensure(wanted, { log = (line) => process.stderr.write(`${line}\n`) }) {
  const judges = {};
  for (const [name, way] of Object.entries(wanted)) {
    try {
      judges[name] = { path: present(name, way) ?? (await alone(() => present(name, way) ?? make(name, way, log))) };
    } catch (error) {
      if (!(error instanceof MissingError)) throw error;
      judges[name] = { missing: error.message };
    }
  }
  return judges;
}

/** Does something while no other process installs judges: test files run side by side, and a build takes all processors. */
async function alone(act) {
  const lock = join(cacheRoot(), "judges.lock");
  mkdirSync(cacheRoot(), { recursive: true, mode: 0o700 });
  while (!taken(lock)) await sleep(200);
  try {
    return await act();
  } finally {
    rmSync(lock, { force: true });
  }
}

function present(name, { go, python, npm }) {
  if (npm !== undefined) {
    const place = placeOf(name, npm);
    return existsSync(join(place, complete)) ? join(place, npm.program) : undefined;
  }
  if (python !== undefined) {
    const place = placeOf(name, python);
    return existsSync(join(place, complete)) ? join(place, "bin", name) : undefined;
  }
  if (go === undefined) return found(name);
  const program = join(placeOf(name, go), name);
  return existsSync(program) ? program : undefined;
}

function make(name, way, log) {
  if (way.npm !== undefined) return packages(name, way.npm, log);
  if (way.python !== undefined) return environment(name, way.python, log);
  return way.go === undefined ? packaged(name, way.package, log) : built(name, way.go, log);
}

function found(program) {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (error.code !== "ENOENT" && error.code !== "EACCES" && error.code !== "ENOTDIR") throw error;
    }
  }
  return undefined;
}

async function packaged(program, name, log) {
  await installed(name, program, log);
  const path = found(program);
  if (path === undefined) throw new MissingError(`the package ${name} brought no ${program}`, "install it by hand");
  return path;
}

/** Installs a package, without its recommendations. */
async function installed(name, what, log) {
  const next = `sudo apt-get install --no-install-recommends ${name}`;
  if (found("apt-get") === undefined)
    throw new MissingError(`there is no ${what}, and this is neither Debian nor Ubuntu`, `install ${name}`);
  if (process.getuid() !== 0) throw new MissingError(`there is no ${what}, and installing it takes root`, next);
  // Its package starts it at every boot from then on; this file is its own way of saying no.
  if (name === "cloud-init") {
    mkdirSync("/etc/cloud", { recursive: true });
    writeFileSync("/etc/cloud/cloud-init.disabled", "");
  }
  log(`judges: installing ${name}: apt-get install`);
  listed ??= run("apt-get", ["update", "--quiet"], 3 * minutes, "apt-get update");
  await listed;
  await run(
    "apt-get",
    ["install", "--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", name],
    10 * minutes,
    next,
  );
}

let listed;

/** Where a built program lies: a folder for everything that decides what it is. */
function placeOf(name, { version, build = [], folder }) {
  const key = createHash("sha256").update(build.join("\0"));
  if (folder !== undefined)
    for (const file of readdirSync(folder).toSorted()) key.update(readFileSync(join(folder, file)));
  return join(cacheRoot(), "judges", `${name}-${version}-${key.digest("hex").slice(0, 12)}`);
}

/** Builds a program into the cache, whole or not at all; the module's sums decide which sources are taken. */
async function built(name, go, log) {
  const { version, build, folder, takes, header } = go;
  const place = placeOf(name, go);
  if (found("go") === undefined)
    throw new MissingError(`${name} is built with Go, which is not there`, "install Go: https://go.dev/doc/install");
  if (header !== undefined && !existsSync(header.path)) await installed(header.package, header.path, log);
  log(`judges: building ${name} ${version} from the Go module proxy, once; takes ${takes}`);
  const draft = `${place}.${randomBytes(6).toString("hex")}`;
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  try {
    const environment = { GOFLAGS: "-buildvcs=false", GOWORK: "off", GOBIN: draft };
    const words = folder === undefined ? ["install", ...build] : ["build", "-o", join(draft, name), ...build];
    await run("go", words, 20 * minutes, `go ${words.join(" ")}`, { cwd: folder ?? draft, env: environment });
    // `go install` names a program after its folder.
    const [, made] = /\/(\w+)@/.exec(build.at(-1) ?? "") ?? [];
    if (made !== undefined && made !== name) renameSync(join(draft, made), join(draft, name));
    renameSync(draft, place);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return join(place, name);
}

/** Written last: an environment's programs name its place, so that it cannot be made elsewhere and moved. */
const complete = "complete";

/** An environment with one program and its packages, each judged by its sum before it is unpacked. */
async function environment(name, python, log) {
  const place = placeOf(name, python);
  const { version, folder, takes } = python;
  if (found("python3") === undefined)
    throw new MissingError(`${name} is a program in Python, which is not there`, "install Python 3.10 or later");
  log(`judges: installing ${name} ${version} from Python's packages, once; takes ${takes}`);
  rmSync(place, { recursive: true, force: true });
  const create = ["-m", "venv", place];
  try {
    await run("python3", create, 3 * minutes, `python3 ${create.join(" ")}`);
  } catch (error) {
    // Debian keeps what makes environments in a package of its own.
    if (!(error instanceof MissingError) || found("apt-get") === undefined) throw error;
    await installed("python3-venv", "python3 -m venv", log);
    await run("python3", create, 3 * minutes, `python3 ${create.join(" ")}`);
  }
  const words = ["install", "--quiet", "--no-deps", "--require-hashes", "-r", join(folder, "requirements.txt")];
  const pip = join(place, "bin/pip");
  await run(pip, words, 10 * minutes, `${pip} ${words.join(" ")}`);
  writeFileSync(join(place, complete), "");
  return join(place, "bin", name);
}

/** A program of ours with its libraries, of the versions that its lock file names; their scripts are not run. */
async function packages(name, npm, log) {
  const place = placeOf(name, npm);
  const { version, folder, program, takes } = npm;
  log(`judges: installing ${name} ${version} with npm, once; takes ${takes}`);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true, mode: 0o700 });
  for (const file of readdirSync(folder)) copyFileSync(join(folder, file), join(place, file));
  const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", words, 10 * minutes, `npm ${words.join(" ")}`, { cwd: place });
  writeFileSync(join(place, complete), "");
  return join(place, program);
}

/** Where the image's recipe has its cache, too. */
function cacheRoot() {
  const configured = process.env["XDG_CACHE_HOME"] ?? "";
  return join(isAbsolute(configured) ? configured : join(homedir(), ".cache"), "slipway");
}

async function run(program, words, timeout, next, { cwd = root, env = {} } = {}) {
  try {
    await execute(program, words, {
      cwd,
      timeout,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1", ...env },
    });
  } catch (error) {
    const said = `${error.stderr ?? ""}`.trim().split("\n").slice(-3).join(" / ");
    const cause = error.killed === true ? `not done in ${timeout / minutes} minutes` : said || error.message;
    throw new MissingError(`${program} ${words[0]} failed: ${cause}`, next);
  }
}
