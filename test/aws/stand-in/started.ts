import { afterAll, beforeAll, beforeEach } from "vitest";
import { ensureJudges } from "../../../scripts/judges.mjs";
import { leaveOut } from "../../judges/judge.ts";
import { type Moto, startMoto } from "./moto.ts";
import { type StandIn, type StandInOptions, standInOver } from "./stand-in.ts";

const judge = (await ensureJudges())["moto_server"];

/** A stand-in for a test file: one moto for all of its tests, empty at the beginning of each. */
export function useStandIn(options: StandInOptions = {}): { readonly standIn: StandIn } {
  let moto: Moto | undefined;
  let standIn: StandIn | undefined;
  beforeAll(async () => {
    if (judge.path === undefined) return;
    moto = await startMoto(judge.path);
    standIn = await standInOver(moto, options);
  }, 180_000);
  beforeEach(async (context) => {
    if (judge.missing !== undefined) leaveOut(context, judge.missing);
    await standIn?.reset();
  });
  afterAll(async () => {
    await moto?.stop();
  });
  return {
    get standIn() {
      if (standIn === undefined) throw new Error(judge.missing ?? "moto was not started");
      return standIn;
    },
  };
}
