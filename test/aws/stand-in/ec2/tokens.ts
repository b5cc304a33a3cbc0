import { type Call, Refusal } from "../call.ts";
import { type Parameters, said } from "../parameters.ts";
import type { Element } from "../xml.ts";

/**
 * What was answered to which client token (EC2 user guide, "Ensuring idempotency in Amazon EC2 API requests"): moto has no
 * such ledger and makes two of everything.
 */
export type Tokens = {
  /** The earlier answer to the same request, if there was one. */
  earlier(call: Call): Element | undefined;
  keep(call: Call, answer: Element): void;
};

export function tokenLedger(): Tokens {
  const kept = new Map<string, { readonly asked: string; readonly answer: Element }>();
  const key = (call: Call): string | undefined => {
    const token = said(call.parameters, "ClientToken");
    return token === "" ? undefined : `${call.action} ${token}`;
  };
  return {
    earlier(call) {
      const name = key(call);
      const one = name === undefined ? undefined : kept.get(name);
      if (one === undefined) return undefined;
      if (one.asked !== askedIn(call.parameters))
        throw new Refusal(
          "IdempotentParameterMismatch",
          "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
        );
      return one.answer;
    },
    keep(call, answer) {
      const name = key(call);
      if (name !== undefined) kept.set(name, { asked: askedIn(call.parameters), answer });
    },
  };
}

function askedIn(parameters: Parameters): string {
  const sorted = (value: string | Parameters): unknown =>
    typeof value === "string"
      ? value
      : Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, one]) => [name, sorted(one)]);
  return JSON.stringify(sorted(parameters));
}
