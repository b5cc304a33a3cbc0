import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsFailure, caller, type Repeat } from "../../src/targets/aws/clients/caller.ts";
import { seededRandom } from "./seeded.ts";

/** As AWS's SDK throws what AWS has refused. */
const refusal = (code: string, status: number, message = "no"): Error =>
  Object.assign(new Error(message), { name: code, $fault: "client", $metadata: { httpStatusCode: status } });
const lost = (): Error => new TypeError("fetch failed");
const late = (): Error => refusal("InvalidParameterValue", 400, "Invalid IAM Instance Profile name");

/** What becomes of a call whose attempts fail so, one after the other, and how long it waits between them. */
async function calling(repeat: Repeat, errors: (attempt: number) => Error | undefined, seed = 1) {
  const slept: number[] = [];
  let time = 0;
  let [attempts, renewals] = [0, 0];
  const call = caller({
    clock: {
      now: () => time,
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
        time += milliseconds;
      },
    },
    random: seededRandom(seed),
    renew: () => renewals++,
  });
  const outcome = await call("ec2:DescribeInstances", repeat, async () => {
    const error = errors(++attempts);
    if (error !== undefined) throw error;
    return "an answer";
  }).catch((error: unknown) => error);
  return { outcome, attempts, renewals, slept, waited: slept.reduce((sum, one) => sum + one, 0) };
}
const troubleOf = (outcome: unknown): string => (outcome instanceof AwsFailure ? outcome.trouble : String(outcome));

describe("a call that AWS", () => {
  test("is too busy for is repeated with full jitter: anywhere up to a bound that doubles", async () => {
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, seed) =>
        calling("safe", () => refusal("Throttling", 400), (seed + 1) * 7_919_317),
      ),
    );
    const bounds = Array.from({ length: 15 }, (_, index) => Math.min(20_000, 1_000 * 2 ** index));
    for (const { slept } of all)
      for (const [index, pause] of slept.entries()) expect(pause).toBeLessThan(bounds[index] ?? 0);
    // Not around the bound, and not equal between callers: two that were refused together do not come back together.
    for (const index of [0, 3, 6]) {
      const pauses = all.map(({ slept }) => (slept[index] ?? 0) / (bounds[index] ?? 1));
      expect(Math.min(...pauses)).toBeLessThan(0.1);
      expect(Math.max(...pauses)).toBeGreaterThan(0.9);
      expect(new Set(pauses).size).toBeGreaterThan(190);
    }
    for (const { outcome, attempts } of all) {
      expect(troubleOf(outcome)).toBe("throttled");
      expect(attempts).toBeLessThanOrEqual(16);
    }
  });

  test("does not answer is repeated for a minute, and not at all where it may have done what is done once", async () => {
    const safe = await calling("safe", lost);
    expect(troubleOf(safe.outcome)).toBe("unreachable");
    expect(safe.waited).toBeGreaterThan(30_000);
    expect(safe.waited).toBeLessThan(80_000);
    expect(await calling("once", lost)).toMatchObject({ attempts: 1, slept: [] });
    const refused = await calling("once", (attempt) => (attempt < 3 ? refusal("Throttling", 400) : undefined));
    expect(refused).toMatchObject({ outcome: "an answer", attempts: 3 });
  });

  test("has not heard of a profile for is repeated for five minutes at most, and any other refusal of that code is not", async () => {
    const waiting = await calling("safe", late);
    expect(troubleOf(waiting.outcome)).toBe("pending");
    expect(waiting.attempts).toBeGreaterThan(5);
    expect(waiting.waited).toBeLessThan(5 * 60_000 + 20_000);
    expect(await calling("safe", (attempt) => (attempt < 6 ? late() : undefined))).toMatchObject({ attempts: 6 });
    const other = await calling("safe", () => refusal("InvalidParameterValue", 400, "Value (x) is invalid"));
    expect([troubleOf(other.outcome), other.attempts]).toEqual(["invalid", 1]);
  });

  test("refuses expired credentials is repeated once, with others", async () => {
    const ended = await calling("safe", () => refusal("ExpiredToken", 403));
    expect([troubleOf(ended.outcome), ended.attempts, ended.renewals, ended.slept]).toEqual(["expired", 2, 1, []]);
  });

  test("answers with any errors whatever ends, soon enough, with the last of them or an answer", async () => {
    const errors: readonly (readonly [string, () => Error])[] = [
      ["throttled", () => refusal("RequestLimitExceeded", 503)],
      ["unreachable", lost],
      ["unreachable", () => refusal("InternalError", 500)],
      ["pending", late],
      ["expired", () => refusal("ExpiredToken", 403)],
      ["forbidden", () => refusal("UnauthorizedOperation", 403)],
      ["capacity", () => refusal("InsufficientInstanceCapacity", 500)],
      ["conflict", () => refusal("DependencyViolation", 400)],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(errors.length - 1), { minLength: 1, maxLength: 30 }),
        fc.constantFrom<Repeat>("safe", "once"),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.boolean(),
        async (order, repeat, seed, forever) => {
          const nth = (attempt: number) =>
            forever || attempt <= order.length ? errors[order[(attempt - 1) % order.length] ?? 0] : undefined;
          const { outcome, attempts, renewals, waited } = await calling(repeat, (attempt) => nth(attempt)?.[1](), seed);
          expect(attempts).toBeLessThanOrEqual(16);
          expect(renewals).toBeLessThanOrEqual(1);
          expect(waited).toBeLessThan(5 * 60_000 + 20_000);
          const last = nth(attempts);
          expect(last === undefined ? outcome : troubleOf(outcome)).toBe(last?.[0] ?? "an answer");
          // Nothing that says what it is, and that no waiting mends, is asked again.
          const final = ["forbidden", "capacity", "conflict"];
          for (let attempt = 1; attempt < attempts; attempt++) expect(final).not.toContain(nth(attempt)?.[0]);
        },
      ),
      { numRuns: 500 },
    );
  });
});
