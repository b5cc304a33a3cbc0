// Makes sure that a Docker engine answers: the one that the docker command points at, or, as root on a
// Debian or Ubuntu without one, installed with apt and started. Plain Node.js: runs before anything is built.
import { execFile, spawn } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const seconds = 1000;

/** No engine, and none can be had without a person's help; `next` is what that person can run. */
export class NoEngineError extends Error {
  constructor(message, next) {
    super(`${message}\n${next}`);
    this.name = "NoEngineError";
    this.next = next;
  }
}

/**
 * Gives the engine's version, having installed and started it if need be; takes under 0.1 s when one answers.
 * `log` hears one line for each thing done.
 */
export async function ensureEngine({
  log = (line) => process.stderr.write(`${line}\n`),
  environment = process.env,
} = {}) {
  const first = await ask();
  if (first.version !== undefined) return { version: first.version, started: false };
  refuseUnlessOurs(first.refusal, await namedEngine(environment), environment);
  if (found("dockerd") === undefined) await install(log);
  else if (found("docker") === undefined) await installPackages(["docker-cli"], log);
  if (existsSync("/run/systemd/system")) {
    log("starting Docker: systemctl start docker");
    await run("systemctl", ["start", "docker"], 120 * seconds);
  } else await startByHand(log);
  const version = await answered();
  log(`Docker ${version} answers`);
  return { version, started: true };
}

/** Asks the engine for its version; what the docker command says instead is kept. */
async function ask() {
  try {
    const { stdout } = await execute("docker", ["version", "--format", "{{.Server.Version}}"], {
      timeout: 20 * seconds,
    });
    return { version: stdout.trim() };
  } catch (error) {
    return {
      refusal: error.code === "ENOENT" ? "there is no docker command" : String(error.stderr ?? error.message).trim(),
    };
  }
}

/** What points the docker command at an engine other than this machine's own; undefined when nothing does. */
async function namedEngine(environment) {
  const variable = ["DOCKER_HOST", "DOCKER_CONTEXT"].find((name) => (environment[name] ?? "") !== "");
  if (variable !== undefined) return `${variable}=${environment[variable]}`;
  const context = await execute("docker", ["context", "show"], { timeout: 10 * seconds }).then(
    ({ stdout }) => stdout.trim(),
    () => "default",
  );
  return context === "default" ? undefined : `the docker context ${context}`;
}

/** Ends here where starting an engine on this machine would be wrong or is not possible. */
function refuseUnlessOurs(refusal, named, environment) {
  if (named !== undefined)
    throw new NoEngineError(
      `The Docker engine of ${named} does not answer: ${refusal}`,
      "Start it, or point docker at another one.",
    );
  if (process.platform !== "linux")
    throw new NoEngineError(
      `No Docker engine answers: ${refusal}`,
      "Start Docker Desktop, Colima or OrbStack, and run this again.",
    );
  if (process.getuid() === 0) return;
  const user = environment["USER"] ?? "$USER";
  if (/permission denied/i.test(refusal))
    throw new NoEngineError(
      `This user may not use the Docker engine: ${refusal}`,
      `Run: sudo usermod --append --groups docker ${user}   (then log in again)`,
    );
  const start = existsSync("/run/systemd/system") ? "sudo systemctl start docker" : "sudo dockerd &";
  const next =
    found("dockerd") === undefined
      ? "sudo apt-get install docker.io   (or see https://docs.docker.com/engine/install/)"
      : start;
  throw new NoEngineError(`No Docker engine answers: ${refusal}`, `Run: ${next}`);
}

