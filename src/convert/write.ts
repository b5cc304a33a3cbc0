import { visible } from "../problems/visible.ts";
import type {
  Draft,
  DraftFile,
  DraftGroup,
  DraftMachine,
  DraftService,
  DraftUnit,
  DraftUpdates,
  DraftUser,
  DraftVolume,
} from "./draft.ts";
import type { Row } from "./outcome.ts";
import { Branch, List, type Entry, type Item, type Value } from "./tree.ts";

/** The draft as a tree to write. */
export function clusterTree(draft: Draft): Branch {
  const lists = new Map<DraftMachine, readonly (Entry | undefined)[]>();
  const groups = draft.groups.map((group): Entry => {
    const machine = lists.get(group.machine) ?? machineEntries(group.machine);
    lists.set(group.machine, machine);
    return { key: group.name, notes: group.notes, value: groupBranch(group, machine) };
  });
  const head = [`Converted by slipway convert from ${draft.sources.join(", ")}.`];
  return new Branch(
    [
      { key: "name", value: draft.name, notes: head },
      {
        key: "orchestrator",
        value: draft.orchestrator,
        notes: draft.orchestratorNote === undefined ? [] : [draft.orchestratorNote],
      },
      draft.updates === undefined ? undefined : { key: "updates", ...updatesEntry(draft.updates) },
      { key: "groups", value: new Branch(groups) },
      draft.services.length === 0
        ? undefined
        : { key: "services", value: new Branch(draft.services.map(serviceEntry)) },
      awsEntry(draft),
    ],
    draft.hadEtcd ? ["etcd: { share: /apps }   # keys that workers may read and write; none when left out"] : [],
  );
}

function groupBranch(group: DraftGroup, machine: readonly (Entry | undefined)[]): Branch {
  return new Branch([{ key: "role", value: group.role }, { key: "count", value: group.count }, ...machine]);
}

function machineEntries(machine: DraftMachine): (Entry | undefined)[] {
  return [
    mapEntry("labels", machine.labels),
    machine.volumes.length === 0 ? undefined : { key: "volumes", value: new Branch(machine.volumes.map(volumeEntry)) },
    listEntry("users", machine.users.map(userItem)),
    listEntry(
      "user_groups",
      machine.userGroups.map((name) => ({ value: new Branch([{ key: "name", value: name }]) })),
    ),
    listEntry("files", machine.files.map(fileItem)),
    listEntry("units", machine.units.map(unitItem)),
  ];
}

function listEntry(key: string, items: readonly Item[]): Entry | undefined {
  return items.length === 0 ? undefined : { key, value: new List(items) };
}

function textsEntry(key: string, texts: readonly string[]): Entry | undefined {
  return listEntry(
    key,
    texts.map((value) => ({ value })),
  );
}

function mapEntry(key: string, map: Readonly<Record<string, string>>): Entry | undefined {
  const entries = Object.entries(map);
  return entries.length === 0
    ? undefined
    : { key, value: new Branch(entries.map(([name, value]) => ({ key: name, value }))) };
}

/** A key that is written only when it has a value. */
function said(key: string, value: Value | undefined): Entry | undefined {
  return value === undefined ? undefined : { key, value };
}

function unitItem({ name, content, enabled, masked, dropIns, notes, subject }: DraftUnit): Item {
  return {
    notes,
    subject,
    value: new Branch([
      { key: "name", value: name },
      masked ? { key: "masked", value: true } : enabled ? undefined : { key: "enabled", value: false },
      said("content", content),
      listEntry(
        "drop_ins",
        dropIns.map((dropIn) => ({
          value: new Branch([
            { key: "name", value: dropIn.name },
            { key: "content", value: dropIn.content },
          ]),
        })),
      ),
    ]),
  };
}

function fileItem({ path, content, encoding, mode, user, group, notes, subject }: DraftFile): Item {
  return {
    notes,
    subject,
    value: new Branch([
      { key: "path", value: path },
      said("mode", mode),
      said("user", user),
      said("group", group),
      encoding === "text" ? undefined : { key: "encoding", value: encoding },
      { key: "content", value: content },
    ]),
  };
}

function userItem(user: DraftUser): Item {
  return {
    notes: user.notes,
    subject: user.subject,
    value: new Branch([
      { key: "name", value: user.name },
      textsEntry("keys", user.keys),
      said("comment", user.comment),
      said("home", user.home),
      said("shell", user.shell),
      said("primary_group", user.primaryGroup),
      textsEntry("groups", user.groups),
      user.system ? { key: "system", value: true } : undefined,
    ]),
  };
}

function volumeEntry({ name, size, type, format, mount, onTermination, notes, subject }: DraftVolume): Entry {
  return {
    key: name,
    notes,
    subject,
    value: new Branch([
      said("size", size),
      said("type", type),
      said("format", format),
      { key: "mount", value: mount },
      said("on_termination", onTermination),
    ]),
  };
}

function serviceEntry(service: DraftService): Entry {
  const { name, image, command, global, ports, environment, mounts, labels, constraints, notes, subject } = service;
  return {
    key: name,
    notes,
    subject,
    value: new Branch([
      { key: "image", value: image },
      global ? { key: "mode", value: "global" } : { key: "replicas", value: 1 },
      textsEntry("command", command),
      textsEntry("ports", ports),
      mapEntry("environment", environment),
      textsEntry("mounts", mounts),
      mapEntry("labels", labels),
      mapEntry("constraints", constraints),
    ]),
  };
}

function updatesEntry({ channel, group, server, reboot, window, notes }: DraftUpdates): Omit<Entry, "key"> {
  return {
    notes,
    value: new Branch([
      said("channel", channel),
      said("group", group),
      said("server", server),
      said("reboot", reboot),
      window === undefined
        ? undefined
        : {
            key: "window",
            value: new Branch([
              { key: "start", value: window.start },
              { key: "length", value: window.length },
              window.days === undefined ? undefined : textsEntry("days", window.days),
            ]),
          },
    ]),
  };
}

function awsEntry({ region, aws }: Draft): Entry | undefined {
  if (region === undefined && aws.length === 0) return undefined;
  return { key: "aws", value: new Branch([said("region", region)], aws) };
}

/** What was replaced and left out as comments for the file's end, since the file is what people keep. */
export function rowComments(rows: readonly Row[]): string {
  const lines = [...partOf(rows, "replaced", "Replaced:"), ...partOf(rows, "dropped", "Left out:")];
  return lines.map((line) => `${visible(line)}\n`).join("");
}

/** Things with the same fate stand on one line. */
function partOf(rows: readonly Row[], verdict: Row["verdict"], title: string): string[] {
  const fates = new Map<string, string[]>();
  for (const row of rows) {
    if (row.verdict !== verdict) continue;
    const fate = [row.by, row.why].filter((words) => words !== "").join("; ");
    fates.set(fate, [...(fates.get(fate) ?? []), `${row.what} (${row.at})`]);
  }
  return fates.size === 0
    ? []
    : ["", `# ${title}`, ...[...fates].map(([fate, what]) => `#   ${what.join(", ")}: ${fate}`)];
}
