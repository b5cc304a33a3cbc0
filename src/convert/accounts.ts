import type { CloudConfig } from "./cloud-config.ts";
import type { Cursor } from "./cursor.ts";
import { plainKey } from "./cursor.ts";
import type { DraftUser } from "./draft.ts";
import type { Outcome } from "./outcome.ts";

/** Groups that every node has. */
const brought = new Set(["root", "adm", "sudo", "docker", "users", "systemd-journal"]);

type Accounts = { readonly users: readonly DraftUser[]; readonly userGroups: readonly string[] };

/** The users of a cloud-config; its own keys are those of core. */
export function accountsOf({ users, keys }: CloudConfig, outcome: Outcome): Accounts {
  const read = users.flatMap((user) => userOf(user, outcome));
  const own = keys.flatMap((key) => key.text ?? []);
  const [first] = keys;
  if (first !== undefined && own.length > 0) {
    const subject = { what: "ssh_authorized_keys", at: first.at };
    const at = read.findIndex(({ name }) => name === "core");
    const there = read[at];
    if (there === undefined) read.unshift({ ...plainUser("core", subject), keys: own });
    else read[at] = { ...there, keys: [...there.keys, ...own] };
    outcome.kept(subject.what, subject.at, "users: core");
  }
  const asked = read.flatMap(({ primaryGroup, groups }) => [
    ...(primaryGroup === undefined ? [] : [primaryGroup]),
    ...groups,
  ]);
  const names = new Set(read.map(({ name }) => name));
  const userGroups = [...new Set(asked)].filter((name) => !brought.has(name) && !names.has(name)).toSorted();
  return { users: read, userGroups };
}

function plainUser(name: string, subject: DraftUser["subject"]): DraftUser {
  return {
    name,
    keys: [],
    comment: undefined,
    home: undefined,
    shell: undefined,
    primaryGroup: undefined,
    groups: [],
    system: false,
    notes: [],
    subject,
  };
}

function userOf(user: Cursor, outcome: Outcome): DraftUser[] {
  const name = user.get("name")?.text;
  if (name === undefined) {
    outcome.dropped(`user ${user.text ?? ""}`.trim(), user.at, "it has no name of its own");
    return [];
  }
  const subject = { what: `user ${name}`, at: user.get("name")?.at ?? user.at };
  let result = plainUser(name, subject);
  for (const field of user.entries()) {
    const { text } = field;
    switch (plainKey(field.key)) {
      case "name":
        break;
      case "ssh_authorized_keys":
        result = { ...result, keys: field.list().flatMap((key) => key.text ?? []) };
        break;
      case "gecos":
        result = { ...result, comment: text };
        break;
      case "homedir":
        result = { ...result, home: text };
        break;
      case "shell":
        result = { ...result, shell: text };
        break;
      case "primary_group":
        result = { ...result, primaryGroup: text };
        break;
      case "groups":
        result = {
          ...result,
          groups: field.isList
            ? field.list().flatMap((group) => group.text ?? [])
            : (text ?? "").split(/\s*,\s*/).filter(Boolean),
        };
        break;
      case "system":
        result = { ...result, system: field.flag === true };
        break;
      case "passwd":
        outcome.dropped(`user ${name}: passwd`, field.at, "users have no passwords, only keys");
        break;
      case "coreos_ssh_import_github":
      case "coreos_ssh_import_github_users":
      case "coreos_ssh_import_url":
        outcome.dropped(`user ${name}: ${field.key}`, field.at, "keys are not fetched at boot; write them under keys:");
        break;
      default:
        outcome.dropped(`user ${name}: ${field.key}`, field.at, "it has no counterpart for a user of a node");
    }
  }
  outcome.kept(subject.what, subject.at, `users: ${name}`);
  return [result];
}
