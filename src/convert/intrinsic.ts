import type { Cursor } from "./cursor.ts";
import { linesOfPieces, type Lines, type Origin } from "./lines.ts";

type Piece = { readonly text: string; readonly at: Origin };

/** The value of a template's parameter or of what AWS itself knows; `undefined` when it is given only at launch. */
export type Lookup = (name: string) => string | undefined;

/** The short forms of YAML templates; a single `!` only says that a value is text. */
export function templateTag(tag: string): string | undefined {
  if (tag === "!") return "";
  const name = /^!(\w+)$/.exec(tag)?.[1];
  if (name === undefined) return undefined;
  return name === "Ref" || name === "Condition" ? name : `Fn::${name}`;
}

/** A value with its functions worked out, as far as it can be; what is not known stays as `${Name}`. */
export function textOf(value: Cursor | undefined, lookup: Lookup): string {
  return value === undefined
    ? ""
    : piecesOf(value, lookup)
        .map(({ text }) => text)
        .join("");
}

/** The same for long texts: each line knows where in the template it stands. */
export function linesIn(value: Cursor, file: string, lookup: Lookup): Lines {
  return linesOfPieces(file, piecesOf(value, lookup));
}

function piecesOf(value: Cursor, lookup: Lookup): readonly Piece[] {
  const at = value.origin;
  if (value.text !== undefined) return [{ text: value.text, at }];
  const [one, ...others] = value.isMap ? value.entries() : [];
  if (one === undefined || others.length > 0) return [];
  switch (one.key) {
    case "Ref":
      return [{ text: known(one.text ?? "", lookup), at }];
    case "Fn::Base64":
      return piecesOf(one, lookup);
    case "Fn::Join":
      return joined(one, lookup);
    case "Fn::Sub":
      return [{ text: substituted(one, lookup), at }];
    case "Fn::GetAtt":
    case "Fn::FindInMap":
    case "Fn::Select":
    case "Fn::ImportValue":
      return [
        {
          text: `\${${
            one.isList
              ? one
                  .list()
                  .map((item) => textOf(item, lookup))
                  .join(".")
              : (one.text ?? one.key)
          }}`,
          at,
        },
      ];
    default:
      return [];
  }
}

function known(name: string, lookup: Lookup): string {
  return lookup(name) ?? `\${${name}}`;
}

function joined(value: Cursor, lookup: Lookup): readonly Piece[] {
  const [separator, list] = value.isList ? value.list() : [];
  if (separator === undefined || list === undefined || !list.isList) return [];
  const between = textOf(separator, lookup);
  return list
    .list()
    .flatMap((item, index) => [
      ...(index === 0 || between === "" ? [] : [{ text: between, at: item.origin }]),
      ...piecesOf(item, lookup),
    ]);
}

function substituted(value: Cursor, lookup: Lookup): string {
  const [template, own] = value.isList ? value.list() : [value];
  return (template?.text ?? "").replace(/\$\{(!?)([\w:.]+)\}/g, (_, literal: string, name: string) => {
    if (literal !== "") return `\${${name}}`;
    const given = own?.get(name);
    return given === undefined ? known(name, lookup) : textOf(given, lookup);
  });
}
