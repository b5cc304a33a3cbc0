import { clusterName } from "../spec/cluster.ts";
import type { OldUnit } from "./cloud-config.ts";
import { cursorOf } from "./cursor.ts";
import type { Draft, DraftUpdates } from "./draft.ts";
import { Faults, type Fault } from "./faults.ts";
import type { ReadText } from "./heat.ts";
import { heatSystem } from "./heat-system.ts";
import { oneCluster, sorted, unitOf, type Input, type Inputs } from "./inputs.ts";
import { bareMachine, machineOf, type Converted } from "./machine.ts";
import { Outcome, type Row } from "./outcome.ts";
import { placed } from "./placement.ts";
import { fleetService } from "./services.ts";
import { settledText } from "./settle.ts";
import {
  configSystem,
  groupPart,
  opSystem,
  sourceName,
  templateSystem,
  terraformSystem,
  type Listed,
  type System,
  type Workshop,
} from "./systems.ts";
import { clusterTree, rowComments } from "./write.ts";
import { listedUnits, roleOfList } from "./units-list.ts";

/** A cluster.yml with what became of everything in the old files, or why there is none. */
export type Conversion =
  | { readonly kind: "good"; readonly yaml: string; readonly rows: readonly Row[] }
  | { readonly kind: "bad"; readonly faults: readonly Fault[] }
  /** No file says a name, and none was given. */
  | { readonly kind: "nameless"; readonly file: string };

export type ConvertOptions = {
  /** The cluster's name, over what the files say; already judged. */
  readonly name?: string;
  /** A file that another one refers to; `undefined` when there is none. */
  readonly read: ReadText;
};

/** Reads the files of one cluster of an older system and writes a cluster.yml; never throws for a bad file. */
export async function convert(inputs: readonly Input[], { name, read }: ConvertOptions): Promise<Conversion> {
  const faults = new Faults();
  const outcome = new Outcome();
  const files = sorted(inputs, faults);
  oneCluster(files, faults);
  const first = inputs[0]?.file ?? "";
  if (faults.found) return { kind: "bad", faults: faults.list() };
  const workshop = { read, faults, outcome };
  const known = name ?? nameIn(files, workshop);
  if (known === undefined) return { kind: "nameless", file: first };
  const system = await systemOf(files, known, workshop);
  if (faults.found || system === undefined) return { kind: "bad", faults: faults.list() };
  const draft = draftOf(system, known, files, outcome);
  const yaml = settledText(clusterTree(draft), outcome);
  const rows = outcome.list();
  return { kind: "good", yaml: yaml + rowComments(rows), rows };
}

/** The name that settings give, made one that a cluster may have. */
function nameIn({ envs }: Inputs, { read, faults }: Workshop): string | undefined {
  const said = terraformSystem(envs, [], new Map(), { read, faults, outcome: new Outcome() }).name?.text;
  if (said === undefined) return undefined;
  const complaint = clusterName(said);
  if (complaint === undefined) return said;
  return clusterName(complaint.fix) === undefined ? complaint.fix : undefined;
}

async function systemOf(files: Inputs, name: string, workshop: Workshop): Promise<System | undefined> {
  const { faults, outcome } = workshop;
  const listed = listsOf(files, outcome);
  const [conf] = files["op-conf"];
  if (conf !== undefined) return opSystem(conf, name, workshop);
  const [template] = files.cloudformation;
  if (template !== undefined) return templateSystem(template, name, workshop);
  if (files.heat.length > 0) return heatSystem(files.heat, files.params, listed, workshop);
  const configs = configsOf(files, listed, workshop);
  if (faults.found) return undefined;
  if (files.envs.length + files.terraform.length > 0) {
    const byName = new Map(configs.map(({ name: group, converted }) => [group, converted]));
    const system = terraformSystem(files.envs, files.terraform, byName, workshop);
    return {
      ...system,
      sources: [...system.sources, ...configs.map(({ lines }) => sourceName(lines.file, "cloud-config"))],
    };
  }
  if (configs.length > 0) return configSystem(configs, outcome);
  const at = [...files.unit, ...files["units-list"], ...files.params][0]?.file ?? "";
  outcome.kept("the cluster", at, "groups: control", "how many machines there were, no file says: set count");
  const groups = [groupPart("control", true, 1, `${at}; set count`, bareMachine([], outcome))];
  return { sources: [], groups, updates: undefined, region: undefined, aws: [] };
}

