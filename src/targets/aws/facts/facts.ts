import * as z from "zod/mini";

const image = z.strictObject({ id: z.string(), owner: z.string(), name: z.string() });

const schema = z.strictObject({
  account: z.optional(z.string()),
  region: z.optional(z.string()),
  /** Zones of the region that offer every type of the cluster, sorted. */
  zones: z.optional(z.array(z.string())),
  /** The image of the cluster's system, by architecture; pinned by id and owner. */
  images: z.optional(z.partialRecord(z.enum(["x86_64", "arm64"]), image)),
  /** Ids of security groups that are there and are not this cluster's own, by name. */
  securityGroups: z.optional(z.record(z.string(), z.string())),
  /** The public address of who launches, as a network of one, where the file asks for it. */
  caller: z.optional(z.string()),
  /** Control members that come back on disks which a cleanup has kept, by their names: at which address, in which zone. */
  kept: z.optional(
    z.record(
      z.string(),
      z.strictObject({ address: z.string(), zone: z.string(), disks: z.record(z.string(), z.string()) }),
    ),
  ),
  /** SHA-256 of the programs that nodes run, zeros where there is none for an architecture. */
  programs: z.optional(
    z.strictObject({ agent: z.string(), node: z.strictObject({ x86_64: z.string(), aarch64: z.string() }) }),
  ),
});

/** What AWS has to say before a cluster can be compiled; gathered first and passed in. What is absent is not known. */
export type AwsFacts = z.infer<typeof schema>;

/** Nothing is known: what the stack can ask by itself it asks, and the rest are parameters. */
export const noFacts: AwsFacts = {};

/** Reads facts.json; throws with what is wrong. */
export function readFacts(text: string): AwsFacts {
  return factsIn(JSON.parse(text));
}

/** The same from plain data. */
export function factsIn(data: unknown): AwsFacts {
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  throw new Error(`these are no facts of AWS: ${z.prettifyError(read.error)}`);
}
