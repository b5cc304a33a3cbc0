import type { DraftGroup, DraftService } from "./draft.ts";
import type { Converted } from "./machine.ts";
import type { Outcome } from "./outcome.ts";

/** A group before its services are placed. */
export type GroupPart = Omit<DraftGroup, "machine"> & { readonly converted: Converted };

type Placed = { readonly groups: readonly DraftGroup[]; readonly services: readonly DraftService[] };

/** Services that only some groups' machines ran get a label of theirs as a constraint. */
export function placed(parts: readonly GroupPart[], others: readonly DraftService[], outcome: Outcome): Placed {
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
  return { groups, services: [...services.values()].map((service) => possible(service, groups, outcome)) };
}

/** A service that no node could run would never be ready: labels that no group has are not asked for. */
function possible(service: DraftService, groups: readonly DraftGroup[], outcome: Outcome): DraftService {
  const met = Object.entries(service.constraints).filter(([key, value]) => {
    if (groups.some(({ machine }) => Object.hasOwn(machine.labels, key) && machine.labels[key] === value)) return true;
    const { what, at } = service.subject;
    outcome.dropped(
      `${what}: ${key}=${value}`,
      at,
      "no group has this label, so that no node would run it; add both to ask for it",
    );
    return false;
  });
  return { ...service, constraints: Object.fromEntries(met) };
}

function same(one: DraftService, other: DraftService): boolean {
  return JSON.stringify({ ...one, notes: [], subject: 0 }) === JSON.stringify({ ...other, notes: [], subject: 0 });
}
