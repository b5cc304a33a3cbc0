import { Composer, type CST, Parser, type Document, type ParsedNode, type YAMLError } from "yaml";
import type { Problem } from "../problems/problem.ts";
import { sourceOf, type Source, type Span } from "../problems/source.ts";
import { hiddenCharacter } from "../problems/visible.ts";
import { limits } from "./limits.ts";
import type { Data } from "./plain.ts";
import { walk, type TagMeaning } from "./walk.ts";

export type { TagMeaning };

/** A file's data, or why it has none; the source places whatever is found later. */
export type Parsed = { readonly source: Source } & (
  | { readonly kind: "good"; readonly data: Data }
  | { readonly kind: "bad"; readonly problems: readonly Problem[] }
);

type Spot = Span & {
  readonly code: Problem["code"];
  readonly message: string;
  readonly fix: string;
};

/** Reads YAML 1.2 text. What could take long is refused before it is begun; never throws. */
export function parse(input: string | Uint8Array, file: string, tags?: TagMeaning): Parsed {
  const bytes = byteLength(input);
  if (bytes > limits.bytes) return tooLarge(bytes, file);
  const decoded = decode(input);
  if (decoded.kind === "bad") return refuse(file, decoded.text, [decoded.spot]);
  // Line by line the positions stay what they were.
  const text = decoded.text.replaceAll("\r\n", "\n");
  const characters = hiddenSpots(text);
  if (characters.length > 0) return refuse(file, text, characters);
  const tokens = tokensOf(text);
  const deep = tooDeep(tokens);
  if (deep !== undefined) return refuse(file, text, [deep]);
  const { document, more } = compose(tokens, text);
  if (document === undefined || (document.contents === null && document.errors.length === 0))
    return refuse(file, text, [
      {
        start: 0,
        end: 0,
        code: "missing-key",
        message: "the file is empty",
        fix: "write a first one with: slipway init",
      },
    ]);
  if (document.errors.length > 0) return refuse(file, text, document.errors.map(syntaxSpot));
  if (more !== undefined)
    return refuse(file, text, [
      {
        start: more,
        end: more + 3,
        code: "unsupported",
        message: "a second document begins here",
        fix: "keep one cluster in a file",
      },
    ]);
  if (document.contents === null) throw new Error("a document without contents has no errors");
  const { data, root, problems, spans } = walk(document.contents, tags);
  const source = sourceOf(file, text, root, spans);
  return problems.length > 0 ? { kind: "bad", problems, source } : { kind: "good", data, source };
}

/** Bytes as UTF-8; a text with more characters than bytes are allowed need not be counted. */
function byteLength(input: string | Uint8Array): number {
  if (typeof input !== "string" || input.length > limits.bytes) return input.length;
  return new TextEncoder().encode(input).length;
}

function tooLarge(length: number, file: string): Parsed {
  return refuse(file, "", [
    {
      start: 0,
      end: 0,
      code: "yaml-too-large",
      message: `the file has ${(length / 1e6).toFixed(1)} MB; more than ${limits.bytes / 1e6} MB is not read`,
      fix: "keep large contents in files of their own, and give their paths",
    },
  ]);
}

function refuse(file: string, text: string, spots: readonly Spot[]): Parsed {
  const spans = new Map<Problem, Span>();
  const lines = new Set<string>();
  for (const { start, end, ...found } of spots) {
    // One slip makes the parser stumble more than once at the same place.
    const place = `${start} ${found.code}`;
    if (lines.has(place) || spans.size >= limits.shown) continue;
    lines.add(place);
    spans.set({ ...found, severity: "error", path: [] }, { start, end });
  }
  return {
    kind: "bad",
    problems: [...spans.keys()],
    source: sourceOf(file, text, undefined, spans),
  };
}

type Decoded =
  | { readonly kind: "good"; readonly text: string }
  | { readonly kind: "bad"; readonly text: string; readonly spot: Spot };

