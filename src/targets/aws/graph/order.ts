import { layers, type Resource } from "./resource.ts";
import { pointedAt } from "./value.ts";

/** Resources that wait for each other, or for one that is not there: a mistake of ours. */
export class GraphError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "GraphError";
  }
}

/** The ids of what a resource needs, itself left out. */
export function needsOf({ id, properties, tags, after = [], signals }: Resource): readonly string[] {
  const needed = new Set([
    ...pointedAt(properties),
    ...pointedAt(tags),
    ...after,
    ...(signals === undefined ? [] : pointedAt(signals.count)),
  ]);
  needed.delete(id);
  return [...needed];
}

/**
 * Resources in an order in which each comes after what it needs: by layer, then by id, so that the order of the file has no part
 * in it. Linear in resources and references.
 */
export function inOrder(resources: readonly Resource[]): readonly Resource[] {
  const all = new Map<string, Resource>();
  for (const resource of resources) {
    if (all.has(resource.id)) throw new GraphError(`two resources are called ${resource.id}`);
    all.set(resource.id, resource);
  }
  const ordered: Resource[] = [];
  const state = new Map<string, "begun" | "done">();
  const place = (resource: Resource, way: readonly string[]): void => {
    const seen = state.get(resource.id);
    if (seen === "done") return;
    if (seen === "begun") throw new GraphError(`resources wait for each other: ${[...way, resource.id].join(" -> ")}`);
    state.set(resource.id, "begun");
    for (const id of needsOf(resource).toSorted()) {
      const needed = all.get(id);
      if (needed === undefined) throw new GraphError(`${resource.id} points at ${id}, which is not there`);
      place(needed, [...way, resource.id]);
    }
    state.set(resource.id, "done");
    ordered.push(resource);
  };
  for (const resource of sorted(all)) place(resource, []);
  return ordered;
}

function sorted(all: ReadonlyMap<string, Resource>): readonly Resource[] {
  return [...all.values()].toSorted(
    (a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer) || (a.id < b.id ? -1 : 1),
  );
}
