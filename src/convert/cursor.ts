import type { Path, Problem } from "../problems/problem.ts";
import { pathPosition, positionOf, type Position, type Source } from "../problems/source.ts";
import { parse, type TagMeaning } from "../spec/parse.ts";
import { Plain, type Data } from "../spec/plain.ts";
import type { Faults, Saying } from "./faults.ts";
import { originOf, placeOf, type Lines, type Origin } from "./lines.ts";

type Read = { readonly lines: Lines; readonly source: Source; readonly faults: Faults };

/** A value of a YAML text with its place: what a reader walks over. */
export class Cursor {
  readonly data: Data;
  readonly path: Path;
  private readonly read: Read;

  constructor(read: Read, path: Path, data: Data) {
    this.read = read;
    this.path = path;
    this.data = data;
  }

  /** `file:line` of the value, or of its key. */
  get at(): string {
    return placeOf(this.read.lines, this.position.line);
  }

  /** The line that the value, or its key, was taken from. */
  get origin(): Origin {
    return originOf(this.read.lines, this.position.line);
  }

  private get position(): Position {
    return pathPosition(this.read.source, this.path, true);
  }

  get key(): string {
    return String(this.path.at(-1) ?? "");
  }

  get isMap(): boolean {
    return typeof this.data === "object" && !(this.data instanceof Plain) && !Array.isArray(this.data);
  }

  get isList(): boolean {
    return Array.isArray(this.data);
  }

  /** Left empty, or written as null. */
  get isEmpty(): boolean {
    return this.data instanceof Plain && this.data.value === null;
  }

  /** The text of a scalar as it was written; `undefined` for maps and lists. */
  get text(): string | undefined {
    if (typeof this.data === "string") return this.data;
    return this.data instanceof Plain ? this.data.source : undefined;
  }

  /** True or false in any of YAML's spellings, old and new. */
  get flag(): boolean | undefined {
    const word = this.text?.toLowerCase() ?? "";
    if (["true", "yes", "on", "y"].includes(word)) return true;
    return ["false", "no", "off", "n"].includes(word) ? false : undefined;
  }

  /** The items of a list; a single value that should have been one is a problem. */
  list(): readonly Cursor[] {
    if (this.isEmpty) return [];
    const { data } = this;
    if (Array.isArray(data)) return data.map((item, index) => new Cursor(this.read, [...this.path, index], item));
    this.refuse({ code: "wrong-type", message: `${this.key} is not a list`, fix: "- first" });
    return [];
  }

  /** The values of a map with their keys; hyphens in keys stay. */
  entries(): readonly Cursor[] {
    if (this.isEmpty) return [];
    const { data } = this;
    if (typeof data === "object" && !(data instanceof Plain) && !Array.isArray(data))
      return Object.entries(data).map(([key, value]) => new Cursor(this.read, [...this.path, key], value));
    this.refuse({ code: "wrong-type", message: `${this.key || "the file"} is not a map`, fix: "key: value" });
    return [];
  }

  /** The value under a key, whichever of `-` and `_` it is written with. */
  get(key: string): Cursor | undefined {
    if (!this.isMap) return undefined;
    const wanted = plainKey(key);
    return this.entries().find((entry) => plainKey(entry.key) === wanted);
  }

  /** Says what is wrong with this value. */
  refuse(saying: Saying): void {
    const { line, column, length } = this.position;
    this.read.faults.add(this.read.lines, line, column, length, saying);
  }
}

/** A key with underscores: cloud-configs were written with hyphens first. */
export function plainKey(key: string): string {
  return key.replaceAll("-", "_");
}

/** The root of a YAML text, or `undefined` when it has problems, which are collected. */
export function cursorOf(lines: Lines, faults: Faults, tags?: TagMeaning): Cursor | undefined {
  // A cloud-config with nothing in it is one, too.
  const empty = lines.text.split("\n").every((line) => /^\s*(?:#|$)/.test(line));
  const parsed = parse(empty ? "{}" : lines.text, lines.file, tags);
  if (parsed.kind === "good") return new Cursor({ lines, source: parsed.source, faults }, [], parsed.data);
  for (const problem of parsed.problems) {
    const { line, column, length } = positionOf(parsed.source, problem);
    faults.add(lines, line, column, length, sayingOf(problem));
  }
  return undefined;
}

function sayingOf({ code, message, fix }: Problem): Saying {
  return { code, message, fix: fix ?? "look at the lines above, too" };
}