/** A program's path, as the shell would find it. */
function found(program) {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    try {
      const path = join(folder, program);
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

async function run(program, words, timeout) {
  try {
    return await execute(program, words, {
      timeout,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" },
    });
  } catch (error) {
    const said = `${error.stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
    throw new Error(
      `${[program, ...words].join(" ")} failed: ${error.killed === true ? `not done in ${timeout / seconds} s` : ""}${said || error.message}`,
      { cause: error },
    );
  }
}

async function install(log) {
  if (found("apt-get") === undefined)
    throw new NoEngineError(
      "No Docker engine is installed, and this is neither Debian nor Ubuntu.",
      "Install Docker Engine: https://docs.docker.com/engine/install/",
    );
  const packages = ["docker.io"];
  // Where the kernel enforces AppArmor, dockerd needs its parser to start any container.
  if (enforcesAppArmor() && found("apparmor_parser") === undefined) packages.push("apparmor");
  await installPackages(packages, log);
  // Newer releases have the command in a package of its own.
  if (found("docker") === undefined) await installPackages(["docker-cli"], log);
}

function enforcesAppArmor() {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "utf8").startsWith("Y");
  } catch {
    return false;
  }
}

let listsFetched = false;

async function installPackages(packages, log) {
  if (!listsFetched) {
    log("fetching Debian's package lists: apt-get update");
    await run("apt-get", ["update", "--quiet"], 180 * seconds);
    listsFetched = true;
  }
  const words = ["install", "--yes", "--quiet", "--no-install-recommends", ...packages];
  log(`installing: apt-get ${words.join(" ")}`);
  await run("apt-get", words, 600 * seconds);
}

/** Starts dockerd in a session of its own, so that it outlives this program, and sees it up or dead. */
async function startByHand(log) {
  const running = runningByFile("/var/run/docker.pid", "dockerd");
  if (running !== undefined) {
    log(`dockerd is running (process ${running}); waiting for it`);
    return;
  }
  runningByFile("/var/run/docker/containerd/containerd.pid", "containerd");
  await ensureControlGroups(log);
  await ensureIptables(log);
  const file = logFile();
  const output = openSync(file, "a", 0o600);
  const before = fstatSync(output).size;
  let end;
  const child = spawn(found("dockerd") ?? "dockerd", [], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  log(`starting Docker: dockerd, in the background as process ${child.pid}; it logs to ${file}`);
  child.on("error", (error) => (end = error.message));
  child.on("exit", (code, signal) => (end = `it ended with ${code ?? signal}`));
  await answered(() => (end === undefined ? undefined : `${end}. Its last lines:\n${lastLines(file, before)}`));
  child.removeAllListeners();
  child.unref();
}

/**
 * The process that a pid file names, if it is still that program. A file left by one that is gone is removed:
 * its number may be another's now, or a zombie's, and dockerd would take that for a running one.
 */
function runningByFile(file, program) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    const [, name, state] =
      /^\d+ \((.*)\) (\S)/.exec(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "") ?? [];
    if (name === program && state !== "Z") return pid;
    rmSync(file);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  return undefined;
}

async function ensureControlGroups(log) {
  if (/^\S+ \/sys\/fs\/cgroup/m.test(readFileSync("/proc/mounts", "utf8"))) return;
  log("mounting the control groups: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
  await run("mount", ["-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], 10 * seconds);
}

/** Where the kernel has only the older tables, Debian's default iptables cannot work. */
async function ensureIptables(log) {
  const works = (program) =>
    execute(program, ["--table", "nat", "--numeric", "--list"], { timeout: 10 * seconds }).then(
      () => true,
      () => false,
    );
  if ((await works("iptables")) || !(await works("iptables-legacy"))) return;
  log(
    "choosing the older iptables, as the kernel has no nf_tables: update-alternatives --set iptables /usr/sbin/iptables-legacy",
  );
  for (const program of ["iptables", "ip6tables"])
    await run("update-alternatives", ["--set", program, `/usr/sbin/${program}-legacy`], 10 * seconds);
}

function logFile() {
  try {
    accessSync("/var/log", constants.W_OK);
    return "/var/log/dockerd.log";
  } catch {
    return join(mkdtempSync(join(tmpdir(), "dockerd-")), "dockerd.log");
  }
}

function lastLines(file, from) {
  return readFileSync(file).subarray(from).toString("utf8").trimEnd().split("\n").slice(-15).join("\n");
}

/** Waits up to a minute for the engine's answer, or until `ended` gives the reason why none will come. */
async function answered(ended = () => undefined) {
  const deadline = Date.now() + 60 * seconds;
  for (;;) {
    const { version, refusal } = await ask();
    if (version !== undefined) return version;
    const end = ended();
    if (end !== undefined)
      throw new NoEngineError(`Docker did not start: ${String(end)}`, "Mend that, and run this again.");
    if (Date.now() > deadline)
      throw new NoEngineError(
        `Docker was started but does not answer: ${refusal}`,
        "See its log: journalctl --unit docker, or /var/log/dockerd.log",
      );
    await sleep(100);
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await ensureEngine();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
