import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster, ClusterName } from "../../../src/cluster/cluster.ts";
import { emitter, type Event } from "../../../src/events/event.ts";
import { seededRandom } from "../../../src/host/virtual.ts";
import type { Context } from "../../../src/operations/context.ts";
import type { Program } from "../../../src/targets/aws/bucket/programs.ts";
import { awsTarget } from "../../../src/targets/aws/target.ts";
import type { Target } from "../../../src/targets/target.ts";
import { awsCluster } from "../scenarios.ts";
import type { Client, StandIn } from "../stand-in/stand-in.ts";

/** One run of the command line against the stand-in. */
export type Operator = {
  readonly context: Context;
  readonly client: Client;
  readonly events: Event[];
  readonly abort: AbortController;
};

const program = (text: string): Program => ({
  sum: createHash("sha256").update(text).digest("hex"),
  read: async () => new TextEncoder().encode(text),
});

let operators = 0;

/** A new process; it counts as dead, so that the lock of one that was killed is taken over at once. */
export function operatorOn(
  standIn: StandIn,
  options: {
    readonly client?: Client;
    readonly agent?: string;
    readonly region?: string;
    readonly expires?: number;
    readonly host?: string;
  } = {},
): Operator {
  const client = options.client ?? standIn.client();
  const own = ++operators;
  const random = seededRandom(own * 7919);
  const target = awsTarget({
    environment: {},
    node: "",
    architecture: "x64",
    platform: "linux",
    programs: "",
    clock: client.clock,
    random,
    region: options.region ?? standIn.region,
    aws: {
      fetch: client.fetch,
      credentials: async () => ({
        ...client.credentials,
        ...(options.expires === undefined ? {} : { expiration: new Date(options.expires) }),
      }),
      programs: async () => ({ agent: program(options.agent ?? "agent"), node: { x86_64: program("node") } }),
    },
  });
  const events: Event[] = [];
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const context: Context = {
    target: target as Target,
    emit: emitter(
      () => standIn.clock.now(),
      (event) => {
        if (!client.killed) events.push(event);
      },
    ),
    signal: abort.signal,
    clock: client.clock,
    random,
    processes: { run: async () => Promise.reject(new Error("operations run no commands themselves")) },
    owner: { host: options.host ?? "here", process: 4_194_304 + own, started: "never", user: "ada" },
    environment: {},
    readFile: async () => Promise.reject(new Error("there are no files")),
  };
  return { context, client, events, abort };
}

export const demo = "demo" as ClusterName;

/** examples/aws-swarm.yml with something changed in its text. */
export function example(...changes: readonly (readonly [string | RegExp, string])[]): Cluster {
  let text = readFileSync(join(import.meta.dirname, "../../../examples/aws-swarm.yml"), "utf8");
  for (const [from, to] of changes) {
    if (!(typeof from === "string" ? text.includes(from) : from.test(text)))
      throw new Error(`the example has no ${String(from)}`);
    text = text.replace(from, to);
  }
  return awsCluster(text);
}

/** What CloudFormation, EC2 and S3 have of the cluster now, in words that can be compared. */
export async function world(standIn: StandIn): Promise<readonly string[]> {
  const { target } = operatorOn(standIn).context;
  return (await target.leftovers(demo)).map(({ kind, name }) => `${kind} ${name}`).toSorted();
}
