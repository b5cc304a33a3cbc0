import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import { troubleOf } from "./errors.ts";

export type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
};

export type AwsRequest = {
  /** As the signature names it: `s3`, `sts`, `ec2`, `cloudformation`. */
  readonly service: string;
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Milliseconds for this one, where it carries much. */
  readonly timeout?: number;
};
export type AwsAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Whether it was sent more than once: an earlier one may have been carried out. */
  readonly repeated: boolean;
};

/** AWS did not answer, or not with what it was asked for, however often it was asked. `code` is AWS's own where it said one. */
export class AwsError extends Error {
  readonly kind: "forbidden" | "unreachable" | "invalid" | "closed";
  readonly code: string;
  constructor(kind: AwsError["kind"], code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AwsError";
    this.kind = kind;
    this.code = code;
  }
}

export type AwsPorts = {
  readonly region: string;
  /** Asked before every request; `anew` after AWS called the last ones expired. */
  readonly credentials: (anew: boolean) => Promise<AwsCredentials>;
  readonly clock: Clock;
  readonly random: Random;
  /** The process's `fetch`, unless a test has its own. */
  readonly fetch?: typeof fetch;
  /** Milliseconds for one request (10,000). */
  readonly timeout?: number;
  /** Ends every request. */
  readonly signal?: AbortSignal;
};

/** Sends one signed request; gives every answer that is not a reason to ask again, also one that refuses. */
export type AwsRequester = (request: AwsRequest) => Promise<AwsAnswer>;

const mostAttempts = 5;
const pause = { shortest: 100, longest: 5_000 };
/**
 * Requests to AWS without its SDK: signed (Signature Version 4), repeated with growing, jittered pauses when AWS is busy
 * or silent, at most five times; once more with new credentials when they have expired, and once more by AWS's own clock
 * when this machine's is wrong. Throws an `AwsError` when no answer came.
 */
export function awsRequester(ports: AwsPorts): AwsRequester {
  const { clock, random, signal, timeout = 10_000 } = ports;
  let ahead = 0;
  /** Keys of a day, region and service: four of a signature's five steps. */
  const signingKeys = new Map<string, ArrayBuffer>();

  const once = async (request: AwsRequest, anew: boolean): Promise<Omit<AwsAnswer, "repeated">> => {
    const { accessKeyId, secretAccessKey, sessionToken } = await ports.credentials(anew);
    // Days go by, and credentials with them.
    if (signingKeys.size > 16) signingKeys.clear();
    const signer = new AwsV4Signer({
      cache: signingKeys,
      method: request.method,
      url: request.url,
      headers: { ...request.headers },
      body: request.body ?? null,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: request.service,
      region: ports.region,
      datetime: new Date(clock.now() + ahead).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
    });
    const { method, url, headers, body } = await signer.sign();
    const limit = AbortSignal.timeout(request.timeout ?? timeout);
    const response = await (ports.fetch ?? fetch)(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "error",
      signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: new Uint8Array(await response.arrayBuffer()),
    };
  };

  const refuseWhenEnded = (): void => {
    if (signal?.aborted === true) throw new AwsError("closed", "", "the requests to AWS were ended");
  };

  return async (request) => {
    let repeated = false;
    let anew = false;
    let corrected = false;
    for (let attempt = 1; ; attempt++) {
      refuseWhenEnded();
      try {
        const answer = await once(request, anew);
        const { code, message } = errorOf(answer);
        const trouble = code === "" ? undefined : troubleOf(code, answer.status, message);
        if (trouble === "expired" && !anew) {
          anew = true;
          continue;
        }
        const theirs = Date.parse(answer.headers.get("date") ?? "");
        if (trouble === "skewed" && !corrected && Number.isFinite(theirs)) {
          corrected = true;
          ahead = theirs - clock.now();
          continue;
        }
        const again = trouble === "throttled" || trouble === "unreachable";
        if (answer.status < 500 && answer.status !== 429 && !again) return { ...answer, repeated };
        const why = `${code || answer.status}${message === "" ? "" : `: ${message}`}`;
        if (attempt === mostAttempts)
          throw new AwsError("unreachable", code, `${request.service} of AWS is busy: ${why}`);
      } catch (error) {
        if (error instanceof AwsError) throw error;
        refuseWhenEnded();
        if (attempt === mostAttempts)
          throw new AwsError("unreachable", "", `${request.service} of AWS did not answer: ${causeOf(error)}`, {
            cause: error,
          });
      }
      repeated = true;
      const longest = Math.min(pause.longest, pause.shortest * 2 ** attempt);
      await clock.sleep(longest * random.fraction(), signal);
    }
  };
}

/** `fetch` says only "fetch failed"; its cause knows why. */
function causeOf(error: unknown): string {
  const cause: unknown = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** AWS's code and words in an answer that refuses, in XML or JSON; empty in any other. */
export function errorOf({ status, body }: Pick<AwsAnswer, "status" | "body">): {
  readonly code: string;
  readonly message: string;
} {
  if (status < 400) return { code: "", message: "" };
  const text = new TextDecoder().decode(body.subarray(0, 16_384));
  const code =
    /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? /"(?:__type|code)"\s*:\s*"(?:[^"#]*#)?([^"]*)"/.exec(text)?.[1];
  const message = /<Message>([^<]*)<\/Message>/i.exec(text)?.[1] ?? /"message"\s*:\s*"([^"]*)"/i.exec(text)?.[1];
  return { code: code ?? "", message: message ?? "" };
}
