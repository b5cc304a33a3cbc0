import { accountsOf } from "./accounts.ts";
import { readCloudConfig, type CloudConfig, type OldUnit } from "./cloud-config.ts";
import { containerOf } from "./container.ts";
import type { Cursor } from "./cursor.ts";
import { volumesOf, type Disk } from "./disks.ts";
import { emptyMachine, type DraftMachine, type DraftService, type DraftUnit, type DraftUpdates } from "./draft.ts";
import { deadHost, knownUnit } from "./known-units.ts";
import type { Outcome } from "./outcome.ts";
import { serviceOf, type Fleet } from "./services.ts";
import { settingsOf, valuesOf } from "./unit.ts";
import { updatesOf } from "./updates.ts";
import { doubts } from "./verdict.ts";
import { filesOf } from "./written-files.ts";

/** What a cloud-config gives: the group's part, and what belongs to the whole cluster. */
export type Converted = {
  readonly machine: DraftMachine;
  readonly services: readonly DraftService[];
  readonly updates: DraftUpdates | undefined;
  readonly hadEtcd: boolean;
  /** The first of the units that made a Kubernetes. */
  readonly kubernetes: string | undefined;
};

/** A machine without a cloud-config, with its disks. */
export function bareMachine(disks: readonly Disk[], outcome: Outcome): Converted {
  const { volumes } = volumesOf([], disks, outcome);
  return {
    machine: { ...emptyMachine, volumes },
    services: [],
    updates: undefined,
    hadEtcd: false,
    kubernetes: undefined,
  };
}

/** What one cloud-config becomes; `disks` are those that its machines were given, `more` the units that a list adds. */
export function machineOf(
  root: Cursor,
  disks: readonly Disk[],
  outcome: Outcome,
  more: readonly OldUnit[] = [],
): Converted {
  const read = readCloudConfig(root, outcome);
  const config = { ...read, units: [...read.units, ...more] };
  const { users, userGroups } = accountsOf(config, outcome);
  const owners = new Set([...users.map(({ name }) => name), ...userGroups]);
  const files = filesOf(config.files, owners, outcome);
  const { volumes, rest } = volumesOf(config.units, disks, outcome);
  const { units, services, networks } = unitsOf(rest, new Set(files.map(({ path }) => path)), outcome);
  sayEtcd(config, outcome);
  const labels = fleetLabels(config.fleet, outcome);
  if (config.flannel !== undefined)
    outcome.replaced(
      "flannel",
      config.flannel.at,
      "Swarm's overlay networks",
      "every service reaches every other by name",
    );
  return {
    machine: { units, files: [...files, ...networks], users, userGroups, volumes, labels },
    services,
    updates: updatesOf(config, outcome),
    hadEtcd: config.etcd.length > 0,
    kubernetes: config.units.find(({ name }) => name.startsWith("kube"))?.at,
  };
}

function sayEtcd({ etcd }: CloudConfig, outcome: Outcome): void {
  for (const section of etcd) {
    const discovery = section.get("discovery");
    if (discovery !== undefined)
      outcome.replaced(
        `${section.key}.discovery`,
        discovery.at,
        "the cluster's store",
        "discovery.etcd.io is gone; nodes find each other in the store, also those that come later",
      );
    const proxy = section.get("proxy");
    if (proxy !== undefined && proxy.flag !== false)
      outcome.replaced(
        `${section.key}.proxy: ${proxy.text ?? ""}`,
        proxy.at,
        "etcd: { share: /prefix }",
        "workers reach the shared keys at 127.0.0.1:2379",
      );
    const others = section.entries().filter(({ key }) => key !== "discovery" && key !== "proxy");
    if (others.length > 0)
      outcome.replaced(
        `${section.key}: ${others.map(({ key }) => key).join(", ")}`,
        section.at,
        "Slipway's etcd on the control group",
        "mutual TLS on 2379 and 2380 in place of plain 4001 and 7001",
      );
  }
}

/** fleet's metadata are labels of the nodes, by which services are placed. */
function fleetLabels(fleet: Cursor | undefined, outcome: Outcome): Readonly<Record<string, string>> {
  if (fleet === undefined) return {};
  const labels: Record<string, string> = {};
  for (const field of fleet.entries()) {
    if (field.key !== "metadata") {
      outcome.dropped(`fleet.${field.key}`, field.at, "fleet ended in 2018");
      continue;
    }
    for (const pair of (field.text ?? "").split(",")) {
      const [name = "", value = ""] = pair.split("=");
      if (name.trim() !== "") labels[name.trim()] = value.trim();
    }
    outcome.replaced(
      `fleet.metadata: ${field.text ?? ""}`,
      field.at,
      "labels",
      "services ask for them with constraints:",
    );
  }
  return labels;
}

