import type { MachineDirectory, MachineFile, MachineLink } from "../machine.ts";
import { shellCommand, shellWord } from "../quote.ts";

/** Commands that make what a format has no words for; each may run again. Argument arrays, for the sink's own quoting. */
export type Command = readonly [string, ...string[]];

export function directoryCommand({ path, mode, user, group }: MachineDirectory): Command {
  return ["/usr/bin/install", "-d", "-m", mode, "-o", user, "-g", group, "--", path];
}

export function linkCommands({ path, target }: MachineLink): readonly Command[] {
  const folder = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  return [
    ["/usr/bin/mkdir", "-p", "--", folder],
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
  const folder = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  const lines = [
    "set -eu -o pipefail",
    `mkdir -p -- ${shellWord(folder)}`,
    `trap ${shellWord(shellCommand(["rm", "-f", "--", draft]))} EXIT`,
    `${fetch}${unpack} >${shellWord(draft)}`,
    `test "$(${algorithm}sum <${shellWord(draft)})" = ${shellWord(`${sum}  -`)}`,
    shellCommand(["install", "-m", mode, "-o", user, "-g", group, "--", draft, path]),
  ];
  return ["/bin/bash", "-c", lines.join("; ")];
}
