import { troubleOf, type AwsTrouble } from "../../../host/aws/errors.ts";
import type { Clock } from "../../../host/clock.ts";
import type { Random } from "../../../host/random.ts";

/** AWS refused, or gave no answer however often it was asked. `code` is AWS's own, empty where none came. */
export class AwsFailure extends Error {
  readonly trouble: AwsTrouble;
  readonly code: string;
  /** As IAM names what was asked: `ec2:DescribeInstances`. */
  readonly action: string;
  readonly next: string | undefined;
  constructor(trouble: AwsTrouble, code: string, action: string, message: string, options?: ErrorOptions) {
    super(`${action}: ${code === "" || message.includes(code) ? "" : `${code}: `}${message}`, options);
    this.name = "AwsFailure";
    this.trouble = trouble;
    this.code = code;
    this.action = action;
    this.next = nextFor(trouble, action);
  }
}

function nextFor(trouble: AwsTrouble, action: string): string | undefined {
  switch (trouble) {
    case "expired":
      return "log in again (aws sso login, or new keys), then the same command: it goes on where it was";
    case "forbidden":
      return `slipway policy FILE shows what a caller needs; this one lacks ${action}, or has no credentials`;
    case "throttled":
    case "unreachable":
      return "the same command again: it goes on where it was";
    case "skewed":
      return "set this machine's clock";
    case "quota":
      return "slipway plan FILE shows what is needed; ask AWS for a higher quota, or take less";
    case "capacity":
      return "other instance types or zones in the file, or the same command later";
    case "pending":
    case "conflict":
      return "the same command again, when what is under way has come to its end";
    case "exists":
    case "gone":
    case "invalid":
      return undefined;
  }
}

/** Whether an error is a refusal of this kind. */
export function isTrouble(error: unknown, ...troubles: readonly AwsTrouble[]): error is AwsFailure {
  return error instanceof AwsFailure && troubles.includes(error.trouble);
}

/** `undefined` instead of a refusal that says that there is no such thing. */
export async function unlessGone<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isTrouble(error, "gone")) return undefined;
    throw error;
  }
}

/**
 * How often a call may be repeated: `safe`, by its nature or by a token, also after an answer that was lost; `once`, only
 * where AWS has said that it did nothing.
 */
export type Repeat = "safe" | "once";

export type Caller = <Answer>(action: string, repeat: Repeat, ask: () => Promise<Answer>) => Promise<Answer>;

/** Throttling comes in bursts of a minute; an AWS that does not answer for so long is an error. Milliseconds. */
const patience = { throttled: 150_000, unreachable: 60_000, pending: 300_000 } as const;
const mostAttempts = 16;
const pause = { shortest: 500, longest: 20_000 };

/**
 * Every call of the SDK goes through here: its own repetition is off. Repeated with full jitter while AWS is busy, silent,
 * or has not heard yet of what was just made; once more with fresh credentials when they have expired.
 */
export function caller(ports: {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal?: AbortSignal;
  /** Forgets credentials and whatever knows them. */
  readonly renew: () => void;
}): Caller {
  const { clock, random, signal, renew } = ports;
  return async (action, repeat, ask) => {
    let waited = 0;
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      let failure: AwsFailure;
      try {
        return await ask();
      } catch (error) {
        failure = failureOf(error, action);
      }
      const { trouble } = failure;
      if ((trouble === "expired" || trouble === "skewed") && !renewed) {
        renewed = true;
        // By how much the clock is wrong the client has learned from the answer.
        if (trouble === "expired") renew();
        continue;
      }
      const bound =
        trouble === "throttled" || trouble === "unreachable" || trouble === "pending" ? patience[trouble] : 0;
      const lost = trouble === "unreachable" && repeat === "once";
      if (waited >= bound || attempt >= mostAttempts || lost) throw failure;
      const longest = Math.min(pause.longest, pause.shortest * 2 ** attempt);
      const time = longest * random.fraction();
      // What was slept counts, not what a clock says.
      waited += Math.max(time, 1);
      await clock.sleep(time, signal);
    }
  };
}

/** What the SDK throws, as one of ours. */
function failureOf(error: unknown, action: string): AwsFailure {
  if (error instanceof AwsFailure) return error;
  const field = (name: string, from: unknown = error): unknown =>
    typeof from === "object" && from !== null ? Reflect.get(from, name) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const status = field("httpStatusCode", field("$metadata"));
  const name = error instanceof Error ? error.name : "";
  if (name === "CredentialsProviderError" || name === "TokenProviderError")
    return new AwsFailure("forbidden", "", action, `there are no credentials for AWS: ${message}`, { cause: error });
  if (typeof status !== "number" || field("$fault") === undefined) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    const own = error instanceof TypeError || name === "TimeoutError" || name === "AbortError";
    return new AwsFailure(own ? "unreachable" : "invalid", "", action, `${message}${cause}`, { cause: error });
  }
  const said = field("Code");
  const code = name === "Error" ? (typeof said === "string" ? said : "") : name;
  return new AwsFailure(troubleOf(code, status, message), code, action, message, { cause: error });
}
