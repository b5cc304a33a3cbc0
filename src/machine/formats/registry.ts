import { agent } from "./agent.ts";
import { cloudInit } from "./cloud-init.ts";
import { coreosCloudConfig } from "./coreos-cloud-config.ts";
import type { Format, FormatName } from "./format.ts";
import { ignition } from "./ignition.ts";

/** Every format, by name. */
export const formats: Readonly<Record<FormatName, Format>> = {
  agent,
  ignition,
  "coreos-cloud-config": coreosCloudConfig,
  "cloud-init": cloudInit,
};
