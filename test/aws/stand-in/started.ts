import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, inject } from "vitest";
import { ensureJudges } from "../../../scripts/judges.mjs";
import { leaveOut } from "../../judges/judge.ts";
import { motoAt } from "./moto.ts";
import { type StandIn, type StandInOptions, standInOver } from "./stand-in.ts";

const judge = (await ensureJudges())["moto_server"];

/** A moto that nobody else has, until `end` is called or this process ends. */
export function borrowedMoto(): Promise<{ readonly endpoint: string; end(): void }> {
  return new Promise((resolve, reject) => {
    const loan = request(inject("motos"), (answer) => {
      answer.setEncoding("utf8");
      answer.once("data", (text: string) => {
        if (answer.statusCode === 200) resolve({ endpoint: text.trim(), end: () => loan.destroy() });
        else reject(new Error(text));
      });
      // It ends with the loan.
      answer.on("error", () => undefined);
    });
    loan.on("error", reject);
    loan.end();
  });
}

/** A stand-in for a test file: one moto for all of its tests, which others have had before, empty at the beginning of each. */
export function useStandIn(options: StandInOptions = {}): { readonly standIn: StandIn } {
  let standIn: StandIn | undefined;
  let end = (): void => undefined;
  beforeAll(async () => {
    if (judge.path === undefined) return;
    const loan = await borrowedMoto();
    const moto = motoAt(loan.endpoint);
    end = () => {
      moto.leave();
      loan.end();
    };
    standIn = await standInOver(moto, options);
  }, 180_000);
  beforeEach(async (context) => {
    if (judge.missing !== undefined) leaveOut(context, judge.missing);
    await standIn?.reset();
  });
  afterAll(async () => {
    // Nobody asks any more: the next file finds it at rest.
    await standIn?.reset();
    end();
  });
  return {
    get standIn() {
      if (standIn === undefined) throw new Error(judge.missing ?? "moto was not started");
      return standIn;
    },
  };
}
