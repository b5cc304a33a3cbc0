import { buildCommand } from "@stricli/core";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { common, overwriteFlag, type Common, type Toggle } from "../flags.ts";
import type { Session } from "../session.ts";
import { fileWord } from "../words.ts";

type Orchestrator = "swarm" | "none";
type Flags = Pick<Common, "json" | "quiet" | "noColor" | "name"> & {
  readonly orchestrator: Orchestrator | undefined;
  readonly control: number | undefined;
  readonly workers: number | undefined;
  readonly force: Toggle;
};
type Answers = {
  readonly name: string;
  readonly orchestrator: Orchestrator;
  readonly control: number;
  readonly workers: number;
};

const orchestrators = ["swarm", "none"] as const;
const controlCounts = ["1", "3", "5"] as const;
const defaults: Answers = { name: "demo", orchestrator: "swarm", control: 3, workers: 2 };
const namePattern = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

function controlCount(text: string): number {
  if (controlCounts.some((count) => count === text)) return Number(text);
  throw new Error(`${JSON.stringify(text)} is not 1, 3 or 5: etcd needs an odd number`);
}
function workerCount(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new Error(`${JSON.stringify(text)} is not a whole number from 0 to 9999`);
}

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Writes a first cluster.yml with comments, and beside it the schema from which editors complete words. On a terminal\nit asks for what the flags do not say.",
      [
        ["init", "./cluster.yml, with questions on a terminal"],
        ["init --name shop --control 1 --workers 4 shop.yml", "without"],
      ],
    ),
    parameters: {
      flags: {
        name: common.name,
        orchestrator: {
          kind: "enum",
          values: orchestrators,
          optional: true,
          brief: "what runs services",
        },
        control: {
          kind: "parsed",
          parse: controlCount,
          optional: true,
          brief: "control nodes: 1, 3 or 5",
          placeholder: "count",
        },
        workers: {
          kind: "parsed",
          parse: workerCount,
          optional: true,
          brief: "worker nodes",
          placeholder: "count",
        },
        force: overwriteFlag,
        json: common.json,
        quiet: common.quiet,
        noColor: common.noColor,
      },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const { files } = session.world;
      if (!flags.force && files.exists(file))
        throw new UsageError(`${file} is there already`, `slipway init --force ${file}`);
      if (flags.name !== undefined && !namePattern.test(flags.name)) throw new UsageError(nameFault(flags.name));
      const answers = session.mayAsk ? await ask(session, flags) : { ...defaults, ...given(flags) };
      if (answers === undefined) return session.declined();
      const [{ starterFile }, { editorSchema }] = await Promise.all([
        import("../../spec/starter.ts"),
        import("../../spec/schema.ts"),
      ]);
      const schema = `${file.replace(/\.ya?ml$/i, "")}.schema.json`;
      await files.write(
        file,
        starterFile({ ...answers, schema: `./${schema.split(/[\\/]/).at(-1)}` }),
        flags.force === true,
      );
      await files.write(schema, `${JSON.stringify(editorSchema(), undefined, 2)}\n`, true);
      if (flags.json) session.document({ file, schema, ...answers });
      else session.note(`wrote ${file} and ${schema}\nnext: slipway launch${file === usualFile ? "" : ` ${file}`}`);
      return "done";
    }),
  });

function nameFault(name: string): string {
  return `${JSON.stringify(name)} is not a name: small letters, digits and dashes, a letter first`;
}

function given({ name, orchestrator, control, workers }: Flags): Partial<Answers> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(orchestrator === undefined ? {} : { orchestrator }),
    ...(control === undefined ? {} : { control }),
    ...(workers === undefined ? {} : { workers }),
  };
}

/** Asks for what the flags leave open; `undefined` when the questions were broken off. */
async function ask(session: Session, flags: Flags): Promise<Answers | undefined> {
  const prompts = await session.world.prompts();
  const fault = (check: (text: string) => unknown) => (text: string) => {
    try {
      check(text);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const name =
    flags.name ??
    (await prompts.text("Name of the cluster?", defaults.name, (text) =>
      namePattern.test(text) ? undefined : nameFault(text),
    ));
  if (name === undefined) return undefined;
  const orchestrator =
    flags.orchestrator ?? (await prompts.choose("What runs services?", orchestrators, defaults.orchestrator));
  if (orchestrator !== "swarm" && orchestrator !== "none") return undefined;
  const control =
    flags.control?.toString() ??
    (await prompts.choose("How many control nodes?", controlCounts, String(defaults.control)));
  if (control === undefined) return undefined;
  const workers =
    flags.workers?.toString() ??
    (await prompts.text("How many workers?", String(defaults.workers), fault(workerCount)));
  if (workers === undefined) return undefined;
  return { name, orchestrator, control: Number(control), workers: Number(workers) };
}
