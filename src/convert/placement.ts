import type { DraftGroup, DraftService } from "./draft.ts";
import type { Converted } from "./machine.ts";

/** A group before its services are placed. */
export type GroupPart = Omit<DraftGroup, "machine"> & { readonly converted: Converted };

type Placed = { readonly groups: readonly DraftGroup[]; readonly services: readonly DraftService[] };

/** Services that only some groups' machines ran get a label of theirs as a constraint. */
export function placed(parts: readonly GroupPart[], others: readonly DraftService[]): Placed {
  const services = new Map<string, DraftService>(others.map((service) => [service.name, service]));
  const labelled = new Set<string>();
  for (const part of parts)
    for (const service of part.converted.services) {
      const everywhere = parts.every(({ converted }) => converted.services.some((other) => same(other, service)));
      if (everywhere) {
        services.set(service.name, service);
        continue;
      }
      labelled.add(part.name);
      const name = services.has(service.name) ? `${service.name}-${part.name}` : service.name;
      services.set(name, { ...service, name, constraints: { ...service.constraints, group: part.name } });
    }
  // Groups of one old config go on sharing what they have.
  const groups = parts.map(({ converted, ...group }): DraftGroup => {
    const { machine } = converted;
    return {
      ...group,
      machine: labelled.has(group.name) ? { ...machine, labels: { ...machine.labels, group: group.name } } : machine,
    };
  });
  return { groups, services: [...services.values()] };
}

function same(one: DraftService, other: DraftService): boolean {
  return JSON.stringify({ ...one, notes: [], subject: 0 }) === JSON.stringify({ ...other, notes: [], subject: 0 });
}
