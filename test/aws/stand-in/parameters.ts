/** Parameters of AWS's query protocols as a tree: `Filter.1.Value.2` is a way in it. */
export type Parameters = { readonly [key: string]: string | Parameters };

export function parseParameters(form: string): Parameters {
  const root: { [key: string]: string | Parameters } = {};
  for (const [name, value] of new URLSearchParams(form)) {
    const way = name.split(".");
    let here: { [key: string]: string | Parameters } = root;
    for (const step of way.slice(0, -1)) {
      const there = here[step];
      if (typeof there === "object") here = there;
      else {
        const made: { [key: string]: string | Parameters } = {};
        here[step] = made;
        here = made;
      }
    }
    const last = way.at(-1) ?? "";
    // An empty list is sent as its name alone.
    if (!(value === "" && typeof here[last] === "object")) here[last] = value;
  }
  return root;
}

/** The text of a parameter, empty where there is none. */
export function said(parameters: Parameters | undefined, ...way: readonly string[]): string {
  let here: string | Parameters | undefined = parameters;
  for (const step of way) here = typeof here === "object" ? here[step] : undefined;
  return typeof here === "string" ? here : "";
}

/** A list's elements in their order, in EC2's way (`Name.1`) or that of the others (`Name.member.1`). */
export function listed(parameters: Parameters | undefined, name: string): readonly (string | Parameters)[] {
  const there = parameters?.[name];
  if (typeof there !== "object") return [];
  const members = typeof there["member"] === "object" ? there["member"] : there;
  return Object.entries(members)
    .filter(([key]) => /^\d+$/.test(key))
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, value]) => value);
}

export function texts(parameters: Parameters | undefined, name: string): readonly string[] {
  return listed(parameters, name).filter((one) => typeof one === "string");
}

export function parts(parameters: Parameters | undefined, name: string): readonly Parameters[] {
  return listed(parameters, name).filter((one) => typeof one === "object");
}

export type Given = string | number | boolean | undefined | readonly Given[] | { readonly [key: string]: Given };

/** The other way round: a value as parameters; `member` is what stands before the numbers of lists. */
export function flattened(given: { readonly [key: string]: Given }, member: "" | "member." = ""): [string, string][] {
  const flat: [string, string][] = [];
  const add = (name: string, value: Given): void => {
    if (value === undefined) return;
    if (isList(value)) value.forEach((one, index) => add(`${name}.${member}${index + 1}`, one));
    else if (typeof value === "object") for (const [key, one] of Object.entries(value)) add(`${name}.${key}`, one);
    else flat.push([name, String(value)]);
  };
  for (const [key, value] of Object.entries(given)) add(key, value);
  return flat;
}

function isList(given: Given): given is readonly Given[] {
  return Array.isArray(given);
}

/** Parameters as they are sent. */
export function printed(parameters: Parameters): string {
  const form = new URLSearchParams();
  const add = (name: string, value: string | Parameters): void => {
    if (typeof value === "string") form.append(name, value);
    else for (const [key, one] of Object.entries(value)) add(`${name}.${key}`, one);
  };
  for (const [key, value] of Object.entries(parameters)) add(key, value);
  return form.toString();
}
