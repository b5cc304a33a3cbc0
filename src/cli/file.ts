import { dirname, resolve } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { readCluster } from "../cluster/read.ts";
import type { ResolveOptions } from "../cluster/resolve.ts";
import { isOpConf } from "../convert/source.ts";
import type { Context } from "../operations/context.ts";
import type { Problem } from "../problems/problem.ts";
import { showProblems } from "../problems/show.ts";
import { pathPosition, type Source } from "../problems/source.ts";
import { pasteable } from "../host/processes.ts";
import { InvalidFileError, UsageError } from "./failure.ts";
import type { Session } from "./session.ts";

export type ClusterFile = {
  readonly cluster: Cluster;
  readonly warnings: readonly Problem[];
  readonly source: Source;
};

/** The cluster that a file describes, with the command line's words over it; an `InvalidFileError` shows all that is wrong. */
export async function readClusterFile(
  session: Session,
  file: string,
  options: ResolveOptions = {},
): Promise<ClusterFile> {
  const { on, name } = session.flags;
  const { text, from } = await clusterText(session, file);
  const read = readCluster(text, from, {
    ...(on === undefined ? {} : { on }),
    ...(name === undefined ? {} : { name }),
    ...options,
  });
  if (read.kind === "bad") throw new InvalidFileError(read.problems, read.source);
  return { cluster: read.value, warnings: read.warnings, source: read.source };
}

/** The same for verbs that go on with it: warnings are shown. */
export async function shownClusterFile(session: Session, file: string): Promise<ClusterFile> {
  const read = await readClusterFile(session, file);
  if (read.warnings.length > 0)
    session.note(showProblems(read.warnings, read.source, { color: session.err.colour }).trimEnd());
  return read;
}

/** The same context, whose files are those beside the cluster's file: secrets are named from there. */
export function besideFile(session: Session, context: Context, file: string, source?: Source): Context {
  const beside = {
    ...context,
    readFile: (path: string) => session.world.files.read(resolve(dirname(file), path)),
  };
  if (source === undefined) return beside;
  return {
    ...beside,
    place: (path) => {
      const { line, column } = pathPosition(source, path, true);
      return `${source.file}:${line}:${column}`;
    },
  };
}

/** The file's text; a conf file of op.py is converted first, and what became of it is noted. */
async function clusterText(
  session: Session,
  file: string,
): Promise<{ readonly text: Uint8Array | string; readonly from: string }> {
  const content = await textOf(session, file);
  if (!isOpConf(new TextDecoder().decode(content))) return { text: content, from: file };
  const { conversionOf } = await import("./conversion.ts");
  const again = pasteable([session.world.program, ...session.world.words]);
  const { yaml, rows } = await conversionOf(session, [{ file, content }], again);
  const { outcomeCounts, outcomeTable } = await import("./views/outcome.ts");
  const lost = rows.filter(({ verdict }) => verdict !== "kept");
  session.note(
    `${file} is a conf file of op.py, converted here: ${outcomeCounts(rows)}\n${outcomeTable(lost, session.err)}\nto keep the cluster.yml: slipway convert ${file} --name ${session.flags.name ?? "NAME"} -o cluster.yml\n`,
  );
  return { text: yaml, from: `${file} (converted)` };
}

/** A file's bytes; a `UsageError` when there is none. */
export async function textOf(session: Session, file: string): Promise<Uint8Array> {
  try {
    return await session.world.files.read(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") throw new UsageError(`there is no file ${file}`, "slipway init");
    if (code === "EISDIR") throw new UsageError(`${file} is a folder, not a file`);
    throw error;
  }
}
