import { buildCommand } from "@stricli/core";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";
import { problemsJson, showProblems } from "../../problems/show.ts";
import { counted } from "../views/sentence.ts";
import { fileWord } from "../words.ts";

type Flags = Common & { readonly resolved: Toggle };

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Reads the file, offline, and shows every problem with its line and what would be right. Exit code 2 when there are errors.",
      [
        ["check", "./cluster.yml"],
        ["check examples/swarm.yml --resolved", "with every default filled in"],
        ["check --json", "problems for editors and CI"],
      ],
    ),
    parameters: {
      flags: { ...common, resolved: toggle("print the file with every default filled in") },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const { readClusterFile } = await import("../file.ts");
      const { cluster, warnings, source } = await readClusterFile(session, file);
      const resolved = flags.resolved ? (await import("../../cluster/show.ts")).resolvedYaml(cluster) : undefined;
      if (flags.json) {
        session.document({
          file,
          problems: problemsJson(warnings, source),
          ...(resolved === undefined ? {} : { resolved: cluster }),
        });
        return;
      }
      if (warnings.length > 0) session.note(showProblems(warnings, source, { color: session.err.colour }).trimEnd());
      if (resolved !== undefined) return session.print(resolved);
      if (flags.quiet) return;
      const nodes = cluster.groups.reduce((sum, group) => sum + group.count, 0);
      const services = cluster.services.length === 0 ? "" : `, ${counted(cluster.services.length, "service")}`;
      session.print(`${file}: good: ${cluster.name} on ${cluster.target}, ${counted(nodes, "node")}${services}`);
    }),
  });
