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
  if (instance === undefined || token === undefined)
    throw new Error(`${folder}/bootstrap.json names no instance, or ${folder}/token is not there`);
  return { instance, store, pin, token };
}

/** What stands in the bootstrap file; without an instance on platforms where a node makes its own identity. */
export async function bootstrapFile(
  files: NodeFiles,
): Promise<{ readonly instance: string | undefined; readonly store: string; readonly pin: string }> {
  const text = await files.read(`${folder}/bootstrap.json`);
  if (text === undefined) throw new Error(`${folder}/bootstrap.json is not there`);
  const value: unknown = JSON.parse(text);
  const [instance, store, pin] = ["instance", "store", "pin"].map((name): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined,
  );
  if ((instance !== undefined && typeof instance !== "string") || typeof store !== "string" || typeof pin !== "string")
    throw new Error(`${folder}/bootstrap.json is not readable`);
  return { instance, store, pin };
}

/** The token that came with the bootstrap file; `undefined` when it was taken away again. */
export async function tokenFile(files: NodeFiles): Promise<string | undefined> {
  return (await files.read(`${folder}/token`))?.trim();
}
