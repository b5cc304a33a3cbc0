import { ec2Platform } from "./ec2/platform.ts";
import { joining } from "./files.ts";
import { httpPlatform } from "./http.ts";
import { arrival, bootstrapFile } from "./local.ts";
import type { Platform, PlatformPorts } from "./platform.ts";

/** Which platform this is, by what the target or the user data put into the bootstrap file. Throws a `NoNode`. */
export async function choosePlatform(ports: PlatformPorts): Promise<Platform> {
  const { store, instance } = await bootstrapFile(ports.files);
  if (store === "s3") return ec2Platform(ports);
  // Where no target has put an identity into the instance, this machine makes one and asks to join.
  return httpPlatform(ports, instance === undefined ? await joining(ports) : await arrival(ports.files));
}
