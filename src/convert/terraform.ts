import { placeOf, type Lines } from "./lines.ts";
import type { Outcome } from "./outcome.ts";

/** What a module of aws-terraform says of its machines. */
export type Module = {
  readonly name: string;
  readonly count: number | undefined;
  readonly at: string;
  readonly aws: readonly string[];
};

const counts = ["cluster_desired_capacity", "cluster_min_size", "cluster_max_size"];

/** Reads the settings of a module's machines; other resources are terraform's, and are not read. */
export function readModules(lines: Lines, outcome: Outcome): readonly Module[] {
  const modules: (Module & { readonly aws: string[] })[] = [];
  const file = /([\w-]+)\.tf$/.exec(lines.file)?.[1] ?? "worker";
  let name = file;
  for (const [index, line] of lines.text.split("\n").entries()) {
    const at = placeOf(lines, index + 1);
    name = /^\s*module\s+"([\w-]+)"/.exec(line)?.[1] ?? name;
    const [, key = "", quoted, bare] = /^\s*(\w+)\s*=\s*(?:"([^"$]*)"|(\d+))\s*(?:#.*)?$/.exec(line) ?? [];
    const value = quoted ?? bare;
    if (value === undefined) continue;
    const group = modules.find((module) => module.name === name) ?? { name, count: undefined, at, aws: [] };
    if (!modules.includes(group)) modules.push(group);
    say(group, key, value, at, modules, outcome);
  }
  return modules;
}

function say(
  group: Module & { readonly aws: string[] },
  key: string,
  value: string,
  at: string,
  modules: (Module & { readonly aws: string[] })[],
  outcome: Outcome,
): void {
  const what = `${group.name}: ${key} = ${value}`;
  if (key === "cluster_desired_capacity" && /^\d{1,4}$/.test(value)) {
    modules[modules.indexOf(group)] = { ...group, count: Number(value), at };
    outcome.kept(what, at, `groups: ${group.name}`);
  } else if (counts.includes(key)) outcome.dropped(what, at, "a group has exactly as many nodes as its count says");
  else if (/^docker_volume_|^root_volume_/.test(key))
    outcome.replaced(what, at, "the node's own volumes", "the engine's data lies on a volume of its own on every node");
  else if (key === "image_type" || key === "keypair" || key.startsWith("data_volume_")) {
    group.aws.push(`${group.name}: { ${key}: ${value} }   # ${at}`);
    outcome.kept(what, at, "aws: as a comment", "for machines on AWS");
  } else outcome.dropped(what, at, "terraform's own");
}
