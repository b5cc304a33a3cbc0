import { ProcessError, type Processes } from "../../host/processes.ts";
import { orDone, type Engine } from "./engine.ts";
import type { Rights } from "./rights.ts";

/** Capabilities by their number in Linux, without `CAP_`; those after 37 are unknown to older engines. */
const capabilities = (
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST " +
  "NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE " +
  "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM " +
  "BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split(" ");
const knownToAll = capabilities.slice(0, 38);

/** Without these no systemd runs in a container, or no Docker in that. */
const indispensable = ["SYS_ADMIN", "NET_ADMIN", "MKNOD", "SYS_CHROOT", "SETPCAP"];

/** What rights are tried with. */
export interface EngineProbe {
  /** Runs a throw-away container that does nothing; undefined when it ran, else why the engine refused. */
  refusal(
    rights: { readonly kind: "privileged" } | { readonly kind: "capabilities"; readonly add: readonly string[] },
  ): Promise<string | undefined>;
  /** The bounding set of this machine's processes, when the engine seems to run here: a guess that saves trials. */
  boundingSet(): Promise<bigint | undefined>;
}

/** The engine can give no rights with which a node works; the message says which are missing. */
export class RightsError extends Error {
  constructor(missing: readonly string[], refusal: string) {
    super(
      `The Docker engine refuses privileged containers (${refusal}) and also the capabilities ${missing.join(", ")}, ` +
        "without which a node cannot run systemd and Docker. Use an engine that runs as root on the machine itself, not inside a restricted container.",
    );
    this.name = "RightsError";
  }
}

/** The names of a set of capabilities that every engine knows. */
export function capabilityNames(set: bigint): readonly string[] {
  return knownToAll.filter((_, bit) => (set & (1n << BigInt(bit))) !== 0n);
}

/** Reads `CapBnd` out of a `/proc/PID/status`. */
export function readBoundingSet(status: string): bigint | undefined {
  const digits = /^CapBnd:\s*([0-9a-f]{1,16})$/im.exec(status)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** Finds the largest set that the engine gives, by halving what it refuses: a few trials for each that is missing. */
async function granted(probe: EngineProbe, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0 || (await probe.refusal({ kind: "capabilities", add: names })) === undefined) return names;
  if (names.length === 1) return [];
  const half = Math.ceil(names.length / 2);
  return [...(await granted(probe, names.slice(0, half))), ...(await granted(probe, names.slice(half)))];
}

/**
 * What a node container may be given on this engine: all, which is usual, or each capability that the
 * engine has, where the engine itself is confined. Throws `RightsError` when that is too little.
 */
export async function findRights(probe: EngineProbe): Promise<Rights> {
  const refusal = await probe.refusal({ kind: "privileged" });
  if (refusal === undefined) return { kind: "privileged" };
  const bounding = await probe.boundingSet();
  const guess = bounding === undefined ? knownToAll : capabilityNames(bounding);
  const add = await granted(probe, guess);
  const missing = knownToAll.filter((name) => !add.includes(name));
  const lacking = missing.filter((name) => indispensable.includes(name));
  if (lacking.length > 0) throw new RightsError(lacking, refusal);
  return { kind: "capabilities", add, missing };
}

const probeLabel = "slipway.part=probe";

/**
 * Removes the throw-away containers of runs that were killed between making and starting them; all others the engine
 * removes itself. Those of the last seconds may be another run's.
 */
export async function removeProbes(engine: Engine): Promise<void> {
  const filters = JSON.stringify({ label: [probeLabel], until: ["15s"] });
  // Refused while another such command runs, which is as good.
  await orDone(engine.call("remove old probes", "POST", "/containers/prune", { query: { filters } }));
}

/** Exit codes of `docker run` that are the engine's or the container's refusal to start. */
const refused = [125, 126, 127];

/** A probe by the docker command with the node image. */
export function commandProbe(processes: Processes, image: string): EngineProbe {
  return {
    async refusal(rights) {
      const flags =
        rights.kind === "privileged"
          ? ["--privileged"]
          : [
              ...rights.add.map((name) => `--cap-add=${name}`),
              "--security-opt=seccomp=unconfined",
              "--security-opt=apparmor=unconfined",
              "--security-opt=systempaths=unconfined",
            ];
      try {
        await processes.run(
          [
            "docker",
            "run",
            "--rm",
            "--network=none",
            "--pull=never",
            `--label=${probeLabel}`,
            "--entrypoint=/bin/true",
            ...flags,
            image,
          ],
          { timeout: 60_000 },
        );
        return undefined;
      } catch (error) {
        const unreachable = /cannot connect|during connect|permission denied while trying to connect|no such image/i;
        if (!(error instanceof ProcessError) || !refused.includes(error.code ?? 0) || unreachable.test(error.stderr))
          throw error;
        // The engine's message begins a long line; a hint about --help follows it.
        return (error.stderr.split("\n")[0] ?? "").replace(/^docker: Error response from daemon: /, "").slice(0, 300);
      }
    },
    async boundingSet() {
      try {
        const { stdout } = await processes.run(["cat", "/proc/self/status"]);
        return readBoundingSet(stdout);
      } catch (error) {
        if (error instanceof ProcessError) return undefined;
        throw error;
      }
    },
  };
}

/** What node containers may be given on the engine of the docker command. */
export function detectRights(engine: { readonly image: string; readonly processes: Processes }): Promise<Rights> {
  return findRights(commandProbe(engine.processes, engine.image));
}
