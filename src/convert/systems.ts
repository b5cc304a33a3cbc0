import { cursorOf, type Cursor } from "./cursor.ts";
import type { OldUnit } from "./cloud-config.ts";
import { readTemplate } from "./cloudformation.ts";
import type { DraftUpdates } from "./draft.ts";
import { assignmentsOf, readSettings } from "./envs.ts";
import type { Faults } from "./faults.ts";
import { templateTag } from "./intrinsic.ts";
import { linesOf, placeOf, type Lines } from "./lines.ts";
import { bareMachine, machineOf, type Converted } from "./machine.ts";
import type { ReadText } from "./heat.ts";
import { readOpConf } from "./op-conf.ts";
import type { Outcome } from "./outcome.ts";
import type { GroupPart } from "./placement.ts";
import { kindNames, type Kind } from "./source.ts";
import { controlCount, isControlName, splitCount } from "./split.ts";
import { readModules } from "./terraform.ts";

/** A cluster as one of the old systems describes it. */
export type System = {
  readonly sources: readonly string[];
  readonly groups: readonly GroupPart[];
  readonly updates: DraftUpdates | undefined;
  readonly region: string | undefined;
  readonly aws: readonly string[];
  /** Whether every cluster of the system had an etcd that workers could use. */
  readonly hadEtcd?: true;
};

export type Workshop = { readonly read: ReadText; readonly faults: Faults; readonly outcome: Outcome };

/** A file with what it is, for the first line of what is written. */
export function sourceName(file: string, kind: Kind): string {
  return `${file} (${kindNames[kind]})`;
}

/** A group of machines; two etcd members are one, and so on, which is said. */
export function groupPart(name: string, control: boolean, count: number, at: string, converted: Converted): GroupPart {
  const kept = control ? controlCount(count) : count;
  return {
    name,
    role: control ? "control" : "worker",
    count: kept,
    converted,
    notes: [
      `From ${at}.`,
      ...(kept === count
        ? []
        : [`It had ${count} machines; a control group has 1, 3 or 5. Other nodes belong in a worker group.`]),
    ],
  };
}

/** Identical machines as a control group and workers. */
export function identical(
  count: number,
  at: string,
  converted: Converted,
  outcome: Outcome,
  what: string,
): readonly GroupPart[] {
  const { control, worker, why } = splitCount(count);
  outcome.replaced(
    what,
    at,
    worker === 0 ? `groups: control ${control}` : `groups: control ${control}, worker ${worker}`,
    why,
  );
  const notes = [`${count} identical ${count === 1 ? "machine" : "machines"} (${at}): ${why}.`];
  return [
    { name: "control", role: "control", count: control, converted, notes },
    ...(worker === 0 ? [] : [{ name: "worker", role: "worker", count: worker, converted, notes: [] } as const]),
  ];
}

/** op.py: a conf file, and the cloud-config that it names. */
export async function opSystem(
  lines: Lines,
  name: string,
  { read, faults, outcome }: Workshop,
): Promise<System | undefined> {
  // op.py did the same before it read the file.
  const root = cursorOf({ ...lines, text: lines.text.replaceAll("$cluster_name", name) }, faults);
  if (root === undefined) return undefined;
  const conf = readOpConf(root, outcome);
  const config = await referred(conf.cloudConfig, lines.file, read);
  const cursor = config === undefined ? undefined : cursorOf(config, faults);
  if (config !== undefined && cursor === undefined) return undefined;
  const converted = cursor === undefined ? bareMachine(conf.disks, outcome) : machineOf(cursor, conf.disks, outcome);
  return {
    sources: [
      sourceName(lines.file, "op-conf"),
      ...(config === undefined ? [] : [sourceName(config.file, "cloud-config")]),
    ],
    groups: identical(conf.count, conf.countAt, converted, outcome, `instances_count: ${conf.count}`),
    updates: conf.updates,
    region: conf.region,
    aws: conf.aws,
  };
}

/** A file that another names: from the folder in which we are, as op.py took it, else beside the other or one folder up. */
async function referred(path: Cursor | undefined, beside: string, read: ReadText): Promise<Lines | undefined> {
  const name = path?.text;
  if (path === undefined || name === undefined) return undefined;
  const folder = beside.split("/").slice(0, -1);
  for (const candidate of [name, [...folder, name].join("/"), [...folder.slice(0, -1), name].join("/")]) {
    const text = await read(candidate);
    if (text !== undefined) return linesOf(candidate, text);
  }
  path.refuse({
    code: "unreadable-file",
    message: `there is no file ${name}`,
    fix: "a path from the folder in which you are, as op.py took it",
  });
  return undefined;
}

