// Before the tests on Docker: what they stand on, also when vitest is called by hand.
import { ensureImages, ensureProgram } from "./ready.mjs";

export async function setup() {
  await ensureProgram();
  await ensureImages((line) => process.stderr.write(`${line}\n`));
}
