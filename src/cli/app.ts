import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  proposeCompletions,
  run as runStricli,
  text_en,
  type Application,
  type Command,
} from "@stricli/core";
import type { CliContext, Outcome } from "./context.ts";
import { exitOfStricli, exits } from "./exit.ts";
import { failureJson } from "./failure-text.ts";
import { description, helpText } from "./help.ts";
import { verbs, type Verb } from "./verbs.ts";
import { isLive } from "./views/theme.ts";
import type { Output, World } from "./world.ts";

/** The application as far as these words need it: the verb that they name is loaded, of the others only the brief. */
export async function application(word: string | undefined): Promise<Application<CliContext>> {
  const routes: Record<string, Command<CliContext>> = {};
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
    return `error: there is no verb ${JSON.stringify(input)}${meant}\nnext: slipway --help`;
  },
  exceptionWhileParsingArguments(exc, colour) {
    const said = text_en.exceptionWhileParsingArguments.call(this, exc, colour);
    return `error: ${said.charAt(0).toLowerCase()}${said.slice(1)}`;
  },
};

/** Runs the command line and gives the exit code of the process. */
export async function runCli(world: World): Promise<number> {
  const [first, ...others] = world.words;
  if (
    first === undefined ||
    first === "--help" ||
    first === "-h" ||
    (first === "help" && others.length === 0)
  ) {
    world.stdout.write(helpText());
    return exits.done;
  }
  if (first === "help") return runCli({ ...world, words: [...others, "--help"] });
  const word = first;
  const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  // Only our own words go through the parser: a node's command may look like our flags.
  const split = verb?.command === true ? world.words.indexOf("--") : -1;
  const own = split === -1 ? world.words : world.words.slice(0, split);
  const json = own.includes("--json");

  const ended: { outcome: Outcome } = { outcome: "done" };
  const said: string[] = [];
  const context = {
    process: {
      stdout: plainStream(world.stdout, world),
      // What the parser finds wrong is kept, so that `--json` can say it as JSON.
      stderr: {
        ...plainStream(world.stderr, world),
        write: (line: string) => void said.push(line),
      },
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

  const parsed = Number(context.process.exitCode ?? 0);
  const { outcome } = ended;
  if (parsed === 0) return typeof outcome === "string" ? exits[outcome] : outcome.code;
  const exit = exitOfStricli(parsed);
  const message = said.join("").trim();
  const next = verb === undefined ? [] : [`next: slipway ${word} --help`];
  if (json) {
    const [first = "", ...rest] = message
      .split("\n")
      .map((line) => line.replace(/^(error|next): /, ""));
    world.stdout.write(
      failureJson(
        undefined,
        { exit, message: first, next: rest.at(-1) ?? `slipway ${word} --help` },
        exits[exit],
      ),
    );
  } else world.stderr.write(`${[message, ...next].join("\n")}\n`);
  return exits[exit];
}

/** A stream as stricli wants it; no colour depth means no colour. */
function plainStream(output: Output, world: World) {
  const depth = isLive(output, world.environment) ? 8 : 1;
  return { write: (chunk: string) => void output.write(chunk), getColorDepth: () => depth };
}
