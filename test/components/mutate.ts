import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";
import type { joinNext } from "../../src/components/etcd/join.ts";
import type { tendNext } from "../../src/components/etcd/tend.ts";
import type { formNext } from "../../src/components/swarm/form.ts";
import type { turned } from "../../src/components/swarm/turn.ts";

export type Decisions = {
  readonly joinNext: typeof joinNext;
  readonly tendNext: typeof tendNext;
  readonly formNext: typeof formNext;
  readonly turned: typeof turned;
};

/** One change to a source file: `find` must stand in it exactly once (white space aside). */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

const root = new URL("../../", import.meta.url).pathname;

/** A pattern for the text with any white space between its characters. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, "")
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replaceAll(/\\?./gs, "$&\\s*");
}

/** The decision functions as they would be with these edits. */
export async function mutated(edits: readonly Edit[]): Promise<Decisions> {
  return mutatedModule<Decisions>(
    edits,
    "src/components",
    `export { joinNext } from "./etcd/join.ts"; export { tendNext } from "./etcd/tend.ts"; export { formNext } from "./swarm/form.ts"; export { turned } from "./swarm/turn.ts";`,
  );
}

/** Modules of a folder as they would be with these edits; the files themselves stay as they are. */
export async function mutatedModule<Module>(edits: readonly Edit[], folder: string, contents: string): Promise<Module> {
  const pending = new Map<string, readonly Edit[]>();
  for (const edit of edits) pending.set(root + edit.file, [...(pending.get(root + edit.file) ?? []), edit]);
  const used = new Set<string>();
  const result = await build({
    stdin: {
      contents,
      resolveDir: root + folder,
      loader: "ts",
    },
    bundle: true,
    write: false,
    format: "esm",
    // Not Node's own builds of libraries: those ask for `require`, which a module from a data: address has not.
    platform: "neutral",
    external: ["node:*"],
    logLevel: "error",
    plugins: [
      {
        name: "mutate",
        setup(bundler) {
          bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
            // Printed anew first, so that the formatter's line breaks and commas are no part of an edit.
            const printed = await transform(await readFile(path, "utf8"), { loader: "ts" });
            let edited = printed.code.replaceAll("void 0", "undefined");
            for (const { find, replace } of pending.get(path) ?? []) {
              const pattern = new RegExp(escaped(find), "g");
              if (edited.match(pattern)?.length !== 1) throw new Error(`not exactly once in ${path}: ${find}`);
              edited = edited.replace(pattern, () => replace);
              used.add(path);
            }
            return { contents: edited, loader: "js" };
          });
        },
      },
    ],
  });
  if (used.size !== pending.size) throw new Error("an edit names a file that is not loaded");
  const code = result.outputFiles[0]?.text ?? "";
  // The bundle is made from the very modules whose types it is given.
  return (await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`)) as Module;
}
