import type { FilesSettings, TargetName } from "../cluster/cluster.ts";
import type { AwsOptions } from "./aws/target.ts";
import type { DockerOptions } from "./docker/target.ts";
import type { Target } from "./target.ts";

/** What the file says of AWS: region, and the bucket of its own cluster's store; undefined: what follows from the caller's settings. */
export type AwsWhere = Pick<AwsOptions, "region" | "store">;

/** What the file says of where its cluster is. */
export type Where = {
  readonly files?: FilesSettings | undefined;
  readonly aws?: AwsWhere | undefined;
};

export type TargetOptions = DockerOptions & Pick<AwsOptions, "architecture" | "platform">;

/** Opens a target by name; each is loaded only when it is asked for. */
export async function openTarget(name: TargetName, options: TargetOptions, { files, aws }: Where): Promise<Target> {
  switch (name) {
    case "files": {
      const { filesTarget } = await import("./files/target.ts");
      if (files === undefined) throw new Error("the target files needs the place of the store");
      return filesTarget(files) as Target;
    }
    case "aws": {
      const { awsTarget } = await import("./aws/target.ts");
      return awsTarget({ ...options, ...aws }) as Target;
    }
    case "docker": {
      const { dockerTarget } = await import("./docker/target.ts");
      // Work is opaque to everyone but the target that made it.
      return dockerTarget(options) as Target;
    }
  }
}
