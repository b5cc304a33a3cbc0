import { buildCommand } from "@stricli/core";
import { pasteable } from "../../host/processes.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { UsageError } from "../failure.ts";
import { common, overwriteFlag, type Common, type Toggle } from "../flags.ts";

type Flags = Pick<Common, "json" | "quiet" | "noColor" | "name"> & {
  readonly output: string | undefined;
  readonly force: Toggle;
};

export default (brief: string) =>
  buildCommand<Flags, string[], CliContext>({
    docs: docs(
      brief,
      "Reads op.py's conf file, CoreOS cloud-configs, heat templates with params.yml and lists of units, fleet units,\naws-terraform's envs.sh and modules, and CloudFormation templates with cloud-configs in them. Writes a cluster.yml with\ncomments, and a table of what was kept, what was replaced by what, and what has no counterpart and why.",
      [
        ["convert config/cluster-conf.yml --name demo -o cluster.yml", "op.py, with the cloud-config that it names"],
        ["convert heat.yaml params.yml --name demo", "to standard output; the table goes to standard error"],
        ["convert envs.sh etcd.tf worker.tf --json", "for programs"],
      ],
    ),
    parameters: {
      flags: {
        name: common.name,
        output: {
          kind: "parsed",
          parse: String,
          optional: true,
          placeholder: "file",
          brief: "write the cluster.yml there",
        },
        force: overwriteFlag,
        json: common.json,
        quiet: common.quiet,
        noColor: common.noColor,
      },
      aliases: { o: "output" },
      positional: {
        kind: "array",
        minimum: 1,
        parameter: { parse: String, placeholder: "file", brief: "file of the old system" },
      },
    },
    func: act(async (session, flags: Flags, ...words: string[]) => {
      const { files } = session.world;
      const { output } = flags;
      if (output !== undefined && flags.force !== true && files.exists(output))
        throw new UsageError(
          `${output} is there already`,
          pasteable(["slipway", "convert", ...words, "-o", output, "--force"]),
        );
      const { textOf } = await import("../file.ts");
      const inputs = await Promise.all(words.map(async (file) => ({ file, content: await textOf(session, file) })));
      const { conversionOf } = await import("../conversion.ts");
      const { yaml, rows } = await conversionOf(session, inputs, pasteable(["slipway", "convert", ...words]));
      if (output !== undefined) await files.write(output, yaml, flags.force === true);
      if (flags.json) {
        session.document({ ...(output === undefined ? {} : { file: output }), yaml, rows });
        return;
      }
      const { outcomeCounts, outcomeTable } = await import("../views/outcome.ts");
      if (output === undefined) session.print(yaml);
      session.note(outcomeTable(rows, session.err));
      if (output !== undefined)
        session.note(
          `wrote ${output}: ${outcomeCounts(rows)}\nnext: slipway check ${output}, and slipway launch ${output}`,
        );
    }),
  });