/** A CloudFormation template, with the cloud-configs inside it. */
export function templateSystem(lines: Lines, name: string, { faults, outcome }: Workshop): System | undefined {
  const root = cursorOf(lines, faults, templateTag);
  if (root === undefined) return undefined;
  const template = readTemplate(root, lines.file, name, outcome);
  if (template.groups.length === 0)
    root.refuse({
      code: "missing-key",
      message: "the template has no machines",
      fix: "a group of AWS::AutoScaling::AutoScalingGroup, or an AWS::EC2::Instance",
    });
  const some = template.groups.some((group) => isControlName(group.name));
  let control = false;
  const groups = template.groups.flatMap((group, index): GroupPart[] => {
    const converted = userDataOf(group.userData, group.disks, faults, outcome);
    if (converted === undefined) return [];
    const first = !control && (some ? isControlName(group.name) : index === 0);
    control ||= first;
    return [groupPart(group.name, first, group.count, group.at, converted)];
  });
  return {
    sources: [sourceName(lines.file, "cloudformation")],
    groups,
    updates: undefined,
    region: undefined,
    aws: template.aws,
  };
}

function userDataOf(
  lines: Lines | undefined,
  disks: Parameters<typeof bareMachine>[0],
  faults: Faults,
  outcome: Outcome,
): Converted | undefined {
  if (lines === undefined || !/^#cloud-config\b/.test(lines.text)) {
    if (lines !== undefined && lines.text.trim() !== "")
      outcome.dropped(
        "UserData",
        placeOf(lines, 1),
        "it is a script and no cloud-config: what it did belongs in units: and files:",
      );
    return bareMachine(disks, outcome);
  }
  const root = cursorOf(lines, faults);
  return root === undefined ? undefined : machineOf(root, disks, outcome);
}

/** aws-terraform: its settings, modules, and cloud-configs of roles. */
export function terraformSystem(
  envs: readonly Lines[],
  terraform: readonly Lines[],
  configs: ReadonlyMap<string, Converted>,
  { faults, outcome }: Workshop,
): System & { readonly name: { readonly text: string; readonly at: string } | undefined } {
  const settings = readSettings(
    envs.flatMap((lines) => assignmentsOf(lines, faults)),
    outcome,
  );
  const modules = terraform.flatMap((lines) => readModules(lines, outcome));
  const place = envs[0]?.file ?? terraform[0]?.file ?? "";
  const names = new Set(["etcd", "worker", ...modules.map(({ name }) => name), ...configs.keys()]);
  const groups = [...names].map((name): GroupPart => {
    const module = modules.find((one) => one.name === name);
    const converted = configs.get(name) ?? bareMachine([], outcome);
    const at = module === undefined ? `${place}, whose default build has one ${name} node` : module.at;
    if (module?.count === undefined)
      outcome.kept(`group ${name}`, place, `groups: ${name}`, "one node, as the default build has");
    return groupPart(name, name === "etcd", module?.count ?? 1, at, converted);
  });
  return {
    sources: [
      ...envs.map(({ file }) => sourceName(file, "envs")),
      ...terraform.map(({ file }) => sourceName(file, "terraform")),
    ],
    name: settings.name,
    groups,
    hadEtcd: true,
    updates:
      configs.size > 0 ? settings.updates : { ...settings.updates, reboot: "never", notes: sayLayout(place, outcome) },
    region: settings.region,
    aws: [...settings.aws, ...modules.flatMap(({ aws }) => aws)],
  };
}

/** What every cluster of aws-terraform had, though its settings do not say so; gives the notes of `updates:`. */
function sayLayout(at: string, outcome: Outcome): readonly string[] {
  outcome.replaced(
    "the initial-cluster file in S3",
    at,
    "the cluster's store",
    "etcd's members find each other there; workers no longer need etcd to join",
  );
  outcome.replaced(
    "cloud-configs in S3, read at each boot",
    at,
    "slipway launch",
    "it changes running nodes to what cluster.yml says, without a reboot",
  );
  const why = "its lock lay in etcd's old API, which is gone; without a lock machines do not reboot by themselves";
  outcome.replaced("locksmith: best-effort, daily at 05:30 for 3h", at, "updates: reboot never", why);
  return [
    `Machines rebooted daily between 05:30 and 08:30, one at a time; ${why}.`,
    'window: { start: "05:30", length: 3h }   # with reboot: window',
  ];
}

/** Cloud-configs alone: each is a group. */
export function configSystem(
  configs: readonly { readonly lines: Lines; readonly name: string; readonly converted: Converted }[],
  outcome: Outcome,
): System {
  const sources = configs.map(({ lines }) => sourceName(lines.file, "cloud-config"));
  const none = { sources, updates: undefined, region: undefined, aws: [] };
  const control = configs.find(({ name }) => isControlName(name)) ?? configs[0];
  const groups = configs.map((config) => {
    const name = configs.length === 1 ? "control" : config.name;
    outcome.kept(
      config.lines.file,
      `${config.lines.file}:1`,
      `groups: ${name}`,
      "how many machines had it, it does not say: set count",
    );
    return groupPart(name, config === control, 1, `${config.lines.file}; set count`, config.converted);
  });
  return { ...none, groups };
}

/** Units of one list, by the role in its name. */
export type Listed = ReadonlyMap<string | undefined, readonly OldUnit[]>;