function decode(input: string | Uint8Array): Decoded {
  if (typeof input === "string") return { kind: "good", text: input.startsWith("\ufeff") ? input.slice(1) : input };
  const whole = decodeUpTo(input, input.length, false);
  if (whole !== undefined) return { kind: "good", text: whole };
  let low = 0;
  let high = input.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (decodeUpTo(input, middle, true) === undefined) high = middle - 1;
    else low = middle;
  }
  // What the last bytes begin and do not end is no text yet.
  const before = decodeUpTo(input, low, true) ?? "";
  const at = new TextEncoder().encode(before).length + (hasMark(input) ? 3 : 0);
  const wide = (input[0] === 0xff && input[1] === 0xfe) || (input[0] === 0xfe && input[1] === 0xff);
  const byte = (input[at] ?? 0).toString(16).padStart(2, "0");
  return {
    kind: "bad",
    text: wide ? "" : new TextDecoder().decode(input),
    spot: {
      start: before.length,
      end: before.length + 1,
      code: "unreadable-file",
      message: wide ? "the file is UTF-16" : `the file is not UTF-8: the byte 0x${byte} does not belong here`,
      fix: "save it as UTF-8",
    },
  };
}

function hasMark(input: Uint8Array): boolean {
  return input[0] === 0xef && input[1] === 0xbb && input[2] === 0xbf;
}

/** The text of the first bytes, or undefined; `open` lets the last character be unfinished. */
function decodeUpTo(bytes: Uint8Array, end: number, open: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end), {
      stream: open,
    });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function hiddenSpots(text: string): Spot[] {
  const spots: Spot[] = [];
  let from = 0;
  while (spots.length < limits.shown) {
    const found = hiddenCharacter(text.slice(from), true);
    if (found === undefined) break;
    const start = from + found.offset;
    spots.push({
      start,
      end: start + 1,
      code: "yaml-control-character",
      message: `the control character ${found.character} stands in the file`,
      fix: "delete it",
    });
    from = start + 1;
  }
  return spots;
}

function tokensOf(text: string): CST.Token[] {
  return [...new Parser().parse(text)];
}

/** Looks for the first token that is too deep, with a list of its own: recursion would end the process first. */
function tooDeep(tokens: readonly CST.Token[]): Spot | undefined {
  const todo: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let entry = todo.pop(); entry !== undefined; entry = todo.pop()) {
    const { token, depth } = entry;
    if (depth > limits.depth)
      return {
        start: token.offset,
        end: token.offset + 1,
        code: "yaml-syntax",
        message: `more than ${limits.depth} lists and maps stand inside each other`,
        fix: "write it flatter",
      };
    if (token.type === "document" && token.value !== undefined) todo.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    for (const item of token.items) {
      if (item.key !== undefined && item.key !== null) todo.push({ token: item.key, depth: depth + 1 });
      if (item.value !== undefined) todo.push({ token: item.value, depth: depth + 1 });
    }
  }
  return undefined;
}

function compose(
  tokens: readonly CST.Token[],
  text: string,
): {
  readonly document: Document.Parsed<ParsedNode> | undefined;
  readonly more: number | undefined;
} {
  // Keys are compared in our own walk, which is linear where the library's is quadratic.
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    uniqueKeys: false,
    prettyErrors: false,
  });
  let document: Document.Parsed<ParsedNode> | undefined;
  for (const next of composer.compose(tokens, true, text.length)) {
    if (document !== undefined) return { document, more: next.range[0] };
    document = next;
  }
  return { document, more: undefined };
}

function syntaxSpot(error: YAMLError): Spot {
  const [start, end] = error.pos;
  const open = /end with a ([}\]])/.exec(error.message)?.[1];
  const fix = open === undefined ? fixes[error.code] : `close what was opened above with ${open}`;
  return {
    start,
    end,
    code: "yaml-syntax",
    message: sentence(error.message),
    fix: fix ?? "look at the lines above, too",
  };
}

/** The library's words, as a message of ours begins. */
function sentence(message: string): string {
  const line = message.split("\n", 1)[0] ?? message;
  return line.charAt(0).toLowerCase() + line.slice(1);
}

const fixes: { readonly [Code in YAMLError["code"]]?: string } = {
  TAB_AS_INDENT: "indent with spaces",
  BAD_INDENT: "let it begin in the same column as its neighbours",
  MISSING_CHAR: "close what was opened, or put the text in quotes",
  BLOCK_AS_IMPLICIT_KEY: "put what follows on lines of its own, or in quotes",
  UNEXPECTED_TOKEN: "put the text in quotes",
  BAD_SCALAR_START: "put the text in quotes",
  BAD_DQ_ESCAPE: "write a backslash as \\\\, or use single quotes",
};
