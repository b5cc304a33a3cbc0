import type { AwsCredentials } from "../../../src/host/aws/request.ts";
import { type Answer, type Call, type Caller, Refusal } from "./call.ts";
import { queryAnswer } from "./query.ts";

type Known = { readonly caller: Caller; expires: number };

/** Who has which access key. Signatures are not checked, but that there is one, and that its key is known and not expired. */
export type Identities = {
  /** Makes credentials; `expires`: virtual milliseconds since 1970. */
  issue(caller: Caller, expires?: number): AwsCredentials;
  /** Who signed a request; refuses one that nobody signed. */
  caller(headers: Headers, query: URLSearchParams, service: string): Caller;
  /** From this moment on, no key is taken that was made before. */
  expireAll(): void;
};

export function identities(now: () => number, id: (prefix: string) => string): Identities {
  const known = new Map<string, Known>();
  return {
    issue(caller, expires = Infinity) {
      const accessKeyId = id(expires === Infinity ? "AKIA" : "ASIA").toUpperCase();
      known.set(accessKeyId, { caller, expires });
      return {
        accessKeyId,
        secretAccessKey: "stand-in",
        ...(expires === Infinity ? {} : { sessionToken: `session-of-${accessKeyId}` }),
      };
    },
    caller(headers, query, service) {
      const signed = headers.get("authorization") ?? query.get("X-Amz-Credential") ?? "";
      const key =
        /Credential=([^/,]+)\//.exec(signed)?.[1] ?? /^([^/]+)\//.exec(query.get("X-Amz-Credential") ?? "")?.[1];
      if (key === undefined)
        throw service === "s3"
          ? new Refusal("AccessDenied", "Access Denied", 403)
          : new Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", 403);
      const found = known.get(key);
      if (found === undefined)
        throw service === "s3"
          ? new Refusal("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
          : new Refusal(
              service === "ec2" ? "AuthFailure" : "InvalidClientTokenId",
              "The security token included in the request is invalid.",
              service === "ec2" ? 401 : 403,
            );
      if (now() >= found.expires)
        throw service === "ec2"
          ? new Refusal("RequestExpired", "Request has expired.", 400)
          : new Refusal(
              "ExpiredToken",
              "The security token included in the request is expired",
              service === "s3" ? 400 : 403,
            );
      return found.caller;
    },
    expireAll() {
      for (const one of known.values()) one.expires = Math.min(one.expires, now());
    },
  };
}

/** STS, as far as anybody asks it here. */
export function serveSts({ action, caller }: Call): Answer {
  if (action !== "GetCallerIdentity")
    throw new Refusal("InvalidAction", `Could not find operation ${action} for version 2011-06-15`);
  return queryAnswer(action, { Arn: caller.arn, UserId: caller.userId, Account: caller.account });
}