/** The units that lists start, by the role of each list. */
function listsOf(files: Inputs, outcome: Outcome): Listed {
  const given = new Map(files.unit.map((lines) => [unitOf(lines).name, unitOf(lines)]));
  const listed = new Map<string | undefined, OldUnit[]>();
  for (const lines of files["units-list"]) {
    const role = roleOfList(lines.file);
    listed.set(role, [...(listed.get(role) ?? []), ...listedUnits(lines, given, outcome)]);
  }
  return listed;
}

function configsOf(files: Inputs, listed: Listed, { faults, outcome }: Workshop) {
  const names = new Set<string>();
  return files["cloud-config"].flatMap((lines, index) => {
    const root = cursorOf(lines, faults);
    if (root === undefined) return [];
    const base = groupName(lines.file) || (index === 0 ? "control" : "worker");
    const name = names.has(base) ? `${base}-${index + 1}` : base;
    names.add(name);
    const units = listed.get(name) ?? (files["cloud-config"].length === 1 ? [...listed.values()].flat() : []);
    const converted: Converted = machineOf(root, [], outcome, units);
    return [{ lines, name, converted }];
  });
}

/** The part of a file's name that tells what its machines were: manager.yml, worker.yaml.tmpl. */
function groupName(file: string): string {
  return (file.split(/[\\/]/).at(-1) ?? "")
    .toLowerCase()
    .replace(/\.(?:ya?ml|tmpl|example|sample|txt|cfg|conf)\b/g, "")
    .replace(/cloud[-_]?(?:config|init)|user[-_]?data/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 30);
}

function draftOf(system: System, name: string, files: Inputs, outcome: Outcome): Draft {
  const given = files["units-list"].length > 0 ? listedNames(files) : new Set<string>();
  const loose = files.unit.filter((lines) => !given.has(unitOf(lines).name));
  const fleet = loose.flatMap((lines) => fleetService(unitOf(lines), outcome) ?? []);
  const { groups, services } = placed(system.groups, fleet, outcome);
  const old = system.groups.flatMap(({ converted }) => converted.kubernetes ?? [])[0];
  const kubernetes = old !== undefined && services.length === 0;
  if (old !== undefined) outcome.dropped("Kubernetes", old, "it is not there yet; its units are left out");
  return {
    name,
    sources: [...system.sources, ...[...files["units-list"], ...files.unit].map(({ file }) => file)],
    orchestrator: kubernetes ? "none" : "swarm",
    orchestratorNote: kubernetes ? "Kubernetes is not there yet; swarm runs services in the meantime." : undefined,
    groups,
    services,
    updates: merged(system, outcome),
    region: system.region,
    aws: system.aws,
    hadEtcd: system.hadEtcd === true || system.groups.some(({ converted }) => converted.hadEtcd),
  };
}

function listedNames(files: Inputs): ReadonlySet<string> {
  return new Set(files["units-list"].flatMap(({ text }) => text.split("\n").map((line) => line.trim())));
}

/** A cluster has one way to update; the first group's counts, under what the system itself says. */
function merged({ updates, groups }: System, outcome: Outcome): DraftUpdates | undefined {
  const [first, ...others] = groups.flatMap(({ converted, name }) =>
    converted.updates === undefined ? [] : [{ name, updates: converted.updates }],
  );
  for (const other of others)
    if (first !== undefined && text(other.updates) !== text(first.updates))
      outcome.dropped(`updates of ${other.name}`, "", `a cluster updates in one way: that of ${first.name}`);
  if (first === undefined) return updates;
  return { ...first.updates, ...updates, notes: [...new Set([...first.updates.notes, ...(updates?.notes ?? [])])] };
}

function text(updates: DraftUpdates): string {
  return JSON.stringify({ ...updates, notes: [] });
}
