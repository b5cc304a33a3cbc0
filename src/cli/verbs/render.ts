import { buildCommand } from "@stricli/core";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Asked, Pointed } from "../../operations/pointed.ts";
import { usualFile } from "../choice.ts";
import { act, type CliContext } from "../context.ts";
import { docs } from "../docs.ts";
import { InvalidFileError, UsageError } from "../failure.ts";
import { readClusterFile } from "../file.ts";
import { common, overwriteFlag, toggle, type Common, type Toggle } from "../flags.ts";
import { problemsJson, showProblems } from "../../problems/show.ts";
import type { Session } from "../session.ts";
import { fileWord } from "../words.ts";

const formats = ["ignition", "coreos-cloud-config", "cloud-init", "agent", "cloudformation"] as const;
const systems = ["flatcar", "fedora-coreos", "debian", "ubuntu"] as const;
type Flags = Pick<Common, "name" | "json" | "quiet" | "noColor"> & {
  readonly group: string | undefined;
  readonly format: (typeof formats)[number] | undefined;
  readonly os: (typeof systems)[number] | undefined;
  readonly whole: Toggle;
  readonly node: string | undefined;
  readonly store: string | undefined;
  readonly pin: string | undefined;
  readonly token: string | undefined;
  readonly facts: string | undefined;
  readonly output: string | undefined;
  readonly publish: string | undefined;
  readonly force: Toggle;
};

/** The system that is meant when neither the file nor `--os` says one, and the format it reads. */
const usual = {
  ignition: "flatcar",
  "coreos-cloud-config": "flatcar",
  "cloud-init": "debian",
  agent: "flatcar",
} as const;
const zeros = "0".repeat(64);
const word = (placeholder: string, brief: string) =>
  ({ kind: "parsed", parse: String, optional: true, placeholder, brief }) as const;

export default (brief: string) =>
  buildCommand<Flags, [string?], CliContext>({
    docs: docs(
      brief,
      "Prints what a provider is given as user data for the nodes of a group: a few KB that point at the cluster's store, or\nwith --whole all files and units. The store of the file's cluster says its address, its pin and the sums of the programs;\nwhat neither it nor an option says is a placeholder, and named as one.\nWith --format cloudformation the whole cluster as a template for AWS, without asking AWS anything.",
      [
        ["render --group worker --format ignition", "for Flatcar and Fedora CoreOS"],
        ["render --group worker --format coreos-cloud-config --whole", "all in one, for Flatcar"],
        ["render --group control --format cloud-init --os ubuntu", "for Ubuntu"],
        ["render --format cloudformation -o demo.template.json", "the whole cluster on AWS"],
        ["render --group worker --format agent", "the machine config itself, with the origin of every value"],
      ],
    ),
    parameters: {
      flags: {
        group: word("group", "the group of nodes (default: the only one)"),
        format: {
          kind: "enum",
          values: formats,
          optional: true,
          brief: "the words it is written in (default: the system's)",
        },
        os: { kind: "enum", values: systems, optional: true, brief: "the system (default: what the file says)" },
        whole: toggle("all files and units in the user data, so that a node boots without the store"),
        node: word("name", "the host name of one node"),
        store: word("url", "the store's address, as nodes see it"),
        pin: word("sha256", "the sum of the cluster's root certificate"),
        token: word("token", "a join token of the group"),
        facts: word("file", "what AWS has said, for --format cloudformation (default: nothing)"),
        output: word("file", "write the template there"),
        publish: word(
          "s3://…",
          "--format cloudformation: found the cluster there and write it, with what its nodes fetch",
        ),
        force: overwriteFlag,
        name: common.name,
        json: common.json,
        quiet: common.quiet,
        noColor: common.noColor,
      },
      aliases: { o: "output" },
      positional: { kind: "tuple", parameters: [fileWord] },
    },
    func: act(async (session, flags: Flags, file = usualFile) => {
      if (flags.format === "cloudformation")
        return (await import("../template.ts")).printTemplate(session, file, flags);
      const { cluster, warnings, source } = await readClusterFile(session, file, {
        on: "files",
        ...(flags.format === undefined ? {} : { usualOs: usual[flags.format] }),
        ...(flags.os === undefined ? {} : { os: flags.os }),
      });
      const groups = cluster.groups.map(({ name }) => name);
      const group = flags.group ?? (groups.length === 1 ? groups[0] : undefined);
      if (group === undefined || !groups.some((name) => name === group))
        throw new UsageError(
          group === undefined ? `${cluster.name} has several groups` : `${cluster.name} has no group ${group}`,
          `slipway render ${file} --group ${groups.join("|")}`,
        );
      const from = flags.format === "agent" ? undefined : await askStore(session, cluster);
      const seen = from?.kind === "seen" ? from.value : undefined;
      const missing = placeholders(flags, group, seen);
      const render = await session.world.operations.render();
      const read = render({
        cluster,
        group,
        ...(flags.format === undefined ? {} : { format: flags.format }),
        whole: flags.whole === true,
        ...(flags.node === undefined ? {} : { hostName: flags.node }),
        pointer: {
          cluster: cluster.name,
          group,
          store: flags.store ?? seen?.store ?? "https://store.example:7443",
          pin: flags.pin ?? seen?.pin ?? zeros,
          token: flags.token ?? "TOKEN",
          runtime: seen?.runtime ?? { agent: zeros, node: { x86_64: zeros, aarch64: zeros } },
        },
      });
      if (read.kind === "bad") throw new InvalidFileError(read.problems, source);
      const all = [...warnings, ...read.warnings];
      if (flags.json) {
        const problems = problemsJson(all, source);
        const names = flags.format === "agent" ? [] : missing.map(({ name }) => name);
        session.document({ group, os: cluster.os, ...read.value, placeholders: names, problems });
        return;
      }
      if (all.length > 0) session.note(showProblems(all, source, { color: session.err.colour }).trimEnd());
      session.print(read.value.text);
      if (from !== undefined && missing.length > 0)
        session.note(
          `note: ${from.kind === "unknown" ? `${from.why}\n` : ""}placeholders: ${missing.map(({ name, how }) => `${name} (${how})`).join(", ")}`,
        );
      session.note(`${read.value.size} of ${read.value.limit} bytes`);
    }),
  });

/** Asks the store of the file's cluster; nobody where the file names none. */
async function askStore({ world }: Session, cluster: Cluster): Promise<Asked> {
  const pointed = await world.operations.pointed();
  return pointed(await world.openTarget("files", cluster.files), cluster);
}

/** The values that nobody said, and how each can be had. */
function placeholders(
  { store, pin, token }: Pick<Flags, "store" | "pin" | "token">,
  group: string,
  seen: Pointed | undefined,
): readonly { readonly name: string; readonly how: string }[] {
  const served = "slipway store serve, slipway launch --on files";
  return [
    ...((store ?? seen?.store) === undefined ? [{ name: "store", how: "--store" }] : []),
    ...((pin ?? seen?.pin) === undefined ? [{ name: "pin", how: "--pin" }] : []),
    ...(token === undefined ? [{ name: "token", how: `slipway store token create ${group}; --token` }] : []),
    ...(seen === undefined ? [{ name: "the programs' sums", how: served }] : []),
  ];
}
