import { positionOf } from "../problems/source.ts";
import { parse } from "../spec/parse.ts";
import { limits } from "../spec/limits.ts";
import type { OldUnit } from "./cloud-config.ts";
import type { Faults } from "./faults.ts";
import { linesOf, type Lines } from "./lines.ts";
import { kindNames, kindOf, type Kind } from "./source.ts";

/** A file that was given, with its name in messages. */
export type Input = { readonly file: string; readonly content: Uint8Array | string };

export type Inputs = Readonly<Record<Kind, readonly Lines[]>>;

const reads =
  "a conf file of op.py, a cloud-config, a heat template with its parameters and lists of units, a unit, envs.sh and modules of aws-terraform, or a CloudFormation template";

/** The files by what they are; one that is none of these is a problem. */
export function sorted(inputs: readonly Input[], faults: Faults): Inputs {
  const found: { -readonly [Key in Kind]: Lines[] } = {
    "op-conf": [],
    "cloud-config": [],
    heat: [],
    params: [],
    "units-list": [],
    unit: [],
    envs: [],
    terraform: [],
    cloudformation: [],
  };
  for (const input of inputs) {
    const lines = linesOfInput(input, faults);
    if (lines === undefined) continue;
    const kind = kindOf(lines.file, lines.text) ?? otherParams(lines, inputs);
    if (kind !== undefined) found[kind].push(lines);
    else
      faults.add(lines, 1, 1, lines.text.split("\n", 1)[0]?.length ?? 0, {
        code: "unsupported",
        message: /^groups\s*:/m.test(lines.text)
          ? "this is a cluster.yml already"
          : "this is none of the files that convert reads",
        fix: reads,
      });
  }
  return found;
}

/** Beside a heat template, a flat file of names and values holds its parameters, whatever it is called. */
function otherParams({ text }: Lines, inputs: readonly Input[]): Kind | undefined {
  const flat = text.split("\n").every((line) => /^(?:\s*(?:#.*)?|---|[\w-]+\s*:.*)$/.test(line));
  const heat = inputs.some(({ file, content }) =>
    typeof content !== "string"
      ? kindOf(file, new TextDecoder().decode(content)) === "heat"
      : kindOf(file, content) === "heat",
  );
  return flat && heat ? "params" : undefined;
}

/** A file's text; what is too large or no text is a problem. */
export function linesOfInput({ file, content }: Input, faults: Faults): Lines | undefined {
  const text = decoded(content);
  if (text !== undefined) return linesOf(file, text);
  const parsed = parse(content, file);
  const lines = linesOf(file, parsed.source.lines.join("\n"));
  if (parsed.kind === "good") return lines;
  for (const problem of parsed.problems) {
    const { line, column, length } = positionOf(parsed.source, problem);
    faults.add(lines, line, column, length, {
      code: problem.code,
      message: problem.message,
      fix: problem.fix ?? "save it as UTF-8",
    });
  }
  return undefined;
}

function decoded(content: Uint8Array | string): string | undefined {
  if (content.length > limits.bytes) return undefined;
  try {
    const text = typeof content === "string" ? content : new TextDecoder("utf-8", { fatal: true }).decode(content);
    return text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Two files that each describe a whole cluster are a problem. */
export function oneCluster(inputs: Inputs, faults: Faults): void {
  const [first, ...others] = [
    ...inputs["op-conf"].map((lines) => ({ lines, kind: "op-conf" as const })),
    ...inputs.cloudformation.map((lines) => ({ lines, kind: "cloudformation" as const })),
    ...inputs.heat.slice(0, 1).map((lines) => ({ lines, kind: "heat" as const })),
    ...inputs.envs.slice(0, 1).map((lines) => ({ lines, kind: "envs" as const })),
  ];
  for (const { lines, kind } of others)
    faults.add(lines, 1, 1, lines.text.split("\n", 1)[0]?.length ?? 0, {
      code: "invalid-value",
      message: `${kindNames[kind]} beside ${first === undefined ? "another" : `${kindNames[first.kind]}, ${first.lines.file}`}`,
      fix: "convert one cluster at a time",
    });
}

/** A unit file as a unit that is started. */
export function unitOf(lines: Lines): OldUnit {
  const name = lines.file.split(/[\\/]/).at(-1) ?? lines.file;
  return { name, at: `${lines.file}:1`, content: lines.text, dropIns: [], wanted: true, masked: false };
}
