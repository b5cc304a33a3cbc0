import type { Faults } from "./faults.ts";
import { placeOf, type Lines } from "./lines.ts";
import type { Outcome } from "./outcome.ts";
import { channelOf } from "./updates.ts";
import type { DraftUpdates } from "./draft.ts";

/** A variable that is set, and where. */
export type Setting = { readonly name: string; readonly value: string | undefined; readonly at: string };

/** The assignments of envs.sh, or of the Makefile's head; nothing is run, so that the output of a command is unknown. */
export function assignmentsOf(lines: Lines, faults: Faults): readonly Setting[] {
  const found = new Map<string, Setting>();
  for (const [index, line] of lines.text.split("\n").entries()) {
    const parts = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*([?:+]?=)\s?(.*?)\s*$/.exec(line);
    if (parts === null) continue;
    const [, name = "", sign = "", written = ""] = parts;
    const value = valueOf(written, found);
    if (value === "open") {
      faults.add(lines, index + 1, line.indexOf(written) + 1, written.length, {
        code: "invalid-value",
        message: `the quote of ${name} is not closed on this line`,
        fix: `${name}="value"`,
      });
      continue;
    }
    if (sign === "?=" && found.has(name)) continue;
    found.set(name, { name, value: value?.text, at: placeOf(lines, index + 1) });
  }
  return [...found.values()];
}

type Value = { readonly text: string } | "open" | undefined;

function valueOf(written: string, known: ReadonlyMap<string, Setting>): Value {
  const quote = /^["']/.exec(written)?.[0];
  if (quote === "'") {
    const text = /^'([^']*)'/.exec(written)?.[1];
    return text === undefined ? "open" : { text };
  }
  if (/\$\(|`/.test(written)) return undefined;
  const inner =
    quote === undefined ? /^(.*?)(?:\s+#.*|\s*;.*)?$/.exec(written)?.[1] : /^"((?:[^"\\]|\\.)*)"/.exec(written)?.[1];
  if (inner === undefined) return "open";
  let complete = true;
  const text = inner.replace(
    /\\(.)|\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)/g,
    (_, escaped?: string, braced?: string, otherwise?: string, bare?: string) => {
      if (escaped !== undefined) return escaped;
      const value = known.get(braced ?? bare ?? "")?.value ?? otherwise;
      if (value === undefined) complete = false;
      return value ?? "";
    },
  );
  return complete ? { text } : undefined;
}

export type Settings = {
  readonly name: { readonly text: string; readonly at: string } | undefined;
  readonly region: string | undefined;
  readonly aws: readonly string[];
  readonly updates: DraftUpdates | undefined;
};

const ownCommands = "it was for terraform and make, which have no part in a launch";

/** What the variables of aws-terraform become. */
export function readSettings(settings: readonly Setting[], outcome: Outcome): Settings {
  const aws: string[] = [];
  let read: Settings = { name: undefined, region: undefined, aws, updates: undefined };
  for (const { name, value, at } of settings) {
    const what = `${name}=${value ?? "…"}`;
    const account = /^(?:ALLOWED|FORBIDDEN)_ACCOUNT_IDS$/.test(name);
    if (value === undefined && !fates.has(name) && !account) {
      outcome.dropped(
        what,
        at,
        "its value is a command's output or an unknown variable, and nothing of the file is run",
      );
      continue;
    }
    const text = value ?? "";
    if (name === "CLUSTER_NAME") {
      read = { ...read, name: { text, at } };
      outcome.kept(what, at, "name");
    } else if (name === "AWS_REGION" || name === "AWS_DEFAULT_REGION") {
      read = { ...read, region: text };
      outcome.kept(what, at, "aws: region");
    } else if (name === "COREOS_UPDATE_CHANNE" || name === "COREOS_UPDATE_CHANNEL") {
      read = { ...read, updates: { ...channelOf(text), notes: [] } };
      outcome.replaced(what, at, `updates: channel ${text}`, "of Flatcar, which took over from CoreOS");
    } else if (account || name === "TF_VAR_allow_ssh_cidr") {
      const key = name === "TF_VAR_allow_ssh_cidr" ? "allow_ssh_from" : name.toLowerCase();
      // Twelve digits with a zero in front are a number no more once YAML has read them.
      if (value !== undefined) aws.push(`${key}: ${JSON.stringify(text)}   # ${at}`);
      if (value !== undefined) outcome.kept(what, at, "aws: as a comment", "for machines on AWS");
      else outcome.dropped(what, at, "its value is a command's output, and nothing of the file is run");
    } else sayOther(name, what, at, outcome);
  }
  return read;
}

type Fate = { readonly by: string; readonly why: string };

const fates: ReadonlyMap<string, Fate> = new Map(
  Object.entries({
    AWS_PROFILE: {
      by: "the environment",
      why: "AWS_PROFILE is read from the environment at launch, and belongs in no file",
    },
    APP_REPOSITORY: { by: "services:", why: "nodes fetch no repository any more; what runs stands in cluster.yml" },
    APP_REPOSITORY_DEPLOYKEY: { by: "", why: "nodes fetch no repository any more, and a key is a secret" },
    APP_DOMAIN: { by: "", why: "Slipway writes no names to Route 53; slipway dns shows the names that there are" },
    VM_TYPE: { by: "", why: "every machine type of today is hvm" },
    CONFIRM_TF_APPLY: { by: "slipway launch", why: "it asks before anything is lost; --yes answers" },
    LOCK_KEYNAME: { by: "the store's lock", why: "it is taken by each operation, and given back" },
    GIT_SSH_COMMAND: { by: "", why: "nodes fetch no repository any more" },
    TF_VAR_timestamp: { by: "labels", why: "everything bears the cluster's name" },
    TF_VAR_iamuser: { by: "slipway events", why: "the journal says who did what" },
  }),
);

function sayOther(name: string, what: string, at: string, outcome: Outcome): void {
  const fate = fates.get(name);
  if (fate === undefined) outcome.dropped(what, at, ownCommands);
  else if (fate.by === "") outcome.dropped(what, at, fate.why);
  else outcome.replaced(what, at, fate.by, fate.why);
}
