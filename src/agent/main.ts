import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { unixEngine } from "../components/docker/engine.ts";
import { etcdClient } from "../components/etcd/client.ts";
import { pkiFolder } from "../components/etcd/paths.ts";
import { systemd } from "../components/systemd.ts";
import { systemClock } from "../host/clock.ts";
import { systemDownload } from "../host/download.ts";
import { systemNodeFiles } from "../host/nodeFiles.ts";
import { systemProcesses } from "../host/processes.ts";
import { systemRandom } from "../host/random.ts";
import { mutualHttp2 } from "../pki/http2.ts";
import type { Material } from "../pki/material.ts";
import { readRecord } from "../records/access.ts";
import { departedCode } from "../machine/pointer.ts";
import { Agent, type Round } from "./agent.ts";
import { briefEngine, briefStore } from "./brief.ts";
import { hasDeparted } from "./departure.ts";
import { pace } from "./pace.ts";
import { choosePlatform } from "./platforms/choose.ts";
import { NoNode, type Platform } from "./platforms/platform.ts";

/** Milliseconds after which an asker is answered though the round is not over. */
const answerWithin = 2_000;

/** Journald reads the priority from the prefix; a line that repeats is said once. */
function speaker(): (message: string) => void {
  let last = "";
  return (message) => {
    if (message === last) return;
    last = message;
    process.stdout.write(`<6>${message}\n`);
  };
}

/** The program's exit code: 0 is started again by systemd, `departedCode` is not. */
async function main(): Promise<number> {
  const say = speaker();
  const files = systemNodeFiles;
  const clock = systemClock;
  const random = systemRandom;
  const stopping = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort());

  const own = programIdentity();
  let platform: Platform;
  try {
    platform = await choosePlatform({
      files,
      processes: systemProcesses,
      systemd: systemd(systemProcesses),
      download: systemDownload,
      clock,
      random,
      say,
      signal: stopping.signal,
    });
  } catch (error) {
    say(`join: ${error instanceof Error ? error.message : String(error)}`);
    // Anything else passes, such as a network that is not up yet: systemd starts it again.
    return error instanceof NoNode ? departedCode : 1;
  }
  const { instance, store } = platform;
  // Only now: the platform may have mounted a disk there.
  await files.makeFolder(pkiFolder, { mode: 0o755, user: "root", group: "root" });

  const etcdMaterial = async (): Promise<Material> => {
    const [authority, cert, key] = await Promise.all(
      ["ca.crt", "crt", "key"].map((end) => files.read(`${pkiFolder}/etcd-client.${end}`)),
    );
    if (authority === undefined || cert === undefined || key === undefined)
      throw new Error("this node has no etcd client certificate yet");
    return { authority, identity: { certificate: cert, key } };
  };
  const etcdTls = mutualHttp2({ read: etcdMaterial });
  const etcd = etcdClient(etcdTls);

  // The store may come up after the node: the bootstrap is asked for until it is there, with growing pauses.
  const waiting = pace(random);
  let me: Awaited<ReturnType<typeof bootstrap>>;
  let departed = false;
  async function bootstrap() {
    const why: string[] = [];
    let stuck = false;
    try {
      const there = await readRecord(store, "bootstrap", { instance });
      if (there !== undefined) return there.value;
      why.push("bootstrap: this instance is not let in yet");
    } catch (error) {
      departed = await hasDeparted(files, instance, error);
      why.push(`bootstrap: ${error instanceof Error ? error.message : String(error)}`);
    }
    try {
      await platform.ask();
    } catch (error) {
      why.push(`join: ${error instanceof Error ? error.message : String(error)}`);
      stuck = true;
    }
    // In one line, so that a machine that waits says it once.
    say(why.join("; "));
    if (!departed) await platform.waits?.({ reason: why.join("; "), stuck });
    return undefined;
  }
  while ((me = await bootstrap()) === undefined) {
    if (departed) return depart(say);
    if (stopping.signal.aborted) return 0;
    await clock.sleep(Math.max(platform.pause?.asking ?? 0, waiting.next(false, false)), stopping.signal);
  }
  await platform.admitted(me.node);

  const certificateLife = readCertificateLife();
  const agent = new Agent({
    node: {
      me,
      store: briefStore(store, clock),
      files,
      processes: systemProcesses,
      download: systemDownload,
      systemd: systemd(systemProcesses),
      engine: briefEngine(unixEngine(), clock),
      etcd,
      clock,
      random,
      say,
    },
    gateway: platform.gateway,
    life: platform.life,
    machine: platform.machine,
    boot: bootId(),
    certificateLife,
    proving: platform.proving,
    async certificatesChanged() {
      await platform.certificatesChanged();
      if (me?.role === "control") await etcdTls.reload();
    },
  });

  let wake = new AbortController();
  process.on("SIGHUP", () => {
    agent.nudge();
    wake.abort();
    // A round may hang in an engine without a leader; who asks gets what this node knows by itself.
    setTimeout(() => {
      agent
        .answer()
        .catch((error: unknown) => say(`answer: ${error instanceof Error ? error.message : String(error)}`));
    }, answerWithin);
  });
  stopping.signal.addEventListener("abort", () => wake.abort());
  const rounds = pace(random, platform.pause?.atRest);
  while (!stopping.signal.aborted) {
    wake = new AbortController();
    let round: Round = { settled: false, moved: false, departed: false };
    try {
      round = await agent.round();
    } catch (error) {
      say(`round: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    if (round.departed) return depart(say);
    try {
      await platform.tend(agent.report.last);
    } catch (error) {
      say(`platform: ${error instanceof Error ? error.message : String(error)}`);
    }
    // Another agent was put into the runtime volume: systemd starts it in this one's place.
    if (round.settled && programIdentity() !== own) break;
    if (!wake.signal.aborted) await clock.sleep(rounds.next(round.settled, round.moved), wake.signal);
  }
  platform.close();
  etcdTls.close();
  return 0;
}

/** Nothing is left to do here, and nobody to ask: a machine that comes again does so as a new one. */
function depart(say: (message: string) => void): number {
  say("left: this machine has left its cluster for good; set it up anew to let it join again");
  return departedCode;
}

/** The sums of this program and of its Node.js; the runtime volume is also written anew when only a port has changed. */
function programIdentity(): string {
  const program = process.argv[1] ?? "";
  const names = [basename(program), basename(process.execPath)];
  const sums = readFileSync(join(dirname(program), "SHA256SUMS"), "utf8").split("\n");
  return sums.filter((line) => names.some((name) => line.endsWith(`  ${name}`))).join("\n");
}

/** Two starts of one container differ; the kernel's own boot id is the machine's. */
function bootId(): string {
  const started = readFileSync("/proc/1/stat", "utf8").split(") ")[1]?.split(" ")[19] ?? "";
  return createHash("sha256")
    .update(`${readFileSync("/proc/sys/kernel/random/boot_id", "utf8")}${started}`)
    .digest("hex")
    .slice(0, 12);
}

/** Short certificates for tests of renewal: milliseconds in a file that the target may put there. */
function readCertificateLife(): number | undefined {
  try {
    return Number(readFileSync("/etc/slipway/certificate-life", "utf8"));
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, "code") === "ENOENT") return undefined;
    throw error;
  }
}

process.exit(await main());
