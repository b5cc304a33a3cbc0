import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../clock.ts";
import { type AwsCredentials, errorOf } from "./request.ts";

/** An assumed role's session, as AWS itself names it: on EC2 the session is the instance's id. */
export type AwsCaller = { readonly account: string; readonly role: string; readonly session: string };

/** Why a proof proves nothing; told to whoever showed it. */
export class ProofRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProofRefused";
  }
}

const body = "Action=GetCallerIdentity&Version=2011-06-15";
const bindingHeader = "x-slipway-binding";
const contentType = "application/x-www-form-urlencoded; charset=utf-8";
/** What a proof carries; everything else of the request is fixed here, on both sides. */
const carried = ["authorization", "x-amz-date", "x-amz-security-token"] as const;
type Carried = Readonly<Record<(typeof carried)[number], string>>;

const endpoint = (region: string): string => `https://sts.${region}.amazonaws.com/`;

/**
 * Proof of who this instance is, without a secret: a signed request to AWS's `GetCallerIdentity` that it does not send.
 * Whoever gets it sends it to AWS and reads the answer. `binding` (hex) is signed with it, so that the proof is good for
 * that one thing. AWS takes it for 15 minutes.
 */
export async function proveCaller(
  {
    region,
    credentials,
    clock,
  }: { readonly region: string; readonly credentials: AwsCredentials; readonly clock: Clock },
  binding: string,
): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    method: "POST",
    url: endpoint(region),
    headers: { "content-type": contentType, [bindingHeader]: binding },
    body,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    service: "sts",
    region,
    datetime: new Date(clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
  });
  const { headers } = await signer.sign();
  return JSON.stringify(Object.fromEntries(carried.map((name) => [name, headers.get(name) ?? ""])));
}

/**
 * Who made the proof, asked of AWS. Only the three signed values come from the proof: where it is sent, what it asks and
 * what it is bound to are the verifier's own. Throws `ProofRefused` when it proves nothing; anything else is AWS not answering.
 */
export async function verifyCaller(
  {
    region,
    fetch: ask = fetch,
    signal,
  }: { readonly region: string; readonly fetch?: typeof fetch; readonly signal?: AbortSignal },
  proof: string,
  binding: string,
): Promise<AwsCaller> {
  const shown = carriedIn(proof);
  const signed = /SignedHeaders=([^,\s]+)/.exec(shown.authorization)?.[1]?.split(";") ?? [];
  if (!signed.includes(bindingHeader)) throw new ProofRefused("what it is for was not signed with it");
  if (!shown.authorization.includes(`/${region}/sts/aws4_request`))
    throw new ProofRefused(`it was not signed for ${region}`);
  const limit = AbortSignal.timeout(10_000);
  const response = await ask(endpoint(region), {
    method: "POST",
    headers: {
      authorization: shown.authorization,
      "x-amz-date": shown["x-amz-date"],
      ...(shown["x-amz-security-token"] === "" ? {} : { "x-amz-security-token": shown["x-amz-security-token"] }),
      "content-type": contentType,
      [bindingHeader]: binding,
    },
    body,
    redirect: "error",
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
  });
  const answer = { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
  const { code, message } = errorOf(answer);
  if (answer.status >= 500 || answer.status === 429 || code === "Throttling")
    throw new Error(`STS did not say who it is: ${code || answer.status}`);
  if (answer.status !== 200) throw new ProofRefused(`AWS does not take it: ${code} ${message}`);
  return callerOf(new TextDecoder().decode(answer.body));
}

function carriedIn(proof: string): Carried {
  let shown: unknown;
  try {
    shown = JSON.parse(proof);
  } catch (error) {
    throw new ProofRefused(`it is not readable: ${error instanceof Error ? error.message : String(error)}`);
  }
  const text = (name: string): string => {
    const value: unknown = typeof shown === "object" && shown !== null ? Reflect.get(shown, name) : undefined;
    // Header values: nothing that could end a line.
    if (typeof value !== "string" || !/^[\x20-\x7e]{0,8192}$/.test(value)) throw new ProofRefused(`it has no ${name}`);
    return value;
  };
  return {
    authorization: text("authorization"),
    "x-amz-date": text("x-amz-date"),
    "x-amz-security-token": text("x-amz-security-token"),
  };
}

function callerOf(answer: string): AwsCaller {
  const arn = /<Arn>([^<]*)<\/Arn>/.exec(answer)?.[1] ?? "";
  const found = /^arn:aws(?:-[a-z-]+)?:sts::(\d{12}):assumed-role\/([\w+=,.@-]+)\/([\w+=,.@-]+)$/.exec(arn);
  const [, account, role, session] = found ?? [];
  if (account === undefined || role === undefined || session === undefined)
    throw new ProofRefused(`${arn === "" ? "nobody" : arn} is no instance's role`);
  return { account, role, session };
}
