import type { Cluster, Group } from "../cluster/cluster.ts";
import { gatewayInstance } from "../components/certificates.ts";
import type { Pointer } from "../machine/pointer.ts";
import { listRecords, readRecord } from "../records/access.ts";
import type { ClusterStore } from "../store/store.ts";
import type { ProgramSums } from "../targets/target.ts";
import { OperationError, type Context } from "./context.ts";
import { admitGateway, found } from "./founding.ts";
import { firewallTable, instructions, type Handed } from "./hand-out-pages.ts";
import { makeToken, stillGood, usualLife } from "./join-tokens.ts";
import { makePlan } from "./plan.ts";
import { prune } from "./prune.ts";
import { machineOf, publish, settle } from "./publishing.ts";
import { render } from "./render.ts";
import { runSteps } from "./run.ts";
import { underLock } from "./under-lock.ts";

export type HandOutInput = {
  readonly cluster: Cluster;
  /** All of the machine config in the user data, beside the pointer. */
  readonly whole: boolean;
  /** A token for the control group though the cluster has control nodes. */
  readonly controlToken: boolean;
  /** Tokens that were handed out before, by group: used again where they are still good. */
  readonly before: ReadonlyMap<string, string>;
};

export type HandedOut = {
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly groups: readonly Handed[];
  /** How many nodes the file asks for that have not come. */
  readonly awaited: number;
  readonly changes: number;
  readonly seconds: number;
};

/** The token's file of a group. */
const tokenFile = (group: string): string => `${group}.token`;

function userData(input: HandOutInput, group: Group, sums: ProgramSums, pin: string, token: string) {
  const { cluster, whole } = input;
  const pointer: Pointer = {
    cluster: cluster.name,
    group: group.name,
    store: cluster.files.store ?? "",
    pin,
    token,
    runtime: sums,
  };
  const read = render({ cluster, group: group.name, whole, pointer });
  if (read.kind === "bad")
    throw new OperationError(
      read.problems.map((problem) => `${problem.path.join(".")}: ${problem.message}`).join("\n"),
      "slipway check --on files",
    );
  return read.value;
}

/** How many nodes of each group have come and not left. */
async function present(store: ClusterStore): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const { value } of await listRecords(store, "roster"))
    if (value.state === "present") counts.set(value.group, (counts.get(value.group) ?? 0) + 1);
  return counts;
}

/**
 * A launch where nodes start by other means: publishes the revision and writes what each group's machines are to be started
 * with. Nodes that have not come are not waited for; when all are there, it ends as any launch does, with all of them ready.
 */
export async function handOut(context: Context, input: HandOutInput): Promise<HandedOut> {
  const { cluster } = input;
  const { target, clock, emit, signal, random } = context;
  const begun = clock.now();
  if (target.userData === undefined) throw new OperationError(`--on ${target.name} starts its nodes itself`);
  // What cannot be said in user data is refused before anything is made.
  const nothing: ProgramSums = { agent: "0".repeat(64), node: { x86_64: "0".repeat(64), aarch64: "0".repeat(64) } };
  for (const group of cluster.groups)
    userData(input, group, nothing, "0".repeat(64), `${"0".repeat(8)}.${"0".repeat(48)}`);
  const opened = await target.prepare(cluster, { emit, signal });
  try {
    const sums = await target.userData.sums();
    return await underLock(
      context,
      { cluster: cluster.name, operation: "launch", store: opened.store },
      async (locked) => {
        const { store } = locked;
        const founding = await found(locked, cluster);
        const plan = await makePlan(locked.context, cluster, store, true);
        locked.context.emit("plan.made", { changes: plan.changes.length, steps: plan.steps.length });
        if (
          opened.address !== undefined &&
          (await readRecord(store, "certificate", { instance: gatewayInstance })) === undefined
        )
          await admitGateway(locked.context, store, opened.address);
        const runner = {
          cluster: cluster.name,
          founding,
          before: new Map(),
          publish: (its: ClusterStore) => publish(context, its, plan),
          machine: machineOf(cluster, plan),
        };
        await runSteps(locked, runner, plan.steps);

        const counts = await present(store);
        const groups: Handed[] = [];
        const files: { name: string; content: string }[] = [];
        for (const group of cluster.groups) {
          const came = counts.get(group.name) ?? 0;
          const missing = Math.max(0, group.count - came);
          const handed = { group: group.name, role: group.role, count: group.count, came, missing };
          // A leaked token of the control group is the cluster's keys: there is none without a need or a wish.
          const wanted = missing > 0 && (group.role !== "control" || came === 0 || input.controlToken);
          if (!wanted) {
            groups.push({ ...handed, file: undefined, token: undefined });
            continue;
          }
          const before = input.before.get(group.name)?.trim();
          const good =
            before !== undefined &&
            (await stillGood(store, { token: before, group: group.name, missing, now: clock.now() }));
          const token = good
            ? before
            : (
                await makeToken(
                  store,
                  { random, now: clock.now() },
                  { group: group.name, role: group.role, uses: missing, life: usualLife },
                )
              ).token;
          const { format, text } = userData(input, group, sums, founding.pin, token);
          const file = `${group.name}.${format}`;
          files.push({ name: file, content: text }, { name: tokenFile(group.name), content: `${token}\n` });
          groups.push({ ...handed, file, token: token.split(".", 1)[0] });
        }
        const awaited = groups.reduce((sum, { missing }) => sum + missing, 0);
        files.push(
          {
            name: "store.json",
            content: `${JSON.stringify({ cluster: cluster.name, store: cluster.files.store, pin: founding.pin, data: cluster.files.data, programs: sums }, undefined, 2)}\n`,
          },
          { name: "firewall.md", content: firewallTable(cluster) },
          { name: "README.md", content: instructions(cluster, groups) },
        );
        if (awaited === 0) {
          const { nodes } = await target.observe(cluster.name);
          const names = nodes.map(({ name }) => name);
          await settle(locked, cluster, plan, { nodes: names, told: names });
        }
        await prune(store, [plan.revision.id, ...(plan.before === undefined ? [] : [plan.before])]);
        const seconds = (clock.now() - begun) / 1000;
        const changes = plan.changes.length;
        return { result: { files, groups, awaited, changes, seconds }, changes };
      },
    );
  } finally {
    await opened.close();
  }
}
