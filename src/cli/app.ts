import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  proposeCompletions,
  run as runStricli,
  text_en,
  type Application,
  type Command,
  type RouteMap,
} from "@stricli/core";
import type { CliContext, Outcome } from "./context.ts";
import { exitOfStricli, exits } from "./exit.ts";
import { failureJson } from "./failure-text.ts";
import { description } from "./help.ts";
import { verbs, type Verb } from "./verbs.ts";
import { isLive } from "./views/theme.ts";
import type { Output, World } from "./world.ts";

/** The application as far as these words need it: the verb that they name is loaded, of the others only the brief. */
export async function application(word: string | undefined): Promise<Application<CliContext>> {
  const routes: Record<string, Command<CliContext> | RouteMap<CliContext>> = {};
  for (const [name, verb] of Object.entries(verbs)) {
    routes[name] = name === word ? (await verb.load()).default(verb.brief) : namesake(verb);
  }
  const hidden = Object.entries(verbs).filter(([, verb]) => verb.hidden === true);
  return buildApplication(
    buildRouteMap({
      routes,
      docs: {
        brief: description,
        hideRoute: Object.fromEntries(hidden.map(([name]) => [name, true])),
      },
    }),
    {
      name: "slipway",
      scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: false },
      documentation: { caseStyle: "convert-camel-to-kebab" },
      localization: { text },
    },
  );
}

/** Stands in the list of verbs for one that was not called. */
function namesake(verb: Verb): Command<CliContext> {
  return buildCommand<object, [], CliContext>({
    parameters: {},
    docs: { brief: verb.brief },
    func: () => {
      throw new Error("only the verb that is called is run");
    },
  });
}

const text: typeof text_en = {
  ...text_en,
  noCommandRegisteredForInput: ({ input, corrections }) => {
    const [nearest] = corrections;
    const meant = nearest === undefined ? "" : `; did you mean ${corrections.join(" or ")}?`;
    return `there is no verb ${JSON.stringify(input)}${meant}`;
  },
  exceptionWhileParsingArguments(exc, colour) {
    const said = text_en.exceptionWhileParsingArguments.call(this, exc, colour);
    return `${said.charAt(0).toLowerCase()}${said.slice(1)}`;
  },
};

/** Runs the verb that the words name and gives the exit code of the process. */
export async function runVerb(world: World): Promise<number> {
  const [word = ""] = world.words;
  const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  // Only our own words go through the parser: a node's command may look like our flags.
  const split = verb?.command === true ? world.words.indexOf("--") : -1;
  const own = split === -1 ? world.words : world.words.slice(0, split);

  const ended: { outcome: Outcome } = { outcome: "done" };
  const said: string[] = [];
  const context = {
    process: {
      stdout: plainStream(world.stdout, world),
      // What the parser finds wrong is kept, so that `--json` can say it as JSON.
      stderr: { write: (line: string) => void said.push(line), getColorDepth: () => 1 },
      env: world.environment,
      exitCode: null as number | string | null,
    },
    world,
    command: split === -1 ? undefined : world.words.slice(split + 1),
    end: (outcome: Outcome) => void (ended.outcome = outcome),
    propose: async (words: readonly string[]) => {
      const proposed = await proposeCompletions(await application(words[0]), words, context);
      // Flags only when one is begun: names are what is looked for.
      const flags = words.at(-1)?.startsWith("-") === true;
      return proposed
        .filter(({ completion }) => flags || !completion.startsWith("-"))
        .map(({ completion, brief }) => ({ value: completion, description: brief }));
    },
  };
  await runStricli(await application(word), own, context);

  const exit = exitOfStricli(Number(context.process.exitCode ?? 0));
  const { outcome } = ended;
  if (exit === "done") return typeof outcome === "string" ? exits[outcome] : outcome.code;
  const failure = {
    exit,
    message: said.join("").trim(),
    next: `slipway ${verb === undefined ? "" : `${word} `}--help`,
  };
  if (own.includes("--json")) world.stdout.write(failureJson(undefined, failure, exits[exit]));
  else world.stderr.write(`error: ${failure.message}\nnext: ${failure.next}\n`);
  return exits[exit];
}

/** A stream as stricli wants it; no colour depth means no colour. */
function plainStream(output: Output, world: World) {
  const depth = isLive(output, world.environment) ? 8 : 1;
  return { write: (chunk: string) => void output.write(chunk), getColorDepth: () => depth };
}
