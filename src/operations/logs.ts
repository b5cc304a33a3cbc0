import pLimit from "p-limit";
import type { ClusterName } from "../cluster/cluster.ts";
import { isoTime, parseMoment } from "../host/time.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { nearest } from "../problems/nearest.ts";
import { OperationError, type Context } from "./context.ts";
import { deriveStatus } from "./derive.ts";
import { atATime } from "./exec.ts";
import { look, observePresent } from "./look.ts";
import { pickNodes } from "./pick.ts";

export type LogsInput = {
  readonly cluster: ClusterName;
  /** Nodes by name, group or `all`; or one service. */
  readonly of:
    | { readonly kind: "nodes"; readonly nodes: readonly string[] }
    | { readonly kind: "service"; readonly name: string };
  readonly unit?: string;
  readonly lines: number;
  /** `10m`, `2h`, `3d`, or a time in ISO 8601. */
  readonly since?: string;
  /** Goes on until the context's signal is aborted. */
  readonly follow: boolean;
  readonly output: (source: string, stream: "stdout" | "stderr", chunk: Uint8Array) => void;
};
export type LogSource = {
  readonly name: string;
  /** `console`: the node could not be asked, so what its container printed is shown. */
  readonly from: "journal" | "console" | "service";
  /** Why it is the console. */
  readonly note?: string;
  /** What the journal's program ended with; not 0: it refused, and said why on stderr. */
  readonly code: number;
};
export type Logs = { readonly sources: readonly LogSource[] };

/** Journals of nodes, or a service's output. */
export async function logs(context: Context, input: LogsInput): Promise<Logs> {
  const observed = await observePresent(context, input.cluster);
  const since = input.since === undefined ? undefined : sinceMoment(input.since, context.clock.now());
  if (input.of.kind === "service") return { sources: [await serviceLogs(context, input, input.of.name, since)] };
  const nodes = pickNodes(input.cluster, observed.nodes, input.of.nodes);
  // Followers never end, so a limit would silence all those that wait for their turn.
  const limit = pLimit(input.follow ? Math.max(1, nodes.length) : atATime);
  return { sources: await limit.map(nodes, (node) => nodeLogs(context, input, node, since)) };
}

function sinceMoment(text: string, now: number): number {
  const moment = parseMoment(text, now);
  if (moment === undefined) {
    throw new OperationError(`"${text}" is not a time; write 10m, 2h, 3d or a time like 2026-01-31T12:00:00Z`);
  }
  return moment;
}

async function nodeLogs(
  context: Context,
  input: LogsInput,
  node: ObservedNode,
  since: number | undefined,
): Promise<LogSource> {
  if (node.state !== "running") return consoleLogs(context, input, node, `${node.name} is ${node.state}`);
  try {
    const { code } = await context.target.node(node.name, input.cluster).exec(journalCommand(input, since), {
      signal: context.signal,
      output: (stream, chunk) => input.output(node.name, stream, chunk),
    });
    return { name: node.name, from: "journal", code };
  } catch (error) {
    // An aborted follow has shown what it was asked for.
    if (context.signal.aborted) return { name: node.name, from: "journal", code: 0 };
    return consoleLogs(context, input, node, error instanceof Error ? error.message : String(error));
  }
}

/** One word per option, with `=`, so that no value can be read as another option. */
function journalCommand(input: LogsInput, since: number | undefined): readonly [string, ...string[]] {
  return [
    "journalctl",
    "--no-pager",
    "--quiet",
    "--output=short-iso",
    `--lines=${input.lines}`,
    ...(input.unit === undefined ? [] : [`--unit=${input.unit}`]),
    ...(since === undefined ? [] : [`--since=@${Math.floor(since / 1000)}`]),
    ...(input.follow ? ["--follow"] : []),
  ];
}

async function consoleLogs(context: Context, input: LogsInput, node: ObservedNode, note: string): Promise<LogSource> {
  if (node.state === "missing")
    throw new OperationError(`${node.name} has no container, so it has no log`, "slipway launch");
  const text = await context.target.node(node.name, input.cluster).console(input.lines);
  input.output(node.name, "stdout", new TextEncoder().encode(text));
  return { name: node.name, from: "console", note, code: 0 };
}

/** Swarm keeps the tasks' output; any ready control node can ask for all of it. */
async function serviceLogs(
  context: Context,
  input: LogsInput,
  name: string,
  since: number | undefined,
): Promise<LogSource> {
  if (input.unit !== undefined) throw new OperationError(`a service has no units; leave out --unit, or name a node`);
  const seen = await look(context, input.cluster);
  const status = deriveStatus(seen, context.target);
  const names = status.services.map((service) => service.name);
  if (seen.recorded.kind === "read" && !names.includes(name)) {
    const near = nearest(name, names);
    const hint =
      names.length === 0 ? "it has none" : near === undefined ? `it has ${names.join(", ")}` : `did you mean ${near}?`;
    throw new OperationError(
      `cluster ${input.cluster} has no service "${name}"; ${hint}`,
      `slipway status ${input.cluster}`,
    );
  }
  const control = status.nodes
    .filter((node) => node.role === "control" && node.state !== "stopped" && node.state !== "absent")
    .toSorted((a, b) => Number(b.state === "ready") - Number(a.state === "ready"))[0];
  if (control === undefined)
    throw new OperationError(`no control node of ${input.cluster} runs`, `slipway start ${input.cluster}`);
  const { code } = await context.target
    .node(control.name, input.cluster)
    .exec(
      [
        "docker",
        "service",
        "logs",
        "--timestamps",
        `--tail=${input.lines}`,
        ...(since === undefined ? [] : [`--since=${isoTime(since)}`]),
        ...(input.follow ? ["--follow"] : []),
        "--",
        name,
      ],
      { signal: context.signal, output: (stream, chunk) => input.output(name, stream, chunk) },
    );
  return { name, from: "service", code };
}
