import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { convert, type Conversion } from "../../src/convert/convert.ts";

const folder = join(import.meta.dirname, "inputs");

/** The folders of old files; each has the words of its command, as `slipway convert` is given them. */
export const inputNames = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** Where a golden text of a folder stands. */
export function expectedPath(name: string, file: "cluster.yml" | "table.txt"): string {
  return join(folder, name, "expected", file);
}

/** What the files of a folder become. */
export async function converted(name: string): Promise<Conversion> {
  const words = readFileSync(join(folder, name, "command"), "utf8")
    .trim()
    .split(" ");
  const flag = words.indexOf("--name");
  const files = flag === -1 ? words : words.slice(0, flag);
  const text = (path: string): string => readFileSync(join(folder, name, path), "utf8");
  return convert(
    files.map((file) => ({ file, content: text(file) })),
    {
      ...(flag === -1 ? {} : { name: words[flag + 1] ?? "" }),
      read: async (path) => (existsSync(join(folder, name, path)) ? text(path) : undefined),
    },
  );
}
