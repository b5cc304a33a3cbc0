import { afterEach, beforeEach, expect, vi } from "vitest";
import { useStandIn } from "../stand-in/started.ts";
import { fleetOn, type Fleet } from "./fleet.ts";

/** A test file's stand-in, with other nodes for each test; `delay`: seconds from a node's first moment to its word. */
export function useFleet(delay?: number) {
  // Minutes of AWS are seconds here, but a busy machine makes many of them.
  vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });
  const started = useStandIn();
  let fleet: Fleet | undefined;
  beforeEach(() => {
    fleet = fleetOn(started.standIn);
    if (delay !== undefined) fleet.delay = delay;
  });
  afterEach(() => fleet?.stop());
  return {
    get standIn() {
      return started.standIn;
    },
    get fleet() {
      return fleet ?? expect.fail("there are no nodes yet");
    },
  };
}
