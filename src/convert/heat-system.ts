import { cursorOf } from "./cursor.ts";
import { namesAsked, paramsOf, withInserts, withParams, type Params } from "./heat.ts";
import type { Lines } from "./lines.ts";
import { machineOf } from "./machine.ts";
import type { Outcome } from "./outcome.ts";
import type { GroupPart } from "./placement.ts";
import { sourceName, type Listed, type System, type Workshop } from "./systems.ts";

// generate-configs.sh rendered the template once for each, whatever params.yml said.
const roles = [
  { name: "manager", role: "control", count: 3, note: "Three, as the token was asked for; 1, 3 or 5." },
  { name: "worker", role: "worker", count: 2, note: "How many, no file says: set count." },
] as const;
const roleParam = "node-role";

/** Heat templates with their inserts and parameters; one that asks for node-role is rendered for managers and for workers. */
export async function heatSystem(
  templates: readonly Lines[],
  paramFiles: readonly Lines[],
  listed: Listed,
  { read, faults, outcome }: Workshop,
): Promise<System> {
  const params: Params = new Map(paramFiles.flatMap((lines) => [...paramsOf(lines, faults)]));
  const asked = new Set<string>();
  const groups: GroupPart[] = [];
  for (const template of templates) {
    const whole = await withInserts(template, read, faults);
    const names = namesAsked(whole);
    for (const name of names) asked.add(name);
    const forRoles = names.has(roleParam)
      ? roles
      : [{ ...roles[0], name: "control", count: 1, note: "One; set count." } as const];
    for (const { name, role, count, note } of forRoles) {
      const value = (wanted: string): string | undefined => (wanted === roleParam ? name : params.get(wanted)?.text);
      const root = faults.found ? undefined : cursorOf(withParams(whole, value, faults), faults);
      if (root === undefined || faults.found) break;
      const units = listed.get(name) ?? (forRoles.length === 1 ? [...listed.values()].flat() : []);
      const converted = machineOf(root, [], outcome, units);
      groups.push({ name, role, count, converted, notes: [`From ${template.file}. ${note}`] });
      outcome.kept(`${template.file} for ${name}`, `${template.file}:1`, `groups: ${name}`, note);
    }
  }
  sayParams(params, asked, outcome);
  const files = [
    ...templates.map(({ file }) => sourceName(file, "heat")),
    ...paramFiles.map(({ file }) => sourceName(file, "params")),
  ];
  return { sources: files, groups: joined(groups), updates: undefined, region: undefined, aws: [] };
}

/** One control group; templates without roles are a group each. */
function joined(groups: readonly GroupPart[]): readonly GroupPart[] {
  const names = new Set<string>();
  return groups.map((group, index) => {
    const name = names.has(group.name) ? `${group.name}-${index + 1}` : group.name;
    const again = name !== group.name && group.role === "control";
    names.add(name);
    return { ...group, name, role: again ? "worker" : group.role };
  });
}

function sayParams(params: Params, asked: ReadonlySet<string>, outcome: Outcome): void {
  for (const [name, { text, at }] of params) {
    const what = `parameter ${name}`;
    if (name === "coreos-cluster-token")
      outcome.replaced(
        what,
        at,
        "the cluster's store",
        "discovery.etcd.io is gone; nodes find each other in the store",
      );
    else if (name.startsWith("slack-"))
      outcome.dropped(what, at, "nodes call no webhook; pass slipway events --follow --json on to Slack");
    else if (name === roleParam)
      outcome.replaced(`${what}: ${text}`, at, "groups: manager, worker", "rendered for both");
    else if (asked.has(name)) outcome.kept(`${what}: ${text}`, at, "filled in");
    else outcome.dropped(`${what}: ${text}`, at, "no file asks for it");
  }
}
