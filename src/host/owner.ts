import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, networkInterfaces, userInfo } from "node:os";

/** A process that cannot be mistaken for a later one with the same number. */
export type ProcessOwner = {
  /**
   * The host's name and a mark of this boot and process namespace, such as `laptop (3f2a91c0)`: equal only
   * where process numbers can be compared.
   */
  readonly host: string;
  readonly process: number;
  /** When it started, in the kernel's own count; empty where the system does not tell. */
  readonly started: string;
  readonly user: string;
};

/** This very process. */
export function thisProcess(): ProcessOwner {
  return {
    host: hostMark(),
    process: process.pid,
    started: startOf(process.pid) ?? "",
    user: userInfo().username,
  };
}

/** Whether that process of this host still runs; a number that was given to another process counts as gone. */
export function processAlive(owner: { readonly process: number; readonly started: string }): boolean {
  const started = startOf(owner.process);
  if (started !== undefined) return started === owner.started;
  return !hasProcFolder() && signalReaches(owner.process);
}

function hostMark(): string {
  const mark = hasProcFolder()
    ? `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`
    : Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .map((address) => address.mac)
        .toSorted()
        .join(" ");
  return `${hostname()} (${createHash("sha256").update(mark).digest("hex").slice(0, 8)})`;
}

function hasProcFolder(): boolean {
  return startOf(process.pid) !== undefined;
}

function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    // No such process, or a system without /proc.
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return undefined;
    throw error;
  }
  // proc(5): the name in parentheses may hold anything; after it follow the fields from the third on. A zombie (Z) runs no more.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    return true;
  }
}
