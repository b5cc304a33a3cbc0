import type { FilesSettings, TargetName } from "../cluster/cluster.ts";
import type { DockerOptions } from "./docker/target.ts";
import type { Target } from "./target.ts";

/** A target whose files can be written, and that cannot be operated yet. */
class NotYetError extends Error {
  readonly next: string;
  constructor(name: TargetName, next: string) {
    super(`the target ${name} is not there yet`);
    this.name = "NotYetError";
    this.next = next;
  }
}

export type TargetOptions = DockerOptions;

/** Opens a target by name; each is loaded only when it is asked for. */
export async function openTarget(
  name: TargetName,
  options: TargetOptions,
  files: FilesSettings | undefined,
): Promise<Target> {
  switch (name) {
    case "files": {
      const { filesTarget } = await import("./files/target.ts");
      if (files === undefined) throw new Error("the target files needs the place of the store");
      return filesTarget(files) as Target;
    }
    case "aws":
      throw new NotYetError(name, "slipway render --format cloudformation");
    case "docker": {
      const { dockerTarget } = await import("./docker/target.ts");
      // Work is opaque to everyone but the target that made it.
      return dockerTarget(options) as Target;
    }
  }
}
