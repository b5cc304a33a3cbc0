import type { Call } from "./call.ts";
import { Refusal } from "./call.ts";

/** Which calls a fault meets: all of a service, or one action; and which of them, counted from 1. */
export type Which = {
  readonly service?: string;
  readonly action?: string | RegExp;
  /** From the n-th such call on (1). */
  readonly from?: number;
  /** So many of them (all). */
  readonly times?: number;
  /** For so many virtual milliseconds from now on. */
  readonly forMs?: number;
};

export type Fault =
  /** Refused before anything is done. */
  | { readonly kind: "refuse"; readonly code: string; readonly message: string; readonly status: number }
  /** Done, and then answered with an error. */
  | { readonly kind: "spoil"; readonly code: string; readonly message: string; readonly status: number }
  /** The connection ends: before it was done, or after. */
  | { readonly kind: "drop"; readonly when: "before" | "after"; readonly message: string };

type Armed = Which & { readonly fault: Fault; readonly until: number; met: number; readonly mend: () => void };
type Bucket = Which & { readonly size: number; readonly perSecond: number; tokens: number; at: number };

/** What a resource of a stack fails with, by its logical id or type. */
export type ResourceFault = {
  readonly resource: string | RegExp;
  readonly on: "create" | "update" | "delete";
  readonly reason: string;
  times: number;
};

/** Faults that a test switches on; each one ends by itself, by its count or by the function that it gives. */
export interface Faults {
  add(which: Which, fault: Fault): () => void;
  /** The words with which each service calls a caller too fast. */
  throttle(which: Which): () => void;
  /** A bucket of tokens: so many calls at once, and so many a second. */
  bucket(which: Which & { readonly size: number; readonly perSecond: number }): () => void;
  dropAfterCommit(which: Which): () => void;
  /** The connection is reset before AWS has read the request. */
  reset(which: Which): () => void;
  /** 500 or 503, before or after it was done. */
  fail(
    which: Which,
    options?: { readonly after?: boolean; readonly status?: number; readonly code?: string },
  ): () => void;
  /** All credentials expire with the n-th call from now, until the given function mends them. */
  expireAfter(calls: number): () => void;
  /** A resource of any stack does not get made, changed or removed. */
  resource(
    resource: string | RegExp,
    on: ResourceFault["on"],
    options?: { readonly reason?: string; readonly times?: number },
  ): () => void;
  clear(): void;
}

export type FaultBook = Faults & {
  meets(call: Call): Fault | undefined;
  resourceFails(logicalId: string, type: string, on: ResourceFault["on"]): string | undefined;
};

export function faultBook(now: () => number): FaultBook {
  const armed = new Set<Armed>();
  const buckets = new Set<Bucket>();
  const resources = new Set<ResourceFault>();

  const fits = ({ service, action }: Which, call: Call): boolean =>
    (service === undefined || service === call.service) &&
    (action === undefined || (typeof action === "string" ? action === call.action : action.test(call.action)));

  const add: Faults["add"] = (which, fault) => {
    const one: Armed = {
      ...which,
      fault,
      until: now() + (which.forMs ?? Infinity),
      met: 0,
      mend: () => armed.delete(one),
    };
    armed.add(one);
    return one.mend;
  };

  return {
    add,
    throttle: (which) => add(which, { kind: "refuse", ...throttled(which.service) }),
    bucket(which) {
      const one: Bucket = { ...which, tokens: which.size, at: now() };
      buckets.add(one);
      return () => buckets.delete(one);
    },
    dropAfterCommit: (which) => add(which, { kind: "drop", when: "after", message: "other side closed" }),
    reset: (which) => add(which, { kind: "drop", when: "before", message: "read ECONNRESET" }),
    fail: (
      which,
      { after = false, status = 500, code = status === 503 ? "ServiceUnavailable" : "InternalError" } = {},
    ) =>
      add(which, {
        kind: after ? "spoil" : "refuse",
        code,
        message: "An internal error has occurred",
        status,
      }),
    expireAfter: (calls) =>
      add(
        { from: calls + 1 },
        {
          kind: "refuse",
          code: "ExpiredToken",
          message: "The security token included in the request is expired",
          status: 403,
        },
      ),
    resource(resource, on, { reason = 'Resource handler returned message: "Internal Failure"', times = 1 } = {}) {
      const one = { resource, on, reason, times };
      resources.add(one);
      return () => resources.delete(one);
    },
    clear() {
      armed.clear();
      buckets.clear();
      resources.clear();
    },
    meets(call) {
      for (const one of buckets) {
        if (!fits(one, call)) continue;
        one.tokens = Math.min(one.size, one.tokens + ((now() - one.at) / 1000) * one.perSecond);
        one.at = now();
        if (one.tokens < 1) return { kind: "refuse", ...throttled(call.service) };
        one.tokens--;
      }
      for (const one of armed) {
        if (now() >= one.until) {
          one.mend();
          continue;
        }
        if (!fits(one, call)) continue;
        one.met++;
        const from = one.from ?? 1;
        if (one.met < from) continue;
        if (one.met >= from + (one.times ?? Infinity) - 1) one.mend();
        // Its own words for it: which service it is may not have been said.
        return one.fault.kind === "refuse" && one.fault.code === "Throttling"
          ? { kind: "refuse", ...throttled(call.service) }
          : one.fault;
      }
      return undefined;
    },
    resourceFails(logicalId, type, on) {
      for (const one of resources) {
        const hit =
          typeof one.resource === "string"
            ? one.resource === logicalId || one.resource === type
            : one.resource.test(logicalId);
        if (!hit || one.on !== on) continue;
        if (--one.times <= 0) resources.delete(one);
        return one.reason;
      }
      return undefined;
    },
  };
}

/** EC2 and S3 have their own words for it (EC2 API reference, error codes; S3 API reference, error responses). */
function throttled(service: string | undefined): {
  readonly code: string;
  readonly message: string;
  readonly status: number;
} {
  if (service === "ec2") return { code: "RequestLimitExceeded", message: "Request limit exceeded.", status: 503 };
  if (service === "s3") return { code: "SlowDown", message: "Please reduce your request rate.", status: 503 };
  return { code: "Throttling", message: "Rate exceeded", status: 400 };
}

/** A fault that refuses, as AWS would. */
export function refusalOf(fault: Extract<Fault, { readonly kind: "refuse" | "spoil" }>): Refusal {
  return new Refusal(fault.code, fault.message, fault.status);
}
