import { placeOf } from "./place.ts";
import type { World } from "./world.ts";
import type { Target } from "../targets/target.ts";

/** Where a word may come from: the engine, and the store of the file's cluster where it is on this machine. */
async function targets(world: World): Promise<readonly Promise<Target>[]> {
  const { target, files } = await placeOf(world, { on: undefined }, undefined);
  // Nobody who presses a key waits for ssh.
  const near = target === "files" && files?.ssh === undefined;
  return [world.openTarget("docker", undefined), ...(near ? [world.openTarget("files", files)] : [])];
}

async function namesOn(target: Target, what: "clusters" | "nodes"): Promise<readonly string[]> {
  const clusters = await target.list();
  if (what === "clusters") return clusters;
  const observed = await Promise.all(clusters.map((cluster) => target.observe(cluster)));
  return [...clusters, ...observed.flatMap(({ nodes }) => nodes.flatMap(({ name, group }) => [name, group])), "all"];
}

/** Names to complete a word with: of clusters, or of clusters, their nodes and groups. Without a target there are none. */
export async function proposals(world: World, partial: string, what: "clusters" | "nodes"): Promise<readonly string[]> {
  const asked = (await targets(world)).map(async (target) => {
    try {
      return await namesOn(await target, what);
    } catch (error) {
      // A shell that completes a word has no place for an error; the verb itself will show it.
      if ((world.environment["SLIPWAY_DEBUG"] ?? "") !== "") world.stderr.write(`${String(error)}\n`);
      return [];
    }
  });
  return [...new Set((await Promise.all(asked)).flat())].filter((name) => name.startsWith(partial)).toSorted();
}
