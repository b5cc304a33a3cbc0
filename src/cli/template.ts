import { pasteable } from "../host/processes.ts";
import { problemsJson, showProblems } from "../problems/show.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Facts } from "../targets/templates.ts";
import { InvalidFileError, UsageError } from "./failure.ts";
import { readClusterFile, textOf } from "./file.ts";
import type { Toggle } from "./flags.ts";
import type { Session } from "./session.ts";

export type TemplateFlags = {
  readonly os: "flatcar" | "fedora-coreos" | "debian" | "ubuntu" | undefined;
  readonly pin: string | undefined;
  readonly facts: string | undefined;
  readonly output: string | undefined;
  readonly publish: string | undefined;
  readonly force: Toggle;
  readonly json: Toggle;
};

const zeros = "0".repeat(64);

/** The CloudFormation template of a whole cluster, printed or written. */
export async function printTemplate(session: Session, file: string, flags: TemplateFlags): Promise<void> {
  const { files } = session.world;
  const { output, pin } = flags;
  if (output !== undefined && flags.force !== true && files.exists(output))
    throw new UsageError(
      `${output} is there already`,
      pasteable(["slipway", "render", file, "--format", "cloudformation", "-o", output, "--force"]),
    );
  const { cluster, warnings, source } = await readClusterFile(session, file, {
    on: "aws",
    ...(flags.os === undefined ? {} : { os: flags.os }),
  });
  if (flags.publish !== undefined) return publish(session, cluster, flags.publish, flags);
  const { templates } = await import("../targets/templates.ts");
  const { compile, pretty } = await templates();
  const facts = await factsFor(session, flags.facts);
  const read = compile(cluster, facts, {
    runtime: { agent: zeros, node: { x86_64: zeros, aarch64: zeros } },
    ...(pin === undefined ? {} : { pin }),
  });
  if (read.kind === "bad") throw new InvalidFileError(read.problems, source);
  const { graph, size, byAddress } = read.value;
  const text = pretty(graph);
  if (output !== undefined) await files.write(output, text, flags.force === true);
  const all = [...warnings, ...read.warnings];
  if (flags.json) {
    session.document({
      ...(output === undefined ? { text } : { file: output }),
      size,
      byAddress,
      resources: graph.resources.map(({ id, type, layer, origin }) => ({ id, type, layer, origin })),
      problems: problemsJson(all, source),
    });
    return;
  }
  if (all.length > 0) session.note(showProblems(all, source, { color: session.err.colour }).trimEnd());
  if (output === undefined) session.print(text);
  session.note("note: the sums of the programs are placeholders");
  if (flags.facts === undefined)
    session.note(
      "note: nothing was asked of AWS: zones are taken in its order, and images that the file does not name are parameters",
    );
  session.note(
    `${graph.resources.length} resources, ${size} bytes without white space${byAddress ? ": more than CloudFormation takes at once, it goes by an address in S3" : ""}`,
  );
}

/** With what AWS says, unless a file says it: whoever launches it is not asked again. */
async function publish(session: Session, cluster: Cluster, to: string, flags: TemplateFlags): Promise<void> {
  const { context } = await session.working("aws");
  const publishing = await session.world.operations.publishTemplate();
  const facts = flags.facts === undefined ? {} : { facts: await factsFor(session, flags.facts) };
  const { url, next } = await publishing(context, { cluster, to, ...facts });
  session.close();
  // With --json it is an event.
  if (flags.json) return;
  session.print(url);
  session.note(`next: ${next}`);
}

/** What AWS has said, from a file; nothing without one. */
export async function factsFor(session: Session, file: string | undefined): Promise<Facts> {
  const { readFacts, noFacts } = await (await import("../targets/templates.ts")).templates();
  if (file === undefined) return noFacts;
  const text = new TextDecoder().decode(await textOf(session, file));
  try {
    return readFacts(text);
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
