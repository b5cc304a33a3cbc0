import type { MachineDirectory, MachineFile, MachineLink, Origin } from "../machine.ts";
import { shellCommand, shellWord } from "../quote.ts";
import { shellWords } from "../unquote.ts";

/** Commands that make what a format has no words for; each may run again. Argument arrays, for the sink's own quoting. */
export type Command = readonly [string, ...string[]];

function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

export function directoryCommand({ path, mode, user, group }: MachineDirectory): Command {
  return ["/usr/bin/install", "-d", "-m", mode, "-o", user, "-g", group, "--", path];
}

export function linkCommands({ path, target }: MachineLink): readonly Command[] {
  return [
    ["/usr/bin/mkdir", "-p", "--", folderOf(path)],
    ["/usr/bin/ln", "-sfn", "--", target, path],
  ];
}

/** Fetches a file, unpacks it, judges its sum, and only then puts it where it belongs. */
export function fetchCommand(file: MachineFile): Command | undefined {
  const { contents, path, mode, user, group } = file;
  if (contents.kind !== "remote") return undefined;
  const [algorithm = "", sum = ""] = contents.hash.split("-");
  const draft = `${path}.slipway-draft`;
  const fetch = shellCommand([
    "curl",
    "-fsSL",
    "--retry",
    "5",
    "--retry-all-errors",
    "--max-time",
    "600",
    contents.url,
  ]);
  const unpack = contents.compression === "gzip" ? " | gzip -d" : "";
  const lines = [
    "set -eu -o pipefail",
    `mkdir -p -- ${shellWord(folderOf(path))}`,
    `trap ${shellWord(shellCommand(["rm", "-f", "--", draft]))} EXIT`,
    `${fetch}${unpack} >${shellWord(draft)}`,
    `test "$(${algorithm}sum <${shellWord(draft)})" = ${shellWord(`${sum}  -`)}`,
    shellCommand(["install", "-m", mode, "-o", user, "-g", group, "--", draft, path]),
  ];
  return ["/bin/bash", "-c", lines.join("; ")];
}

/** What the commands above were written for. */
export type Tree = {
  readonly directories: readonly MachineDirectory[];
  readonly links: readonly MachineLink[];
  readonly files: readonly MachineFile[];
};

/** The reverse: what commands make, in their order; `undefined` for one that is not of this file. */
export function treeOf(commands: readonly (readonly string[])[], origin: Origin): Tree | undefined {
  const directories: MachineDirectory[] = [];
  const links: MachineLink[] = [];
  const files: MachineFile[] = [];
  for (const words of commands) {
    const [program, ...rest] = words;
    if (program === "/usr/bin/install") {
      const [, , mode = "", , user = "", , group = "", , path = ""] = rest;
      directories.push({ path, mode, user, group, origin });
    } else if (program === "/usr/bin/ln") links.push({ path: rest[3] ?? "", target: rest[2] ?? "", origin });
    else if (program === "/bin/bash") {
      const file = fetched(rest[1] ?? "", origin);
      if (file === undefined) return undefined;
      files.push(file);
    } else if (program !== "/usr/bin/mkdir") return undefined;
  }
  return { directories, links, files };
}

function fetched(script: string, origin: Origin): MachineFile | undefined {
  const lines = shellLines(script);
  const [, , , fetch = "", test = "", install = ""] = lines;
  const [, mode = "", , user = "", , group = "", , , path = ""] = shellWords(install)?.slice(1) ?? [];
  const packed = / \| gzip -d >/.test(fetch);
  const url = shellWords(fetch)?.[7];
  const algorithm = /"\$\((sha\d+)sum </.exec(test)?.[1];
  const sum = /([0-9a-f]{64,128})  -'$/.exec(test)?.[1];
  if (url === undefined || algorithm === undefined || sum === undefined) return undefined;
  const contents = { kind: "remote", url, hash: `${algorithm}-${sum}`, compression: packed ? "gzip" : "none" } as const;
  return { path, contents, mode, user, group, origin };
}

/** The commands between `; `, where that does not stand in quotes. */
function shellLines(script: string): readonly string[] {
  const lines = [""];
  let quoted = false;
  for (let at = 0; at < script.length; at++) {
    if (!quoted && script[at] === "\\") {
      lines[lines.length - 1] += script.slice(at, at + 2);
      at++;
      continue;
    }
    if (script[at] === "'") quoted = !quoted;
    if (!quoted && script.startsWith("; ", at)) {
      lines.push("");
      at++;
    } else lines[lines.length - 1] += script[at] ?? "";
  }
  return lines;
}
