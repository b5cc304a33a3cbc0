import { buildCommand } from "@stricli/core";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";

export default (brief: string) =>
  buildCommand<Record<never, never>, [], CliContext>({
    docs: docs(
      brief,
      "Prints the JSON Schema of cluster.yml. Editors complete words from it where the file's first line names it.",
      [["schema > cluster.schema.json", "beside cluster.yml"]],
    ),
    parameters: {},
    func: act(async (session) => {
      session.document((await import("../../spec/schema.ts")).editorSchema());
    }),
  });
