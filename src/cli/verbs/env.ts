import { buildCommand } from "@stricli/core";
import { chosenCluster } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { common, toggle, type Common, type Toggle } from "../flags.ts";
import { shells, variableLines, type Shell } from "../views/variables.ts";
import { clusterWord } from "../words.ts";

type Flags = Common & {
  readonly folder: string | undefined;
  readonly shell: Shell;
  readonly unset: Toggle;
};

const variables = [
  "DOCKER_HOST",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "ETCDCTL_API",
  "ETCDCTL_ENDPOINTS",
  "ETCDCTL_CACERT",
  "ETCDCTL_CERT",
  "ETCDCTL_KEY",
];

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Issues certificates for 24 hours, writes them to a folder that only you can read, and prints the variables with which\ndocker and etcdctl speak to the cluster.",
      [
        ["env demo | source /dev/stdin", "into this shell"],
        ["env demo --shell fish | source", "in fish"],
        ["env --unset", "and out again"],
      ],
    ),
    parameters: {
      flags: {
        ...common,
        folder: {
          kind: "parsed",
          parse: String,
          optional: true,
          brief: "where keys and certificates go (default: the user's runtime folder)",
          placeholder: "folder",
        },
        shell: {
          kind: "enum",
          values: shells,
          default: "sh",
          brief: "the shell that will read it",
        },
        unset: toggle("print what forgets the variables"),
      },
      positional: { kind: "tuple", parameters: [clusterWord] },
    },
    func: act(async (session, flags: Flags, word?: string) => {
      if (flags.unset) {
        return session.print(
          variableLines(Object.fromEntries(variables.map((name) => [name, undefined])), flags.shell),
        );
      }
      const context = await session.looking();
      const cluster = await chosenCluster(session, context, word);
      const env = await session.world.operations.env();
      const made = await env(context, {
        cluster,
        folder: session.world.files.absolute(flags.folder ?? session.world.privateFolder(cluster)),
      });
      if (flags.json) return session.document(made);
      session.print(variableLines(made.variables, flags.shell));
      session.note(`# certificates end ${made.expires}`);
    }),
  });
