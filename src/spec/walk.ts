import { isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair, type ParsedNode } from "yaml";
import { nearest } from "../problems/nearest.ts";
import type { Path, Problem } from "../problems/problem.ts";
import type { Place, Span } from "../problems/source.ts";
import { quoted } from "../problems/visible.ts";
import { limits } from "./limits.ts";
import { Plain, type Data } from "./plain.ts";

/** A document as plain data, and where each value stands. */
export type Walked = {
  readonly data: Data;
  readonly root: Place;
  readonly problems: readonly Problem[];
  readonly spans: ReadonlyMap<Problem, Span>;
};

type Value = { readonly data: Data; readonly place: Place };
type Found = { readonly code: Problem["code"]; readonly message: string; readonly fix: string };

/** What a tag of another language makes of a value: the key of a map around it, `""` for the value itself. */
export type TagMeaning = (tag: string) => string | undefined;

const tags = ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`);

/** Reads a document's nodes once, aliases expanded; never throws, whatever the nodes are. */
export function walk(contents: ParsedNode, meaning?: TagMeaning): Walked {
  const walker = new Walker(meaning);
  const { data, place } = walker.value(contents, []);
  return { data, root: place, problems: [...walker.spans.keys()], spans: walker.spans };
}

class Walker {
  readonly spans = new Map<Problem, Span>();
  // An anchor counts from where it stands, so that this walk, in the order of the file, knows each in time.
  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<Node>();
  private values = 0;
  private repeating = 0;
  private repeated = 0;
  private readonly meaning: TagMeaning | undefined;

  constructor(meaning: TagMeaning | undefined) {
    this.meaning = meaning;
  }

  value(node: Node | null, path: Path, key?: Span): Value {
    const around = node?.tag === undefined || tags.includes(node.tag) ? undefined : this.meaning?.(node.tag);
    if (around === undefined || around === "") return this.inner(node, path, key, around !== undefined);
    const inner = this.inner(node, [...path, around], undefined, true);
    const place: Place = { ...inner.place, kind: "map", inside: new Map([[around, inner.place]]) };
    const data: { [key: string]: Data } = Object.assign(Object.create(null), { [around]: inner.data });
    return { data, place: key === undefined ? place : { ...place, key } };
  }

  private inner(node: Node | null, path: Path, key: Span | undefined, known: boolean): Value {
    if (this.repeating > 0) this.repeated++;
    if (this.values++ >= limits.values) return this.tooMany(node, path, key);
    if (isAlias(node)) return this.alias(node.source, spanOf(node), path, key);
    const span = spanOf(node) ?? emptyAfter(key);
    const withKey = key === undefined ? {} : { key };
    if (node !== null && "anchor" in node && typeof node.anchor === "string" && this.repeating === 0)
      this.anchors.set(node.anchor, node);
    if (!known && node?.tag !== undefined && !tags.includes(node.tag)) this.unknownTag(node.tag, span, path);
    if (isMap(node)) {
      const data: { [key: string]: Data } = Object.create(null);
      const inside = new Map<string, Place>();
      this.open.add(node);
      for (const pair of node.items) this.pair(pair, path, data, inside);
      this.open.delete(node);
      return { data, place: { kind: "map", value: span, inside, ...withKey } };
    }
    if (isSeq(node)) {
      const data: Data[] = [];
      const inside = new Map<number, Place>();
      this.open.add(node);
      for (const item of node.items) {
        const index = data.length;
        const value = this.value(nodeOf(item), [...path, index]);
        data.push(value.data);
        inside.set(index, value.place);
      }
      this.open.delete(node);
      return { data, place: { kind: "list", value: span, inside, ...withKey } };
    }
    return {
      data: scalarOf(node),
      place: { kind: "scalar", value: span, inside: new Map(), ...withKey },
    };
  }

  private pair(pair: Pair, path: Path, data: { [key: string]: Data }, inside: Map<string, Place>): void {
    const node = nodeOf(pair.key);
    const span = spanOf(node) ?? { start: 0, end: 0 };
    const key = isScalar(node) ? keyText(scalarOf(node)) : undefined;
    if (key === undefined) {
      this.report(
        {
          code: "wrong-type",
          message: "a key must be text",
          fix: "write a word in front of the colon",
        },
        span,
        path,
      );
      return;
    }
    if (key === "<<" || key === "__proto__") {
      this.report(
        key === "<<"
          ? {
              code: "unknown-key",
              message: 'the merge key "<<" is not part of YAML 1.2',
              fix: "write the keys out",
            }
          : {
              code: "invalid-name",
              message: `the name ${quoted(key)} cannot be used`,
              fix: "choose another name",
            },
        span,
        [...path, key],
      );
      return;
    }
    const first = inside.get(key);
    if (first !== undefined) {
      const problem = {
        code: "yaml-duplicate-key",
        message: `the key ${quoted(key)} stands here twice`,
        fix: "keep one of the two",
      } as const;
      this.report(problem, span, [...path, key], "first here");
      return;
    }
    const value = this.value(nodeOf(pair.value), [...path, key], span);
    data[key] = value.data;
    inside.set(key, value.place);
  }

  private alias(name: string, span: Span | undefined, path: Path, key: Span | undefined): Value {
    const at = span ?? emptyAfter(key);
    const nothing = nothingAt(at, key);
    const node = this.anchors.get(name);
    if (node === undefined) {
      const near = nearest(name, [...this.anchors.keys()]);
      const fix = near === undefined ? `mark the value meant with &${name}, above this line` : `*${near}`;
      this.report({ code: "yaml-syntax", message: `no value above is marked &${name}`, fix }, at, path);
      return nothing;
    }
    if (this.open.has(node)) {
      this.report(
        {
          code: "yaml-alias-bomb",
          message: `*${name} stands inside the value that it repeats`,
          fix: "write the value out",
        },
        at,
        path,
      );
      return nothing;
    }
    if (this.repeated > limits.repeated) return nothing;
    this.repeating++;
    const value = this.value(node, path, key);
    this.repeating--;
    if (this.repeated > limits.repeated && this.repeating === 0)
      this.report(
        {
          code: "yaml-alias-bomb",
          message: `*${name} repeats more than ${limits.repeated} values`,
          fix: "write the values out",
        },
        at,
        path,
      );
    return value;
  }

  private tooMany(node: Node | null, path: Path, key: Span | undefined): Value {
    const place = nothingAt(spanOf(node) ?? emptyAfter(key), key);
    if (this.values === limits.values + 1)
      this.spans.set(
        {
          code: "yaml-too-large",
          severity: "error",
          path,
          message: `more than ${limits.values} values stand in the file`,
          fix: "group what is alike: one group can have 5000 nodes",
        },
        place.place.value,
      );
    return place;
  }

  private unknownTag(tag: string, span: Span, path: Path): void {
    const shown = tag.replace("tag:yaml.org,2002:", "!!");
    this.report(
      {
        code: "unsupported",
        message: `the tag ${shown} means nothing here`,
        fix: "leave the tag out",
      },
      span,
      path,
    );
  }

  private report(found: Found, span: Span, path: Path, first?: string): void {
    // What an alias repeats was already said where it stands.
    if (this.repeating > 0 && found.code !== "yaml-alias-bomb") return;
    const related = first === undefined ? {} : { related: [{ path, message: first, at: "key" as const }] };
    this.spans.set({ ...found, severity: "error", path, ...related }, span);
  }
}

function nothingAt(value: Span, key: Span | undefined): Value {
  const withKey = key === undefined ? {} : { key };
  return {
    data: new Plain("", null),
    place: { kind: "scalar", value, inside: new Map(), ...withKey },
  };
}

function nodeOf(item: unknown): Node | null {
  if (isAlias(item) || isMap(item) || isSeq(item) || isScalar(item)) return item;
  // A pair in a flow list, `[a: 1]`, stands for a map with one key; the library has wrapped it already.
  if (isPair(item)) throw new Error("a pair outside of a map");
  return null;
}

function spanOf(node: Node | null): Span | undefined {
  const range = node?.range;
  return range === null || range === undefined ? undefined : { start: range[0], end: range[1] };
}

function emptyAfter(key: Span | undefined): Span {
  const at = key?.end ?? 0;
  return { start: at, end: at };
}

function scalarOf(node: Node | null): Data {
  if (!isScalar(node)) return new Plain("", null);
  const { value } = node;
  if (typeof value === "string") return value;
  const source = node.source ?? "";
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return new Plain(source, value);
  return new Plain(source, null);
}

function keyText(data: Data): string | undefined {
  if (typeof data === "string") return data;
  return data instanceof Plain ? data.source : undefined;
}
