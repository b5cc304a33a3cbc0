import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { parseSync } from "oxc-parser";

export const root = dirname(dirname(import.meta.dirname));

export type Import = { readonly source: string; readonly typeOnly: boolean };
/** A source file by its path from the project's root, with all that it imports, in whatever way. */
export type Module = { readonly path: string; readonly imports: readonly Import[] };

/** Paths of files below a folder, from the project's root, that end as given. */
export function filesBelow(folder: string, ending: RegExp): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => posix.join(folder, path))
    .filter((path) => ending.test(path))
    .toSorted();
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Every import of a source text: static, re-exported, `import()` in code and in types. */
export function importsOf(path: string, text: string): readonly Import[] {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const found: Import[] = [];
  visit(program, (node) => {
    const source = specifier(node);
    if (source === undefined) return;
    const kind = node["importKind"] ?? node["exportKind"];
    const specifiers = Array.isArray(node["specifiers"]) ? node["specifiers"] : [];
    const each =
      specifiers.length > 0 && specifiers.every((one: unknown) => isNode(one) && one["importKind"] === "type");
    found.push({ source, typeOnly: kind === "type" || each || node["type"] === "TSImportType" });
  });
  return found;
}

type Node = { readonly [key: string]: unknown };

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

const importing = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

function specifier(node: Node): string | undefined {
  if (typeof node["type"] !== "string" || !importing.has(node["type"])) return undefined;
  const source = node["source"];
  if (source === null || source === undefined) return undefined;
  const value = isNode(source) ? source["value"] : undefined;
  // An import whose name is computed could be anything.
  if (typeof value !== "string") throw new Error("an import's name is not a plain string");
  return value;
}

function visit(value: unknown, call: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const one of value) visit(one, call);
  } else if (isNode(value)) {
    call(value);
    for (const one of Object.values(value)) visit(one, call);
  }
}

/** All modules of the program. */
export function modules(): readonly Module[] {
  return filesBelow("src", /\.ts$/).map((path) => ({ path, imports: importsOf(path, textOf(path)) }));
}

/** The file that a relative import means. */
export function resolved(from: string, source: string): string | undefined {
  return source.startsWith(".") ? posix.join(posix.dirname(from), source) : undefined;
}
