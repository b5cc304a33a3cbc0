import { parseSync } from "oxc-parser";
import * as z from "zod";
import { verbs } from "../src/cli/verbs.ts";
import { levels } from "../src/events/event.ts";
import { records, type RecordKind } from "../src/records/table.ts";
import { editorSchema } from "../src/spec/schema.ts";
import { systemPages } from "./system-pages.ts";

/** A page that is written from the code. */
export type Page = { readonly path: string; readonly text: string };

/** All pages that are written from the code; `read` gives a source file of the project. */
export function pages(read: (path: string) => string): readonly Page[] {
  return [
    { path: "docs/events.md", text: eventsPage(read("src/events/event.ts")) },
    { path: "docs/records.md", text: recordsPage() },
    { path: "docs/reference/cluster-file.md", text: filePage() },
    { path: "docs/reference/verbs.md", text: verbsPage() },
    ...systemPages(table, written),
    { path: "README.md", text: withVerbs(read("README.md")) },
  ];
}

const written = "<!-- Written by `npm run docs` from the code; edit that instead. -->";

function eventsPage(source: string): string {
  const rows = eventTypes(source).map(({ name, fields, comment }) => {
    const { [name]: level }: Readonly<Record<string, string>> = levels;
    if (level === undefined) throw new Error(`the event ${name} has no level`);
    return [code(name), level, fields.map(code).join(", "), comment];
  });
  if (rows.length !== Object.keys(levels).length) throw new Error("an event has a level but no fields");
  return `${written}

# Events

Everything an operation does is said as an event. The terminal, \`--json\` and the journal in the cluster's store read the
same stream: with \`--json\` one event stands on each line, with \`time\` (milliseconds since 1970), \`name\`, \`level\` and the
fields below; a \`?\` marks a field that may be missing.

${table(["event", "level", "fields", "says"], rows)}`;
}

type Described = { readonly name: string; readonly fields: readonly string[]; readonly comment: string };

/** The members of the type \`Events\` with their fields and comments. */
function eventTypes(source: string): readonly Described[] {
  const { program, comments } = parseSync("event.ts", source);
  const found: Described[] = [];
  for (const statement of program.body) {
    if (statement.type !== "ExportNamedDeclaration") continue;
    const { declaration } = statement;
    if (declaration?.type !== "TSTypeAliasDeclaration" || declaration.id.name !== "Events") continue;
    if (declaration.typeAnnotation.type !== "TSTypeLiteral") continue;
    for (const member of declaration.typeAnnotation.members) {
      if (member.type !== "TSPropertySignature") continue;
      const { key } = member;
      if (key.type !== "Literal" && key.type !== "Identifier") continue;
      const name = key.type === "Literal" ? String(key.value) : key.name;
      const type = member.typeAnnotation?.typeAnnotation;
      if (type?.type !== "TSTypeLiteral") throw new Error(`the event ${name} has no fields`);
      const before = comments.findLast(({ end }) => end <= member.start);
      if (before === undefined || source.slice(before.end, member.start).trim() !== "")
        throw new Error(`the event ${name} has no comment that says what it means`);
      found.push({
        name,
        fields: type.members.map((field) => source.slice(field.start, field.end).replace(/[;,]$/, "")),
        comment: before.value.replace(/^\*/, "").trim(),
      });
    }
  }
  return found;
}

function recordsPage(): string {
  const kinds: readonly (readonly [string, RecordKind])[] = Object.entries(records);
  const rows = kinds.map(([, { key, how, write, read, schema }]) => [
    code(key),
    how,
    write.join(", "),
    read.join(", "),
    fieldsOf(z.toJSONSchema(schema, { unrepresentable: "any" })).join(", "),
  ]);
  return `${written}

# Records

Every key of a cluster's store: who may write it, who may read it, and how. The store refuses everything else; the tests of
its refusals are made from the same table. The fields of a record are checked whenever one is read.

- \`once\`: created if it is absent, and never changed. \`conditional\`: created if absent, or changed if it is still what the
  writer read. Nobody but an operator deletes.
- \`operator\`: whoever controls the engine. \`gateway\`: the cluster's own gateway. \`control\`, \`worker\`: an instance of that
  role, with its certificate. \`own\`: the instance that the key names; \`own-group\`: an instance of the group that it names.
  \`…-identity\`: at first contact, with a token and no certificate yet.

${table(["key", "how", "written by", "read by", "fields"], rows)}`;
}

