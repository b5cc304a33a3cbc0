import type { Clock } from "../clock.ts";
import type { AwsCredentials } from "./request.ts";

export type ImdsPorts = {
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
};

/** Who an EC2 instance is, by its own metadata service. */
export type Ec2Identity = {
  readonly instance: string;
  readonly account: string;
  readonly region: string;
  readonly zone: string;
  readonly address: string;
};

export interface Imds {
  /** One value; `undefined`: it has none. Throws when the service does not answer. */
  get(path: string): Promise<string | undefined>;
  identity(): Promise<Ec2Identity>;
  /** The role's credentials, asked for again five minutes before they end, or when `anew`. */
  credentials(anew: boolean): Promise<AwsCredentials>;
}

/** The link-local address of every instance (EC2 user guide, "Access instance metadata"). */
const address = "http://169.254.169.254";
/** Seconds that a session token lasts: the most that EC2 allows. */
const tokenLife = 21_600;
const timeout = 1_000;
const mostAttempts = 4;
const early = 5 * 60_000;

/** The metadata service, version 2 only: a session token first, then everything with it. */
export function imds({ clock, fetch: ask = fetch, signal }: ImdsPorts): Imds {
  let token: { readonly text: string; readonly until: number } | undefined;
  let kept: { readonly credentials: AwsCredentials; readonly until: number } | undefined;

  const send = async (method: "GET" | "PUT", path: string, headers: Record<string, string>): Promise<Response> => {
    const limit = AbortSignal.timeout(timeout);
    return ask(`${address}/latest/${path}`, {
      method,
      headers,
      redirect: "error",
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
  };
  const session = async (): Promise<string> => {
    if (token !== undefined && clock.now() < token.until) return token.text;
    const response = await send("PUT", "api/token", { "X-aws-ec2-metadata-token-ttl-seconds": String(tokenLife) });
    if (!response.ok) throw new Error(`the metadata service gave no token: ${response.status}`);
    token = { text: await response.text(), until: clock.now() + (tokenLife * 1_000) / 2 };
    return token.text;
  };
  const get = async (path: string): Promise<string | undefined> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await send("GET", path, { "X-aws-ec2-metadata-token": await session() });
        if (response.status === 404) return undefined;
        if (response.ok) return await response.text();
        // A token of before a stop and start is nobody's.
        token = undefined;
        throw new Error(`the metadata service answered ${response.status} for ${path}`);
      } catch (error) {
        if (attempt === mostAttempts || signal?.aborted === true) throw error;
        await clock.sleep(100 * 2 ** attempt, signal);
      }
    }
  };
  const needed = async (path: string): Promise<string> => {
    const value = await get(path);
    if (value === undefined) throw new Error(`the metadata service has no ${path}`);
    return value;
  };

  return {
    get,
    async identity() {
      const document: unknown = JSON.parse(await needed("dynamic/instance-identity/document"));
      const text = (name: string): string => {
        const value: unknown = typeof document === "object" && document !== null ? Reflect.get(document, name) : "";
        if (typeof value !== "string" || value === "")
          throw new Error(`the instance's identity document has no ${name}`);
        return value;
      };
      return {
        instance: text("instanceId"),
        account: text("accountId"),
        region: text("region"),
        zone: text("availabilityZone"),
        address: text("privateIp"),
      };
    },
    async credentials(anew) {
      if (!anew && kept !== undefined && clock.now() < kept.until) return kept.credentials;
      const folder = "meta-data/iam/security-credentials/";
      const role = (await get(folder))?.trim().split("\n")[0];
      if (role === undefined || role === "")
        throw new Error("this instance has no role: its launch template names no instance profile");
      const found: unknown = JSON.parse(await needed(folder + role));
      const text = (name: string): string => {
        const value: unknown = typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined;
        if (typeof value !== "string") throw new Error(`the role ${role} has no ${name}`);
        return value;
      };
      const credentials = {
        accessKeyId: text("AccessKeyId"),
        secretAccessKey: text("SecretAccessKey"),
        sessionToken: text("Token"),
      };
      kept = { credentials, until: Date.parse(text("Expiration")) - early };
      return credentials;
    },
  };
}
