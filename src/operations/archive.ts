import type { Context } from "./context.ts";
import { OperationError } from "./context.ts";

/** BSD tar on a Mac would otherwise put its own metadata files into archives. */
const environment = { COPYFILE_DISABLE: "1" };

/** What stands at a path of this machine. */
export async function localKind(context: Context, path: string): Promise<"absent" | "file" | "folder"> {
  if (await test(context, "-d", path)) return "folder";
  return (await test(context, "-e", path)) ? "file" : "absent";
}

async function test(context: Context, question: "-d" | "-e", path: string): Promise<boolean> {
  return (await context.processes.run(["test", question, path], { accept: [0, 1] })).code === 0;
}

export type Packed = {
  readonly archive: Uint8Array;
  /** What the archive's top is called: the real file's name. */
  readonly top: string;
  /** What the user calls it: a link's own name, though what it leads to is carried. */
  readonly name: string;
};

/** A tar archive of a file or folder of this machine; a link given as the path stands for what it leads to. */
export async function packLocal(context: Context, path: string): Promise<Packed> {
  const { processes } = context;
  const real = (await processes.run(["realpath", safe(path)])).stdout.replace(/\n$/, "");
  const top = lastPart(real);
  if (top === "") throw new OperationError("the whole root folder cannot be copied");
  // `.` and `..` have no name of their own.
  const name = /^\.{0,2}$/.test(lastPart(path)) ? top : lastPart(path);
  return withFolder(context, undefined, async (stage) => {
    const archive = `${stage}/archive.tar`;
    await processes.run(["tar", "-cf", archive, "-C", folderOf(real), `./${top}`], { environment });
    return { archive: await context.readFile(archive), top, name };
  });
}

/** Unpacks an archive as the file or folder `to`, or into it where it is a folder; gives back where it lies. */
export async function unpackLocal(context: Context, input: Packed & { readonly to: string }): Promise<string> {
  const { processes } = context;
  const to = safe(input.to);
  const into = (await localKind(context, to)) === "folder";
  const parent = into ? to : folderOf(to);
  if ((await localKind(context, parent)) !== "folder")
    throw new OperationError(`there is no folder ${parent} on this machine`);
  return withFolder(context, parent, async (stage) => {
    await processes.run(["tar", "-xf", "-", "--no-same-owner", "-C", stage], {
      input: input.archive,
      environment,
    });
    const staged = `${stage}/${input.top}`;
    const place = into ? `${to.replace(/\/+$/, "")}/${input.name}` : to;
    const [kind, there] = [await localKind(context, staged), await localKind(context, place)];
    if (there !== "absent" && there !== kind)
      throw new OperationError(`${place} is a ${there}, what comes is a ${kind}`);
    if (there === "folder") await processes.run(["cp", "-R", "-p", `${staged}/.`, place]);
    else await processes.run(["mv", "-f", staged, place]);
    return place;
  });
}

/** A folder for the time of the work, beside the destination (so that a move is a rename) or in the system's place for such. */
async function withFolder<Result>(
  context: Context,
  parent: string | undefined,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const { processes } = context;
  const made = await processes.run(
    parent === undefined ? ["mktemp", "-d"] : ["mktemp", "-d", `${parent}/.slipway-XXXXXXXX`],
  );
  const folder = made.stdout.trim();
  try {
    return await work(folder);
  } finally {
    await processes.run(["rm", "-rf", folder]);
  }
}

/** A path that no program can read as an option. */
const safe = (path: string): string => (path.startsWith("-") ? `./${path}` : path);
const lastPart = (path: string): string => path.replace(/\/+$/, "").split("/").at(-1) ?? "";
function folderOf(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, "");
  const at = trimmed.lastIndexOf("/");
  return at < 0 ? "." : trimmed.slice(0, at) || "/";
}
