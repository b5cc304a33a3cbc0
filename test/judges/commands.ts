import { parse } from "yaml";
import type { MachineUnit } from "../../src/machine/machine.ts";

const execLine = /^Exec(?:Start|StartPre|StartPost|Condition|Reload|Stop|StopPost)=[-@:+!]*(.*)$/gm;
const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", s: " " };

/** The words of a command line as systemd splits it, with `$$` and `%%` for one of each (systemd.service(5)). */
function wordsOf(line: string): readonly string[] {
  const word = /(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g;
  return (line.match(word) ?? []).map((written) =>
    written
      .replaceAll(
        /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/g,
        (_all, double?: string, single?: string) => double ?? single ?? "",
      )
      .replaceAll(/\\x([0-9a-f]{2})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replaceAll(/\\(.)/g, (_all, character: string) => escapes[character] ?? character)
      .replaceAll("$$", () => "$")
      .replaceAll("%%", "%"),
  );
}

/** The commands of a unit and its drop-ins, each as its words. */
export function commandsOf({ content = "", dropIns }: MachineUnit): readonly (readonly string[])[] {
  return [content, ...dropIns.map((dropIn) => dropIn.content)].flatMap((text) =>
    [...text.replaceAll("\\\n", " ").matchAll(execLine)].map(([, line = ""]) => wordsOf(line)),
  );
}

/** The unit that does what CoreOS cloud-config has no words for. */
export function treeUnitIn(text: string): MachineUnit | undefined {
  const document: { readonly coreos?: { readonly units?: readonly { name: string; content?: string }[] } } =
    parse(text);
  const unit = document.coreos?.units?.find(({ name }) => name === "slipway-tree.service");
  if (unit?.content === undefined) return undefined;
  const origin = { kind: "component", component: "formats" } as const;
  return { name: unit.name, content: unit.content, dropIns: [], state: "on", origin };
}

/** The commands that cloud-init runs itself. */
export function cloudInitCommands(text: string): readonly (readonly string[])[] {
  const document: { readonly bootcmd?: readonly string[][]; readonly runcmd?: readonly string[][] } = parse(text);
  return [...(document.bootcmd ?? []), ...(document.runcmd ?? [])];
}
