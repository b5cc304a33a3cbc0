import type { Cursor } from "./cursor.ts";
import { cursorOf } from "./cursor.ts";
import type { Faults } from "./faults.ts";
import { linesOf, type Lines, type Origin } from "./lines.ts";

/** Gives a file's text, or `undefined` when there is none; paths are the caller's. */
export type ReadText = (path: string) => Promise<string | undefined>;

type Line = { readonly text: string; readonly origin: Origin };

// heatit looked for inserts until it ended; here a file that is inserted again and again must end, too.
const mostLines = 20_000;
const directive = /^([ \t]*)["']?@insert[ \t]*:[ \t]*["']?(?:file:)?([^"']*?)["']?[ \t]*$/;

/** A template with every `@insert` replaced by its file, indented as the directive is; files insert others, too. */
export async function withInserts(lines: Lines, read: ReadText, faults: Faults): Promise<Lines> {
  const inserted = await insert(lines, read, faults, [lines.file], { left: mostLines });
  return fromLines(lines.file, inserted);
}

async function insert(
  lines: Lines,
  read: ReadText,
  faults: Faults,
  open: readonly string[],
  room: { left: number },
): Promise<readonly Line[]> {
  const result: Line[] = [];
  for (const [index, text] of lines.text.split("\n").entries()) {
    const origin = lines.origins[index] ?? { file: lines.file, text: lines.text, line: index + 1, shift: 0 };
    const refuse = (
      message: string,
      fix: string,
      code: "unreadable-file" | "invalid-value" | "yaml-too-large",
    ): void => {
      const at = text.indexOf("@insert");
      faults.add(lines, index + 1, at + 1, text.trimEnd().length - at, { code, message, fix });
    };
    const [, indent = "", path] = directive.exec(text) ?? [];
    if (path === undefined) {
      if (room.left-- > 0) result.push({ text, origin });
      if (/^[^#]*@insert/.test(text))
        refuse("an @insert stands alone on its line", '@insert: "file:path"', "invalid-value");
      continue;
    }
    if (open.includes(path)) {
      refuse(
        `${path} inserts itself: ${[...open.slice(open.indexOf(path)), path].join(" → ")}`,
        "take one of these inserts out",
        "invalid-value",
      );
      continue;
    }
    const content = await read(path);
    if (content === undefined) {
      refuse(
        `there is no file ${path} to insert`,
        "a path from the folder in which you are, as heatit took it",
        "unreadable-file",
      );
      continue;
    }
    const inner = await insert(linesOf(path, content.replace(/\n$/, "")), read, faults, [...open, path], room);
    if (room.left <= 0) {
      refuse(`with its inserts the template has more than ${mostLines} lines`, "insert less", "yaml-too-large");
      return result;
    }
    for (const line of inner)
      result.push({
        text: line.text === "" ? "" : indent + line.text,
        origin: { ...line.origin, shift: line.origin.shift + indent.length },
      });
  }
  return result;
}

function fromLines(file: string, lines: readonly Line[]): Lines {
  return { file, text: lines.map(({ text }) => text).join("\n"), origins: lines.map(({ origin }) => origin) };
}

/** The values of a params file, as they are written: `1.10` stays `1.10`. */
export type Params = ReadonlyMap<string, { readonly text: string; readonly at: string }>;

/** Reads params.yml: names and single values. */
export function paramsOf(lines: Lines, faults: Faults): Params {
  const root: Cursor | undefined = cursorOf(lines, faults);
  const params = new Map<string, { readonly text: string; readonly at: string }>();
  for (const value of root?.entries() ?? []) {
    const { text } = value;
    if (text === undefined)
      value.refuse({ code: "wrong-type", message: `the parameter ${value.key} is not one value`, fix: "name: value" });
    else params.set(value.key, { text, at: value.at });
  }
  return params;
}

// heatit's own rule for names.
const reference = /@param:([a-z-]*)/g;

/** The names of the parameters that a template asks for. */
export function namesAsked(lines: Lines): ReadonlySet<string> {
  return new Set([...lines.text.matchAll(reference)].map(([, name = ""]) => name));
}

/** The template with every `@param:name` replaced; the whole name counts, so that foo is not taken for foo-bar. */
export function withParams(lines: Lines, value: (name: string) => string | undefined, faults: Faults): Lines {
  const result: Line[] = [];
  for (const [index, line] of lines.text.split("\n").entries()) {
    const replaced = line.replace(reference, (whole, name: string, offset: number) => {
      const next = line[offset + whole.length] ?? "";
      const found = value(name);
      if (found !== undefined && !/[A-Za-z0-9_]/.test(next)) return found;
      faults.add(lines, index + 1, offset + 1, whole.length, missing(name, next));
      return "";
    });
    const origin = lines.origins[index] ?? { file: lines.file, text: lines.text, line: index + 1, shift: 0 };
    for (const text of replaced.split("\n")) result.push({ text, origin });
  }
  return fromLines(lines.file, result);
}

function missing(name: string, next: string) {
  if (name === "" || /[A-Za-z0-9_]/.test(next))
    return {
      code: "invalid-name",
      message: `the name of a parameter has small letters and - only; here it ends before ${JSON.stringify(next)}`,
      fix: "@param:name",
    } as const;
  return {
    code: "missing-key",
    message: `the parameter ${name} has no value`,
    fix: `${name}: … in params.yml, and give that file too`,
  } as const;
}
