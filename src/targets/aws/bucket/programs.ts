import { architectureOf } from "../../../cluster/aws.ts";
import type { Cluster } from "../../../cluster/cluster.ts";
import { runtimeFolder } from "../../../records/objects.ts";
import type { ProgramSums } from "../../target.ts";
import { askBucket, type Place } from "./requests.ts";

/** A program that nodes run, on the operator's machine. */
export type Program = {
  /** SHA-256, hexadecimal. */
  readonly sum: string;
  readonly read: () => Promise<Uint8Array>;
};
/** The agent, and a Node.js for each architecture that this machine has one for. */
export type Programs = {
  readonly agent: Program;
  readonly node: Readonly<Partial<Record<"x86_64" | "aarch64", Program>>>;
};

/** Milliseconds for 100 MB by a slow line. */
const uploadTime = 15 * 60_000;
const none = "0".repeat(64);

type Architecture = keyof ProgramSums["node"];

/** As the kernel names them. */
export function architecturesOf(cluster: Cluster): readonly Architecture[] {
  const found = cluster.groups.map(({ aws }) => architectureOf(aws.instanceTypes[0] ?? ""));
  return [...new Set(found)].map((one) => (one === "arm64" ? "aarch64" : one)).toSorted();
}

/** The sums of what nodes of this cluster fetch; where this machine lacks a Node.js for them it is zeros. */
export function programSums({ agent, node }: Programs): ProgramSums {
  return { agent: agent.sum, node: { x86_64: node.x86_64?.sum ?? none, aarch64: node.aarch64?.sum ?? none } };
}

/** Nodes of an architecture have no Node.js to run. */
export class NoProgramError extends Error {
  readonly next: string;
  constructor(architecture: Architecture) {
    super(`nodes are ${architecture}, and this machine has no Node.js for them`);
    this.name = "NoProgramError";
    this.next = `SLIPWAY_NODE_${architecture.toUpperCase()}=path of a Linux ${architecture} build of Node.js 20 or newer`;
  }
}

/** Puts the programs of these sums where nodes fetch them; what is there is left alone. */
export async function ensurePrograms(
  place: Place,
  architectures: readonly Architecture[],
  sums: ProgramSums,
  programs: () => Promise<Programs>,
): Promise<void> {
  const wanted = [
    { sum: sums.agent, find: ({ agent }: Programs) => agent, why: "agent" as const },
    ...architectures.map((architecture) => ({
      sum: sums.node[architecture],
      find: ({ node }: Programs) => node[architecture],
      why: architecture,
    })),
  ];
  for (const { sum, find, why } of wanted) {
    const path = `${runtimeFolder}${sum}`;
    if (sum === none && why !== "agent") throw new NoProgramError(why);
    const there = await askBucket(place, { action: "s3:GetObject", method: "HEAD", path }, "NoSuchKey");
    if (there.status === 200) continue;
    const program = find(await programs());
    if (program?.sum !== sum)
      throw Object.assign(
        new Error(`nodes run a program of the sum ${sum.slice(0, 12)}…, which is neither in its bucket nor here`),
        { next: "slipway launch --refresh programs" },
      );
    await askBucket(place, {
      action: "s3:PutObject",
      method: "PUT",
      path,
      body: await program.read(),
      timeout: uploadTime,
    });
  }
}
