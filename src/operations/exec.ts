import pLimit from "p-limit";
import type { ClusterName, NodeName } from "../cluster/cluster.ts";
import type { ObservedNode } from "../plan/plan.ts";
import { OperationError, type Context } from "./context.ts";
import { observePresent } from "./look.ts";
import { pickNode, pickNodes } from "./pick.ts";

export type ExecInput = {
  readonly cluster: ClusterName;
  /** Node names, group names or `all`. */
  readonly nodes: readonly string[];
  readonly command: readonly [string, ...string[]];
  /** Given to every node's command. */
  readonly input?: Uint8Array | string;
  readonly output: (node: NodeName, stream: "stdout" | "stderr", chunk: Uint8Array) => void;
};
export type Executed = {
  /** `error`: the command could not be run there; `code` is then 125. */
  readonly nodes: readonly {
    readonly node: NodeName;
    readonly code: number;
    readonly error?: string;
  }[];
  /** The command's own code for one node; for many 0 when all gave 0, else 1. */
  readonly code: number;
};

/** How many nodes are worked on at a time, so that a large cluster does not choke its engine. */
export const atATime = 16;
const couldNotRun = 125;

/** Runs a command on nodes, at most 16 at a time. */
export async function exec(context: Context, input: ExecInput): Promise<Executed> {
  const observed = await observePresent(context, input.cluster);
  const nodes = pickNodes(input.cluster, observed.nodes, input.nodes);
  const [only, ...more] = nodes;
  if (only === undefined) throw new OperationError(`cluster ${input.cluster} has no nodes`, "slipway launch");
  if (more.length === 0) {
    requireRunning(only);
    const code = await runOn(context, input, only);
    return { nodes: [{ node: only.name, code }], code };
  }
  const results = await pLimit(atATime).map(nodes, async (node) => {
    try {
      requireRunning(node);
      return { node: node.name, code: await runOn(context, input, node) };
    } catch (error) {
      context.signal.throwIfAborted();
      return {
        node: node.name,
        code: couldNotRun,
        error: error instanceof Error ? error.message : String(error),
      };
    }
  });
  return { nodes: results, code: results.every((result) => result.code === 0) ? 0 : 1 };
}

async function runOn(context: Context, input: ExecInput, node: ObservedNode): Promise<number> {
  const result = await context.target.node(node.name, input.cluster).exec(input.command, {
    signal: context.signal,
    output: (stream, chunk) => input.output(node.name, stream, chunk),
    ...(input.input === undefined ? {} : { input: input.input }),
  });
  return result.code;
}

/** Throws an `OperationError` when nothing can be run on the node now. */
export function requireRunning(node: ObservedNode): void {
  if (node.state === "running") return;
  if (node.state === "missing") throw new OperationError(`${node.name} has no container`, "slipway launch");
  throw new OperationError(`${node.name} is ${node.state}, not running`, `slipway start ${node.name}`);
}

/** The words of a command that opens an interactive terminal on one running node (`slipway ssh`). */
export async function terminal(
  context: Context,
  input: {
    readonly cluster: ClusterName;
    readonly node: string;
    readonly command: readonly string[];
  },
): Promise<readonly [string, ...string[]]> {
  const observed = await observePresent(context, input.cluster);
  const node = pickNode(input.cluster, observed.nodes, input.node);
  requireRunning(node);
  return context.target.node(node.name, input.cluster).terminal(input.command);
}
