import type { Conversion } from "../convert/convert.ts";
import type { Input } from "../convert/inputs.ts";
import { clusterName } from "../spec/cluster.ts";
import { InvalidFileError, UsageError } from "./failure.ts";
import type { Session } from "./session.ts";

type Good = Extract<Conversion, { readonly kind: "good" }>;

/**
 * What old files become, under the name that `--name` gives; a `UsageError` says to give one, an `InvalidFileError`
 * shows all that is wrong with them.
 */
export async function conversionOf(session: Session, inputs: readonly Input[], again: string): Promise<Good> {
  const { name } = session.flags;
  const complaint = name === undefined ? undefined : clusterName(name);
  if (complaint !== undefined) throw new UsageError(`--name: ${complaint.message}`, complaint.fix);
  const { convert } = await import("../convert/convert.ts");
  const conversion = await convert(inputs, {
    ...(name === undefined ? {} : { name }),
    read: (path) => textOf(session, path),
  });
  if (conversion.kind === "good") return conversion;
  if (conversion.kind === "nameless")
    throw new UsageError(`${conversion.file} does not say what the cluster is called`, `${again} --name NAME`);
  const [first, ...others] = conversion.faults;
  if (first === undefined) throw new Error("nothing is wrong, and nothing was converted");
  throw new InvalidFileError(first.problems, first.source, others);
}

async function textOf(session: Session, path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await session.world.files.read(path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
