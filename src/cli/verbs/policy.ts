import { buildCommand } from "@stricli/core";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { InvalidFileError, UsageError } from "../failure.ts";
import { common, type Common } from "../flags.ts";
import { fileWord } from "../words.ts";

const purposes = ["launch", "operate", "cleanup"] as const;
type Flags = Pick<Common, "name" | "json" | "quiet" | "noColor"> & {
  readonly for: string;
  readonly facts: string | undefined;
};

// What IAM takes as a managed policy; an inline one of a user has less (IAM and AWS STS quotas).
const managedPolicy = 6_144;
const zeros = "0".repeat(64);

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Prints the smallest IAM policy for one purpose, from the resources that the file's cluster has: what CloudFormation does in its\ncaller's name, and what Slipway asks itself. Offline; an account or a region that is not known is a wildcard.",
      [
        ["policy cluster.yml", "who launches"],
        ["policy cluster.yml --for operate", "status, start, stop, exec and logs"],
        ["policy cluster.yml --for node:worker", "what the nodes of a group may do, as the template's role says it"],
      ],
    ),
    parameters: {
      flags: {
        for: {
          kind: "parsed",
          parse: String,
          default: "launch",
          placeholder: "purpose",
          brief: "launch, operate, cleanup or node:GROUP",
        },
        facts: {
          kind: "parsed",
          parse: String,
          optional: true,
          placeholder: "file",
          brief: "what AWS has said: account, region, groups that are there",
        },
        name: common.name,
        json: common.json,
        quiet: common.quiet,
        noColor: common.noColor,
      },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      const { readClusterFile } = await import("../file.ts");
      const { factsFor } = await import("../template.ts");
      const { cluster, source } = await readClusterFile(session, file, { on: "aws" });
      const { templates } = await import("../../targets/templates.ts");
      const { compile, nodePolicy, operatorPolicy, plainValue } = await templates();
      const facts = await factsFor(session, flags.facts);
      const purpose = purposes.find((one) => one === flags.for);
      const group = cluster.groups.find(({ name }) => flags.for === `node:${name}`);
      if (purpose === undefined && group === undefined)
        throw new UsageError(
          `there is no policy for ${flags.for}`,
          `slipway policy ${file} --for ${[...purposes, ...cluster.groups.map(({ name }) => `node:${name}`)].join("|")}`,
        );
      const read = compile(cluster, facts, { runtime: { agent: zeros, node: { x86_64: zeros, aarch64: zeros } } });
      if (read.kind === "bad") throw new InvalidFileError(read.problems, source);
      const policy = plainValue(
        purpose === undefined && group !== undefined
          ? nodePolicy(cluster, group, facts)
          : operatorPolicy(cluster, read.value.graph, facts, purpose ?? "launch"),
      );
      if (flags.json) return session.document(policy);
      session.print(JSON.stringify(policy, undefined, 2));
      const size = JSON.stringify(policy).replaceAll(/\s/g, "").length;
      if (size > managedPolicy)
        session.note(`note: ${size} characters; a managed policy has at most ${managedPolicy}: make two of it`);
    }),
  });