type Schema = { readonly [key: string]: unknown };

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(schema: unknown): readonly string[] {
  if (!isSchema(schema)) return [];
  const { properties, required } = schema;
  const needed = new Set(Array.isArray(required) ? required : []);
  return isSchema(properties) ? Object.keys(properties).map((name) => code(needed.has(name) ? name : `${name}?`)) : [];
}

function filePage(): string {
  const rows: string[][] = [];
  describe(editorSchema(), "", rows);
  return `${written}

# The file

\`slipway schema\` prints the same as JSON Schema, for editors; \`slipway check --resolved\` prints a file with every default
filled in. In the names below \`*\` stands for a name of your own, and \`[]\` for each entry of a list.

${table(["field", "takes", "is"], rows)}`;
}

/** One row for each field below a schema, depth first. */
function describe(schema: unknown, path: string, rows: string[][]): void {
  if (!isSchema(schema)) return;
  for (const one of variants(schema)) {
    const { properties, required, additionalProperties, items } = one;
    if (isSchema(properties)) {
      const needed = new Set(Array.isArray(required) ? required : []);
      for (const [name, field] of Object.entries(properties)) row(field, join(path, name), needed.has(name), rows);
    }
    if (isSchema(additionalProperties)) row(additionalProperties, join(path, "*"), false, rows);
    if (isSchema(items)) describe(items, `${path}[]`, rows);
  }
}

function row(schema: unknown, path: string, needed: boolean, rows: string[][]): void {
  if (!isSchema(schema)) return;
  const { description } = schema;
  if (typeof description === "string")
    rows.push([code(path), taken(schema), `${description}${needed ? " Required." : ""}`]);
  describe(schema, path, rows);
}

function variants(schema: Schema): readonly Schema[] {
  return Array.isArray(schema["anyOf"]) ? schema["anyOf"].filter(isSchema) : [schema];
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** What a field takes, in a few words. */
function taken(schema: Schema): string {
  const words = variants(schema).map((one) => {
    const { type, minimum, maximum, items } = one;
    const choices = one["enum"];
    if (Array.isArray(choices)) return choices.map((choice) => code(String(choice))).join(" or ");
    const [kind] = (Array.isArray(type) ? type : [type]).map(String);
    if (kind === "object") return "map";
    if (kind === "array") return isSchema(items) && taken(items) === "map" ? "list of maps" : "list";
    if (kind === "integer" || kind === "number") {
      const least = typeof minimum === "number" ? ` from ${minimum}` : "";
      const most = typeof maximum === "number" && maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum}` : "";
      return `${kind === "integer" ? "whole number" : "number"}${least}${most}`;
    }
    return kind === "string" ? "text" : kind === "boolean" ? "true or false" : "text";
  });
  return [...new Set(words)].join(", or ");
}

function verbsPage(): string {
  return `${written}

# Verbs

\`slipway VERB --help\` shows a verb's flags and examples.

${verbTable()}`;
}

/** The README with the verbs between its two marks. */
function withVerbs(text: string): string {
  const marks = /(<!-- verbs: [^\n]*-->\n)[^]*?(<!-- \/verbs -->)/;
  if (!marks.test(text)) throw new Error("README.md has no marks for the verbs");
  return text.replace(marks, (_, begin: string, end: string) => `${begin}${verbTable()}${end}`);
}

/** The verbs with what they do, as a table. */
function verbTable(): string {
  const shown = Object.entries(verbs).filter(([, verb]) => verb.hidden !== true);
  return table(
    ["verb", "what it does"],
    shown.map(([name, { brief }]) => [code(name), brief]),
  );
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}
