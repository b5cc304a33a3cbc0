import { expect, it } from "vitest";
import { interrupts, patience } from "../../src/cli/interrupts.ts";

function ends() {
  const did: string[] = [];
  const later: (() => void)[] = [];
  return {
    did,
    later,
    interrupted: interrupts({
      leave: () => void did.push("leave"),
      after: (milliseconds, call) => {
        did.push(`after ${milliseconds}`);
        later.push(call);
      },
    }),
  };
}

it("the first interrupt asks the operation to stop", () => {
  const { interrupted, did } = ends();
  expect(interrupted.signal.aborted).toBe(false);
  interrupted.interrupt();
  expect(interrupted.signal.aborted).toBe(true);
  expect(did).toEqual([`after ${patience}`]);
});

it("an operation that does not stop is left behind", () => {
  const { interrupted, did, later } = ends();
  interrupted.interrupt();
  for (const call of later) call();
  expect(did.at(-1)).toBe("leave");
});

it("the second interrupt ends the process at once", () => {
  const { interrupted, did } = ends();
  interrupted.interrupt();
  interrupted.interrupt();
  expect(did).toEqual([`after ${patience}`, "leave"]);
});

it("a program that has the terminal gets its interrupts itself", async () => {
  const { interrupted, did } = ends();
  await interrupted.whileLent(async () => interrupted.interrupt());
  expect([interrupted.signal.aborted, did]).toEqual([false, []]);
  interrupted.interrupt();
  expect(interrupted.signal.aborted).toBe(true);
});
