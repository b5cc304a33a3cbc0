import { exits } from "./exit.ts";
import { helpText } from "./help.ts";
import type { World } from "./world.ts";

/** Runs the command line and gives the exit code of the process. */
export async function runCli(world: World): Promise<number> {
  const [first, ...others] = world.words;
  if (first === "help" && others.length > 0) return runCli({ ...world, words: [...others, "--help"] });
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    world.stdout.write(helpText());
    return exits.done;
  }
  // The parser is loaded only when there is something to parse.
  return (await import("./app.ts")).runVerb(world);
}
