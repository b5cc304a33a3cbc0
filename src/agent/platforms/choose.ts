import type { Systemd } from "../../components/systemd.ts";
import type { Clock } from "../../host/clock.ts";
import type { Download } from "../../host/download.ts";
import type { NodeFiles } from "../../host/nodeFiles.ts";
import type { Processes } from "../../host/processes.ts";
import type { Random } from "../../host/random.ts";
import { ec2Platform } from "./ec2/platform.ts";
import { joining } from "./files.ts";
import { httpPlatform } from "./http.ts";
import { arrival, bootstrapFile } from "./local.ts";
import type { Platform } from "./platform.ts";

export type PlatformPorts = {
  readonly files: NodeFiles;
  readonly processes: Processes;
  readonly systemd: Systemd;
  readonly download: Download;
  readonly clock: Clock;
  readonly random: Random;
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
  /** The process's `fetch`, unless a test has its own. */
  readonly fetch?: typeof fetch;
};

/** Which platform this is, by what the target or the user data put into the bootstrap file. Throws a `NoNode`. */
export async function choosePlatform(ports: PlatformPorts): Promise<Platform> {
  const { store, instance } = await bootstrapFile(ports.files);
  if (store === "s3") return ec2Platform(ports);
  // Where no target has put an identity into the instance, this machine makes one and asks to join.
  return httpPlatform(ports, instance === undefined ? await joining(ports) : await arrival(ports.files));
}
