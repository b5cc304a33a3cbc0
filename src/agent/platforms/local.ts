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

/** Who am I, on a platform without a cloud identity: a token in a file that only root reads. */
export async function arrival(files: NodeFiles): Promise<Arrival> {
  const [text, token] = await Promise.all([files.read(`${folder}/bootstrap.json`), files.read(`${folder}/token`)]);
  if (text === undefined || token === undefined)
    throw new Error(`${folder}/bootstrap.json or ${folder}/token is not there`);
  const value: unknown = JSON.parse(text);
  const [instance, store, pin] = ["instance", "store", "pin"].map((name): unknown =>
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined,
  );
  if (typeof instance !== "string" || typeof store !== "string" || typeof pin !== "string")
    throw new Error(`${folder}/bootstrap.json is not readable`);
  return { instance, store, pin, token: token.trim() };
}
