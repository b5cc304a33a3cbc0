// A clone's first run: libraries and bundle, one process at a time. Only bin/slipway calls `setUp`.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Runs what `missing` names, under a lock; ends the process with 1 and a next step when a step fails. */
export async function setUp(root, missing) {
  const folder = join(root, ".cache");
  const lock = join(folder, "set-up.lock");
  try {
    mkdirSync(folder, { recursive: true });
    while (!taken(lock)) await sleep(100);
  } catch (error) {
    fail(`cannot set itself up in ${root}: ${error.message}`, "make the folder writable, or run a clone of your own");
  }
  // Another process may have done it while this one waited.
  const steps = missing();
  try {
    if (steps.length > 0)
      process.stderr.write(`slipway: first run or new sources: ${steps.map((step) => step.say).join(", ")} …\n`);
    for (const { command, words } of steps) {
      const result = spawnSync(command, words, {
        cwd: root,
        encoding: "utf8",
        shell: false,
        stdio: ["ignore", "pipe", "pipe"],
      });
      if (result.status === 0) continue;
      const line = [command, ...words].join(" ");
      const said = `${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`.trim();
      rmSync(lock, { force: true });
      fail(`setting up failed: ${line}\n${said}`, `cd ${root} && ${line}`);
    }
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Whether the lock is ours now; that of a process which is gone is removed first. */
export function taken(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  if (alive(holder(lock))) return false;
  // Moved aside first: of two that saw the dead holder, only one can move this very file.
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
  if (alive(holder(aside))) renameSync(aside, lock);
  else rmSync(aside, { force: true });
  return false;
}

function holder(path) {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10);
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function alive(pid) {
  // Just created and not yet written, or just removed: ask again.
  if (pid === undefined || Number.isNaN(pid)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function fail(message, next) {
  process.stderr.write(`error: ${message}\nnext: ${next}\n`);
  process.exit(1);
}
