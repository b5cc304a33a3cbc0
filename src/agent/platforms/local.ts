import * as z from "zod/mini";
import type { NodeFiles } from "../../host/nodeFiles.ts";

/** What the target put into the instance before its first start. */
export type Arrival = {
  readonly instance: string;
  readonly store: string;
  /** SHA-256 of the root certificate, hex. */
  readonly pin: string;
  readonly token: string;
};

const folder = "/etc/slipway";

/** Who am I, where the target puts a token for this very instance into a file that only root reads. */
export async function arrival(files: NodeFiles): Promise<Arrival> {
  const [{ instance, store, pin }, token] = await Promise.all([bootstrapFile(files), tokenFile(files)]);
  if (instance === undefined || token === undefined || pin === undefined)
    throw new Error(`${folder}/bootstrap.json names no instance or no pin, or ${folder}/token is not there`);
  return { instance, store, pin, token };
}

/** What a target or user data says to a node before its first start. */
export type Bootstrap = {
  /** `https://…`, or `s3`: then the bucket stands beside it. */
  readonly store: string;
  /** Absent where a node makes its own identity, or its provider knows it. */
  readonly instance?: string | undefined;
  /** SHA-256 of the root certificate; a store that is a server always has one. */
  readonly pin?: string | undefined;
  readonly cluster?: string | undefined;
  readonly group?: string | undefined;
};

const bootstrapSchema = z.object({
  store: z.string(),
  instance: z.optional(z.string()),
  pin: z.optional(z.string()),
  cluster: z.optional(z.string()),
  group: z.optional(z.string()),
});

export async function bootstrapFile(files: NodeFiles): Promise<Bootstrap> {
  const text = await files.read(`${folder}/bootstrap.json`);
  if (text === undefined) throw new Error(`${folder}/bootstrap.json is not there`);
  const parsed = bootstrapSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`${folder}/bootstrap.json is not readable: ${parsed.error.message}`);
  return parsed.data;
}

/** The token that came with the bootstrap file; `undefined` when it was taken away again. */
export async function tokenFile(files: NodeFiles): Promise<string | undefined> {
  return (await files.read(`${folder}/token`))?.trim();
}
