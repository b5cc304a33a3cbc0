import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSpec } from "../../src/spec/read.ts";
import { editorSchema } from "../../src/spec/schema.ts";
import { starterFile } from "../../src/spec/starter.ts";
import { readCluster } from "../../src/cluster/read.ts";

type Schema = { readonly [key: string]: unknown };

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}

function everyProperty(schema: unknown, path = ""): [string, Schema][] {
  if (!isSchema(schema)) return [];
  const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
  return [
    ...Object.entries(properties).flatMap(([name, inner]): [string, Schema][] =>
      isSchema(inner) ? [[`${path}/${name}`, inner], ...everyProperty(inner, `${path}/${name}`)] : [],
    ),
    ...everyProperty(schema["additionalProperties"], `${path}/*`),
    ...everyProperty(schema["items"], `${path}/-`),
    ...(Array.isArray(schema["anyOf"]) ? schema["anyOf"].flatMap((inner) => everyProperty(inner, path)) : []),
  ];
}

test("the schema names and describes every key", () => {
  const properties = everyProperty(editorSchema());
  const paths = properties.map(([path]) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "/name",
      "/groups/*/files/-/mode",
      "/groups/*/units/-/drop_ins/-/content",
      "/services/*/ports/-/published",
      "/services/*/health/start_period",
      "/services/*/secrets/*/environment",
      "/registries/*/password/file",
      "/docker/publish_on",
      "/etcd/share",
    ]),
  );
  expect(properties.filter(([, schema]) => typeof schema["description"] !== "string").map(([path]) => path)).toEqual(
    [],
  );
});

test("the schema asks for what must be there, and for no more", () => {
  const schema = Object.fromEntries(everyProperty(editorSchema()));
  expect(editorSchema()).toMatchObject({
    required: ["name", "groups"],
    additionalProperties: false,
  });
  expect(schema["/services"]).toMatchObject({
    additionalProperties: { required: ["image"], additionalProperties: false },
  });
  expect(schema["/groups"]).toMatchObject({
    additionalProperties: { additionalProperties: false },
  });
  expect(JSON.stringify(editorSchema())).not.toContain(String(Number.MAX_SAFE_INTEGER));
});

test("the schema is the same each time", () => {
  expect(JSON.stringify(editorSchema())).toBe(JSON.stringify(editorSchema()));
});

const examples = join(import.meta.dirname, "../../examples");

test.each(readdirSync(examples).filter((name) => name.endsWith(".yml")))("the example %s has no problem", (name) => {
  const read = readCluster(readFileSync(join(examples, name)), name);
  expect(read).toMatchObject({ kind: "good", warnings: [] });
});

test.each(
  (["swarm", "none"] as const).flatMap((orchestrator) =>
    [1, 3, 5].flatMap((control) => [0, 1, 7].map((workers) => ({ name: "first", orchestrator, control, workers }))),
  ),
)("the starter file for %o says so", (options) => {
  const text = starterFile({ ...options, schema: "/opt/slipway/schema.json" });
  expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=/opt/slipway/schema.json");
  const read = readCluster(text, "cluster.yml");
  expect(read).toMatchObject({ kind: "good", warnings: [] });
  if (read.kind !== "good") return;
  const { name, orchestrator, groups } = read.value;
  const count = (role: string) => groups.reduce((sum, group) => sum + (group.role === role ? group.count : 0), 0);
  expect({ name, orchestrator, control: count("control"), workers: count("worker") }).toEqual(options);
});

test("a spec is read the same whether as text or as bytes", () => {
  const text = readFileSync(join(examples, "services.yml"), "utf8");
  expect(readSpec(new TextEncoder().encode(text), "a")).toEqual(readSpec(text, "a"));
});