type Units = {
  readonly units: readonly DraftUnit[];
  readonly services: readonly DraftService[];
  /** Units of systemd-networkd, which are files here. */
  readonly networks: DraftMachine["files"];
};

function unitsOf(old: readonly OldUnit[], files: ReadonlySet<string>, outcome: Outcome): Units {
  const services: DraftService[] = [];
  const networks: DraftMachine["files"][number][] = [];
  const own: { readonly unit: OldUnit; readonly extra: readonly string[] }[] = [];
  for (const unit of old) {
    const known = knownUnit(unit.name);
    if (known !== undefined) sayKnown(unit, known, outcome);
    else if (/\.(?:network|netdev|link)$/.test(unit.name)) networks.push(networkFile(unit, outcome));
    else if (unit.masked) own.push({ unit, extra: [] });
    else if (unit.content === undefined && unit.name !== "systemd-journald.service")
      outcome.dropped(`unit ${unit.name}`, unit.at, "it has no text, and nodes do not bring it");
    else {
      const container = unit.wanted && deadHost(unit.content ?? "") === undefined ? containerOf(unit) : undefined;
      if (container === undefined) own.push({ unit, extra: [] });
      else if ("why" in container) own.push({ unit, extra: [`${container.why}: write it as a service`] });
      else services.push(serviceOf(unit, container, everywhere, outcome));
    }
  }
  return { units: settle(own, files, outcome), services, networks };
}

/** A unit of a cloud-config runs on every node of its group. */
const everywhere: Fleet = { global: true, constraints: {} };

function sayKnown(unit: OldUnit, { by, why }: NonNullable<ReturnType<typeof knownUnit>>, outcome: Outcome): void {
  const what = `unit ${unit.name}`;
  if (by === "") outcome.dropped(what, unit.at, why);
  else outcome.replaced(what, unit.at, by, why);
  for (const dropIn of unit.dropIns) {
    const value = /"Network"\s*:\s*"([\d./]+)"/.exec(dropIn.content)?.[1];
    outcome.dropped(
      `${what}: drop-in ${dropIn.name}`,
      dropIn.at,
      value === undefined ? "it changed what is replaced" : `Swarm chooses its networks; ${value} was flannel's`,
    );
  }
}

function networkFile(unit: OldUnit, outcome: Outcome): DraftMachine["files"][number] {
  const path = `/etc/systemd/network/${unit.name}`;
  const subject = { what: `unit ${unit.name}`, at: unit.at };
  const why = "read by systemd-networkd, where a system runs it";
  outcome.kept(subject.what, subject.at, `files: ${path}`, why);
  return {
    path,
    content: unit.content ?? "",
    encoding: "text",
    mode: undefined,
    user: undefined,
    group: undefined,
    notes: [`From ${unit.at}; ${why}.`],
    subject,
  };
}

/** Units that start, or are kept switched off with what speaks against them; one that waits for such a one is off too. */
function settle(
  own: readonly { readonly unit: OldUnit; readonly extra: readonly string[] }[],
  files: ReadonlySet<string>,
  outcome: Outcome,
): readonly DraftUnit[] {
  const against = new Map<string, readonly string[]>();
  for (;;) {
    const good = new Set(own.flatMap(({ unit }) => (against.has(unit.name) || unit.masked ? [] : [unit.name])));
    const found = own
      .filter(({ unit }) => !unit.masked && !against.has(unit.name))
      .flatMap(({ unit, extra }) => {
        const why = [...extra, ...doubts(unit, { units: good, files })];
        return why.length === 0 ? [] : [[unit.name, why] as const];
      });
    if (found.length === 0) break;
    for (const [name, why] of found) against.set(name, why);
  }
  return own.map(({ unit }) => {
    const why = against.get(unit.name) ?? [];
    const subject = { what: `unit ${unit.name}`, at: unit.at };
    const off = why.length > 0 ? "kept, but off" : !unit.wanted && !unit.masked ? "kept, not started, as before" : "";
    outcome.kept(
      subject.what,
      subject.at,
      off === "" ? "units:" : "units: enabled: false",
      why.length > 0 ? why.join("; ") : off,
    );
    const described = valuesOf(settingsOf(unit.content ?? ""), "Description")[0];
    return {
      name: unit.name,
      content: unit.masked ? undefined : unit.content?.replaceAll("\r", ""),
      enabled: unit.wanted && why.length === 0,
      masked: unit.masked,
      dropIns: unit.dropIns.map(({ name, content }) => ({ name, content: content.replaceAll("\r", "") })),
      notes: [
        `From ${unit.at}${described === undefined ? "" : `: ${described}`}.`,
        ...(why.length === 0 ? [] : [`Off, because ${why.join("; ")}.`]),
      ],
      subject,
    };
  });
}
