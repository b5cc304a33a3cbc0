import type { TargetName } from "../cluster/cluster.ts";
import type { DockerOptions } from "./docker/target.ts";
import type { Target } from "./target.ts";

export type TargetOptions = DockerOptions;

/** Opens a target by name; each is loaded only when it is asked for. */
export async function openTarget(name: TargetName, options: TargetOptions): Promise<Target> {
  switch (name) {
    case "files":
      throw new Error("the target files is not there yet");
    case "docker": {
      const { dockerTarget } = await import("./docker/target.ts");
      // Work is opaque to everyone but the target that made it.
      return dockerTarget(options) as Target;
    }
  }
}
