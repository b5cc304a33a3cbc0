import { beforeEach, expect } from "vitest";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import { cleanup } from "../../../src/operations/cleanup.ts";
import { launch } from "../../../src/operations/launch.ts";
import { plan } from "../../../src/operations/plan.ts";
import { awsCluster } from "../scenarios.ts";
import { demo, operatorOn } from "./operator.ts";
import { picture } from "./picture.ts";
import { useFleet } from "./started-fleet.ts";

/** A control node and a worker, with something changed in the file's text. */
export const small = (...changes: readonly (readonly [string, string])[]): Cluster =>
  awsCluster(
    changes.reduce(
      (text, change) => text.replace(...change),
      "name: demo\ntarget: aws\nos: flatcar\norchestrator: none\ngroups:\n  control: { role: control, count: 1 }\n  worker: { count: 1, aws: { max: 3 } }\naws: { region: eu-central-1, instance_type: t3.small }\n",
    ),
  );
export const two = small(["count: 1, aws", "count: 2, aws"]);

/** What a command that must fail says; and that it says what to do. */
export async function refused(act: () => Promise<unknown>): Promise<string> {
  const error: unknown = await act().then(
    () => expect.fail("it did not fail"),
    (failure: unknown) => failure,
  );
  if (!(error instanceof Error)) return expect.fail("it failed of nothing");
  expect(
    "next" in error && typeof error.next === "string" && error.next !== "",
    `${error.message} has no next step`,
  ).toBe(true);
  return `${error.message}\nnext: ${String(Reflect.get(error, "next"))}`;
}

/** A test file's stand-in with nodes, and what a person would run against it, each time as a new process. */
export function useTrial() {
  const started = useFleet(5);
  beforeEach(() => {
    // What AWS does to us is the matter; where it is also how long it takes, a test says so.
    started.standIn.clock.haste = 4;
  });
  const context = () => operatorOn(started.standIn).context;
  return {
    get standIn() {
      return started.standIn;
    },
    get fleet() {
      return started.fleet;
    },
    launching: (cluster = small(), refresh: readonly string[] = []) => launch(context(), { cluster, refresh }),
    planning: (cluster = small()) => plan(context(), { cluster }),
    cleaning: (more: { readonly keepData?: boolean } = {}) => cleanup(context(), { cluster: demo, ...more }),
    /** A launch that comes to its end as if nothing had been: one of each thing, and all of it ready. */
    async launches(cluster = small()): Promise<void> {
      const { status } = await launch(context(), { cluster });
      expect(status.state).toBe("ready");
      const there = await picture(started.standIn);
      expect(there).toContain("1 stack demo");
      expect(there.filter((line) => line.includes("bucket"))).toHaveLength(1);
    },
    /** What the operators have changed, by its name. */
    changes: () =>
      started.standIn.calls
        .filter(({ mutating, caller }) => mutating && caller.endsWith("user/operator"))
        .map(({ action }) => action),
  };
}
