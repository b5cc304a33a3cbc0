import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { readCluster } from "../../src/cluster/read.ts";
import type { Read } from "../../src/problems/problem.ts";
import { compile, type Compiled } from "../../src/targets/aws/compile.ts";
import { noFacts, readFacts, type AwsFacts } from "../../src/targets/aws/facts/facts.ts";
import type { Boot } from "../../src/targets/aws/user-data.ts";

const folder = join(import.meta.dirname, "scenarios");
const examples = join(import.meta.dirname, "../../examples");

const sum = "0123456789abcdef".repeat(4);
/** What makes user data as long as it gets. */
export const boot: Boot = { pin: sum, runtime: { agent: sum, node: { x86_64: sum, aarch64: sum } } };

/** Reads a file for AWS; a test that gives a bad one is wrong. */
export function awsCluster(text: string): Cluster {
  const read = readCluster(text, "cluster.yml", { on: "aws" });
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

export function compiled(cluster: Cluster, facts: AwsFacts = noFacts): Compiled {
  return good(compile(cluster, facts, boot));
}

function good(read: Read<Compiled>): Compiled {
  if (read.kind === "bad") throw new Error(JSON.stringify(read.problems));
  return read.value;
}

export type Scenario = {
  readonly name: string;
  readonly cluster: Cluster;
  readonly facts: AwsFacts;
  readonly compiled: Compiled;
  /** Where its goldens stand. */
  readonly expected: string;
};

/** The folders of scenarios/; where one has no cluster.yml, the example of its name is the scenario. */
export const scenarios: readonly Scenario[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted()
  .map((name) => {
    const own = join(folder, name, "cluster.yml");
    const cluster = awsCluster(readFileSync(existsSync(own) ? own : join(examples, `${name}.yml`), "utf8"));
    const said = join(folder, name, "facts.json");
    const facts = existsSync(said) ? readFacts(readFileSync(said, "utf8")) : noFacts;
    return { name, cluster, facts, compiled: compiled(cluster, facts), expected: join(folder, name, "expected") };
  });

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Template = {
  readonly Parameters: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, Json>>;
};
export type TemplateResource = {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, Json>>;
  readonly UpdatePolicy?: Json;
  readonly CreationPolicy?: Json;
  readonly DeletionPolicy?: string;
};

/** A template as a program would read it. */
export function templateOf({ text }: Compiled): Template {
  return JSON.parse(text) as Template;
}
