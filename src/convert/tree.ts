import { stringify } from "yaml";
import { visible } from "../problems/visible.ts";
import type { Subject } from "./draft.ts";

/** A value to write; a list or a map that stands in several places is written once and repeated by name. */
export type Value = string | number | boolean | List | Branch;
type Said = { readonly notes?: readonly string[]; readonly subject?: Subject };
export type Entry = Said & { readonly key: string; readonly value: Value; readonly spaced?: boolean };
export type Item = Said & { readonly value: Value };

export class List {
  items: readonly Item[];
  constructor(items: readonly Item[]) {
    this.items = items;
  }
}

export class Branch {
  entries: readonly Entry[];
  /** Comments behind the last entry. */
  readonly after: readonly string[];
  constructor(entries: readonly (Entry | undefined)[], after: readonly string[] = []) {
    this.entries = entries.filter((entry) => entry !== undefined);
    this.after = after;
  }
}

/** The tree as YAML 1.2 with its comments. */
export function treeText(root: Branch): string {
  const writer = new Writer(root);
  return `${writer.branch(root, "").join("\n")}\n`;
}

class Writer {
  private readonly shared = new Set<List | Branch>();
  private readonly names = new Map<List | Branch, string>();

  constructor(root: Branch) {
    this.count(root, new Set());
  }

  private count(value: Value, seen: Set<List | Branch>): void {
    if (!(value instanceof List || value instanceof Branch)) return;
    if (seen.has(value)) {
      this.shared.add(value);
      return;
    }
    seen.add(value);
    for (const { value: inner } of value instanceof List ? value.items : value.entries) this.count(inner, seen);
  }

  branch(branch: Branch, indent: string): string[] {
    const lines = branch.entries.flatMap(({ key, value, notes = [], spaced }) => [
      ...(spaced === true ? [""] : []),
      ...comments(notes, indent),
      ...this.under(`${indent}${scalar(key)}:`, key, value, indent),
    ]);
    return [...lines, ...comments(branch.after, indent)];
  }

  private under(head: string, key: string, value: Value, indent: string): string[] {
    if (typeof value === "string" && isBlock(value)) return block(head, value, `${indent}  `);
    if (!(value instanceof List || value instanceof Branch)) return [`${head} ${scalar(value)}`];
    const known = this.names.get(value);
    if (known !== undefined) return [`${head} *${known}`];
    const anchor = this.shared.has(value) ? ` &${this.named(value, key)}` : "";
    if (value instanceof Branch)
      return value.entries.length === 0
        ? [`${head}${anchor} {}`, ...comments(value.after, `${indent}  `)]
        : [`${head}${anchor}`, ...this.branch(value, `${indent}  `)];
    return value.items.length === 0 ? [`${head}${anchor} []`] : [`${head}${anchor}`, ...this.list(value, indent)];
  }

  private list({ items }: List, indent: string): string[] {
    const inner = `${indent}  `;
    return items.flatMap(({ value, notes = [] }) => {
      const above = comments(notes, inner);
      if (!(value instanceof Branch)) return [...above, ...this.under(`${inner}-`, "", value, inner)];
      const [first = "", ...rest] = this.branch(value, `${inner}  `);
      return [...above, `${inner}- ${first.trimStart()}`, ...rest];
    });
  }

  private named(value: List | Branch, key: string): string {
    const taken = new Set(this.names.values());
    let name = key;
    for (let n = 2; taken.has(name); n++) name = `${key}-${n}`;
    this.names.set(value, name);
    return name;
  }
}

function comments(notes: readonly string[], indent: string): string[] {
  return notes
    .flatMap((note) => note.split("\n"))
    .map((line) => `${indent}# ${visible(line.replaceAll("\t", "  "))}`.trimEnd());
}

function scalar(value: string | number | boolean): string {
  // On one line, whatever is in it: what JSON writes is YAML, too.
  if (typeof value === "string" && value.includes("\n")) return JSON.stringify(value);
  return stringify(value, {
    version: "1.2",
    schema: "core",
    lineWidth: 0,
    defaultStringType: "PLAIN",
    blockQuote: false,
    // Only the line end: a text may itself end in a space that is none of YAML's.
  }).replace(/\n$/, "");
}

/** Whether a text can be written as a block whose lines are as they are. */
function isBlock(text: string): boolean {
  return text.includes("\n") && /^\S/.test(text);
}

function block(head: string, text: string, indent: string): string[] {
  const body = text.replace(/\n+$/, "");
  const ends = text.length - body.length;
  const lines = body.split("\n").map((line) => (line === "" ? "" : `${indent}${line}`));
  const more = Array.from({ length: Math.max(0, ends - 1) }, () => "");
  return [`${head} |${ends === 0 ? "-" : ends === 1 ? "" : "+"}`, ...lines, ...more];
}
