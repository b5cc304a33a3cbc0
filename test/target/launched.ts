import type { Cluster } from "../../src/cluster/cluster.ts";
import { launch, type Launched } from "../../src/operations/launch.ts";
import { complete, copies, settling } from "./kill.ts";
import { memoryWorld, pass, type MemoryWorld, type Operator } from "./memory-target.ts";

/** A launch as a command. */
export const launching =
  (cluster: Cluster) =>
  ({ context }: Operator): Promise<Launched> =>
    launch(context, { cluster });

/** Copies of a world in which this launch has come to rest, and then this has happened. */
export function launched(cluster: Cluster, then: (world: MemoryWorld) => void = () => {}): () => Promise<MemoryWorld> {
  return copies(async () => {
    const world = memoryWorld();
    await complete(world, launching(cluster));
    await pass(world, settling);
    then(world);
    return world;
  });
}
