import { createHash } from "node:crypto";
import { type Architecture, type EtcdRelease, etcdRelease } from "../../../components/etcd/release.ts";
import type { Disk } from "./disk.ts";
import { mmdebstrapCommand } from "./mmdebstrap.ts";

type RecipeFile = { readonly path: string; readonly content: Uint8Array };

/** Everything that decides what is in a node image; two equal recipes have one tag. */
export type Recipe = {
  readonly architecture: Architecture;
  /** The files of `image/`, sorted by path. */
  readonly files: readonly RecipeFile[];
  /** Debian packages by name, from `packages.txt`. */
  readonly packages: readonly string[];
  readonly debian: { readonly suite: string; readonly image: string };
  readonly etcd: EtcdRelease;
};

/**
 * The Debian that nodes are made of. The digest is the manifest list's of mid-2026, so it holds for every
 * architecture; security updates since come with the packages on top.
 */
const debian = {
  suite: "bookworm",
  image: "debian@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716",
};

/** What only one of the two ways to a Debian base reads; a change there leaves the other layers alone. */
const baseFiles = ["packages.txt", "debian.Dockerfile"];

/** The lines of a list file that are neither comments nor empty. */
export function listLines(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Reads the recipe from the directory `image/` of the package; throws when that is not one. */
export async function readRecipe(disk: Disk, directory: string, architecture: Architecture): Promise<Recipe> {
  const files: RecipeFile[] = [];
  for (const path of await disk.list(directory)) {
    const content = await disk.read(`${directory}/${path}`);
    if (content !== undefined) files.push({ path, content });
  }
  const list = files.find((file) => file.path === "packages.txt");
  if (list === undefined) throw new Error(`${directory} is no image recipe: it has no packages.txt`);
  const packages = listLines(new TextDecoder().decode(list.content));
  return { architecture, files, packages, debian, etcd: etcdRelease };
}

/** SHA-256 over parts that cannot run into each other, in hexadecimal. */
export function digest(parts: readonly Part[]): string {
  const hash = createHash("sha256");
  for (const [name, content] of parts) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    hash.update(`${Buffer.byteLength(name)} ${name} ${bytes.length} `).update(bytes);
  }
  return hash.digest("hex");
}

const tagLength = 12;

type Part = readonly [name: string, content: Uint8Array | string];

function baseParts(recipe: Recipe): readonly Part[] {
  return [
    ["architecture", recipe.architecture],
    ["debian", `${recipe.debian.suite} ${recipe.debian.image}`],
    // Sources and proxies are a machine's own; the other words decide what is in the image.
    ["mmdebstrap", JSON.stringify(mmdebstrapCommand(recipe, [], []))],
  ];
}

const fileParts = (recipe: Recipe, chosen: (path: string) => boolean): readonly Part[] =>
  recipe.files.filter((file) => chosen(file.path)).map((file) => [`file ${file.path}`, file.content]);

/** The node image's name: `slipway/node:` and the first 12 digits of the recipe's hash. */
export function nodeImageTag(recipe: Recipe): string {
  const hash = digest([...baseParts(recipe), ["etcd", JSON.stringify(recipe.etcd)], ...fileParts(recipe, () => true)]);
  return `slipway/node:${hash.slice(0, tagLength)}`;
}

/** The name of the image below: Debian with the packages, without etcd and settings. */
export function baseImageTag(recipe: Recipe): string {
  const hash = digest([...baseParts(recipe), ...fileParts(recipe, (path) => baseFiles.includes(path))]);
  return `slipway/node-base:${hash.slice(0, tagLength)}`;
}

/** The recipe's file as text; throws when it has none of that name. */
export function recipeText(recipe: Recipe, path: string): string {
  const file = recipe.files.find((candidate) => candidate.path === path);
  if (file === undefined) throw new Error(`the image recipe has no ${path}`);
  return new TextDecoder().decode(file.content);
}
