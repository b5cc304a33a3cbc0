import type { OldUnit } from "./cloud-config.ts";
import { containerOf } from "./container.ts";
import type { DraftService } from "./draft.ts";
import { deadHost } from "./known-units.ts";
import type { Outcome } from "./outcome.ts";
import { settingsOf } from "./unit.ts";

/** Where fleet placed a unit. */
export type Fleet = { readonly global: boolean; readonly constraints: Readonly<Record<string, string>> };

type Container = Exclude<ReturnType<typeof containerOf>, undefined | { readonly why: string }>;

/** The service that runs a unit's container. */
export function serviceOf(unit: OldUnit, container: Container, fleet: Fleet, outcome: Outcome): DraftService {
  const name = unit.name
    .replace(/@?\.service$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
  const subject = { what: `unit ${unit.name}`, at: unit.at };
  outcome.replaced(
    subject.what,
    unit.at,
    `services.${name}`,
    fleet.global ? "on every node" : "once, on whichever node is there",
  );
  return {
    name,
    ...container,
    ...fleet,
    notes: [`From ${unit.at}: what the unit ran with docker run.`],
    subject,
  };
}

/** The service of a unit that was given to fleet; what fleet did and Swarm does otherwise is said. */
export function fleetService(unit: OldUnit, outcome: Outcome): DraftService | undefined {
  const what = `unit ${unit.name}`;
  const dead = deadHost(unit.content ?? "");
  const container = containerOf(unit);
  if (dead !== undefined || container === undefined || !("image" in container)) {
    const why = dead ?? (container !== undefined && "why" in container ? container.why : "it runs no container");
    outcome.dropped(
      what,
      unit.at,
      `fleet placed it on a node; ${why}: write it as a service, or under units: of a group`,
    );
    return undefined;
  }
  return serviceOf(unit, container, placement(unit, outcome), outcome);
}

function placement(unit: OldUnit, outcome: Outcome): Fleet {
  let global = false;
  const constraints: Record<string, string> = {};
  for (const { section, key, value } of settingsOf(unit.content ?? "")) {
    if (section !== "X-Fleet") continue;
    const what = `unit ${unit.name}: ${key}`;
    if (key === "Global") global = /^(?:true|yes|on|1)$/i.test(value);
    else if (key === "MachineMetadata" || key === "X-ConditionMachineMetadata")
      for (const word of value.split(/\s+/)) {
        const [name = "", wanted = ""] = word.replaceAll('"', "").split("=");
        constraints[name] = wanted;
      }
    else if (key === "Conflicts" || key === "X-Conflicts")
      outcome.replaced(what, unit.at, "Swarm", "it spreads a service over the nodes by itself");
    else outcome.dropped(what, unit.at, "Swarm places services by labels only");
  }
  return { global, constraints };
}
