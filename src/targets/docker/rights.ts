import { createHash } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { textAt } from "../../host/answer.ts";
import type { Engine } from "./engine.ts";

/** What a node container may do: all, or what the engine can give piece by piece. */
export type Rights =
  | { readonly kind: "privileged" }
  | { readonly kind: "capabilities"; readonly add: readonly string[]; readonly missing: readonly string[] };

/** How long what was found out is believed, milliseconds. */
const lifetime = 24 * 3_600_000;

/**
 * What was found out of this very engine before, for a day; else asks, and remembers. Asking starts two containers, which
 * takes a quarter of a second of both cores while a cluster starts.
 */
export async function rememberedRights(
  { engine, image, cacheFolder }: { readonly engine: Engine; readonly image: string; readonly cacheFolder: string },
  ask: () => Promise<Rights>,
): Promise<Rights> {
  const info = await engine.call("tell about itself", "GET", "/info");
  const known = ["ID", "ServerVersion", "KernelVersion", "SecurityOptions", "CgroupVersion"].map((name): unknown =>
    typeof info === "object" && info !== null ? Reflect.get(info, name) : undefined,
  );
  if (textAt(info, "ID") === "") return ask();
  const key = createHash("sha256")
    .update(JSON.stringify([known, image]))
    .digest("hex");
  const note = join(cacheFolder, `rights-${key}.json`);
  const remembered = await read(note);
  if (remembered !== undefined) return remembered;
  const found = await ask();
  await mkdir(cacheFolder, { recursive: true, mode: 0o700 });
  await writeFile(note, JSON.stringify(found), { mode: 0o600 });
  return found;
}

async function read(note: string): Promise<Rights | undefined> {
  try {
    if (Date.now() - (await stat(note)).mtimeMs > lifetime) return undefined;
    const value: unknown = JSON.parse(await readFile(note, "utf8"));
    return isRights(value) ? value : undefined;
  } catch (error) {
    // Not there, or half written by a run that was killed: then it is asked for.
    if (error instanceof SyntaxError || (error instanceof Error && Reflect.get(error, "code") === "ENOENT"))
      return undefined;
    throw error;
  }
}

function isRights(value: unknown): value is Rights {
  if (typeof value !== "object" || value === null) return false;
  const kind: unknown = Reflect.get(value, "kind");
  const words = (name: string): boolean => {
    const list: unknown = Reflect.get(value, name);
    return Array.isArray(list) && list.every((word) => typeof word === "string");
  };
  return kind === "privileged" || (kind === "capabilities" && words("add") && words("missing"));
}
