import type { World } from "./world.ts";

/** Names to complete a word with: of clusters, or of clusters, their nodes and groups. Without a target there are none. */
export async function proposals(world: World, partial: string, what: "clusters" | "nodes"): Promise<readonly string[]> {
  try {
    const target = await world.openTarget("docker", undefined);
    const clusters = await target.list();
    const names = new Set<string>(clusters);
    if (what === "nodes") {
      const observed = await Promise.all(clusters.map((cluster) => target.observe(cluster)));
      for (const node of observed.flatMap(({ nodes }) => nodes)) names.add(node.name).add(node.group);
      names.add("all");
    }
    return [...names].filter((name) => name.startsWith(partial)).toSorted();
  } catch (error) {
    // A shell that completes a word has no place for an error; the verb itself will show it.
    if ((world.environment["SLIPWAY_DEBUG"] ?? "") !== "") world.stderr.write(`${String(error)}\n`);
    return [];
  }
}
