import type { Cluster, FilesSettings, TargetName } from "../cluster/cluster.ts";
import type { AwsWhere } from "../targets/registry.ts";
import { UsageError } from "./failure.ts";
import type { Common } from "./flags.ts";
import type { World } from "./world.ts";

export type Place = {
  readonly target: TargetName;
  readonly files: FilesSettings | undefined;
  readonly aws?: AwsWhere;
};

const usual = "cluster.yml";

/**
 * Where a verb's cluster is: what the command line says, else what the file says, else docker. The file also names the
 * store of a cluster on files; it is the one among the words, else the one in this folder.
 */
export async function placeOf(world: World, flags: Pick<Common, "on">, target: TargetName | undefined): Promise<Place> {
  if (flags.on === "docker" || (flags.on === undefined && target === "docker"))
    return { target: "docker", files: undefined };
  const named = world.words.slice(1).find((word) => /^[^-].*\.ya?ml$/.test(word) && world.files.exists(word));
  const file = named ?? (world.files.exists(usual) ? usual : undefined);
  const wanted = flags.on ?? target;
  if (file === undefined) {
    if (wanted !== "files") return { target: wanted ?? "docker", files: undefined };
    throw new UsageError("--on files needs a cluster.yml that says where the store is", "slipway init");
  }
  const { readCluster } = await import("../cluster/read.ts");
  const read = readCluster(await world.files.read(file), file, wanted === undefined ? {} : { on: wanted });
  // The verb itself shows what is wrong with it, where it needs it.
  if (read.kind === "bad") {
    if (wanted !== "files") return { target: wanted ?? "docker", files: undefined };
    throw new UsageError(`${file} does not say where the store is: it has errors`, `slipway check ${file} --on files`);
  }
  return { target: read.value.target, files: read.value.files, aws: awsWhere(read.value) };
}

/** What a file says of AWS. */
function awsWhere({ name, aws: { region, bucket } }: Cluster): AwsWhere {
  return { region, store: bucket === undefined ? undefined : { cluster: name, bucket } };
}
