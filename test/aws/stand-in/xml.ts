/** An element of AWS's answers: these have children or text, never both. */
export type Element = {
  readonly name: string;
  readonly attributes: string;
  readonly children: Element[];
  text: string;
};

/** Reads an answer in XML, as far as AWS and moto write it: no comments, no CDATA. */
export function parseXml(text: string): Element {
  const root: Element = { name: "", attributes: "", children: [], text: "" };
  const open: Element[] = [root];
  for (const [, slash, name, attributes = "", self, words] of text.matchAll(
    /<(\/?)([\w:.-]+)([^>]*?)(\/?)>|([^<]+)|<[?!][^>]*>/g,
  )) {
    const last = open.at(-1) ?? root;
    if (words !== undefined) {
      if (last.children.length === 0) last.text += unescaped(words);
      continue;
    }
    if (name === undefined) continue;
    if (slash === "/") {
      if (last.children.length > 0) last.text = "";
      open.pop();
      continue;
    }
    const element: Element = { name, attributes, children: [], text: "" };
    last.children.push(element);
    if (self !== "/") open.push(element);
  }
  return root.children[0] ?? root;
}

export function printXml({ name, attributes, children, text }: Element): string {
  const inner = children.length > 0 ? children.map(printXml).join("") : escaped(text);
  return `<${name}${attributes}>${inner}</${name}>`;
}

/** The first element on a way of names. */
export function at(element: Element | undefined, ...way: readonly string[]): Element | undefined {
  let here = element;
  for (const name of way) here = here?.children.find((child) => child.name === name);
  return here;
}

/** The text at the end of a way of names; empty where there is none. */
export function textAt(element: Element | undefined, ...way: readonly string[]): string {
  return at(element, ...way)?.text.trim() ?? "";
}

/** The elements of a list at the end of a way. */
export function listAt(element: Element | undefined, ...way: readonly string[]): readonly Element[] {
  return at(element, ...way)?.children ?? [];
}

/** Makes the text at a way what it is to be, with all elements on it. */
export function setText(element: Element, way: readonly string[], text: string): void {
  let here = element;
  for (const name of way) {
    let child = here.children.find((one) => one.name === name);
    if (child === undefined) {
      child = { name, attributes: "", children: [], text: "" };
      here.children.push(child);
    }
    here = child;
  }
  here.children.length = 0;
  here.text = text;
}

/** What our own answers are written from; `undefined` is left out. */
export type Shape = string | number | boolean | undefined | readonly Shape[] | { readonly [key: string]: Shape };

/** `items` is what the protocol calls an element of a list: `item` in EC2's, `member` in that of the others. */
export function shapeXml(name: string, shape: Shape, items: "item" | "member"): string {
  const write = (element: string, value: Shape): string => {
    if (value === undefined) return "";
    if (typeof value !== "object") return `<${element}>${escaped(String(value))}</${element}>`;
    const inner = isList(value)
      ? value.map((one) => write(items, one))
      : Object.entries(value).map(([key, one]) => write(key, one));
    return `<${element}>${inner.join("")}</${element}>`;
  };
  return write(name, shape);
}

function isList(shape: Shape): shape is readonly Shape[] {
  return Array.isArray(shape);
}

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" } as const;

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => entities[sign as keyof typeof entities]);
}

function unescaped(text: string): string {
  return text
    .replaceAll(/&#(x?)([0-9a-fA-F]+);/g, (_, hex: string, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, hex === "x" ? 16 : 10)),
    )
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}
