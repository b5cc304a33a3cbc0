import { plainKey, type Cursor } from "./cursor.ts";
import type { Outcome } from "./outcome.ts";

/** A unit as a cloud-config has it. */
export type OldUnit = {
  readonly name: string;
  readonly at: string;
  readonly content: string | undefined;
  readonly dropIns: readonly { readonly name: string; readonly content: string; readonly at: string }[];
  /** Whether it was started or enabled. */
  readonly wanted: boolean;
  readonly masked: boolean;
};

/** The parts of a cloud-config, keys with underscores. */
export type CloudConfig = {
  readonly units: readonly OldUnit[];
  readonly files: readonly Cursor[];
  readonly users: readonly Cursor[];
  /** Keys of the user core. */
  readonly keys: readonly Cursor[];
  readonly update: Cursor | undefined;
  readonly locksmith: Cursor | undefined;
  /** etcd or etcd2. */
  readonly etcd: readonly Cursor[];
  readonly fleet: Cursor | undefined;
  readonly flannel: Cursor | undefined;
};

const starts = ["start", "restart", "try-restart", "reload-or-restart", "reload-or-try-restart"];

/** Reads a cloud-config of CoreOS in either spelling of its keys; what has no place is said. */
export function readCloudConfig(root: Cursor, outcome: Outcome): CloudConfig {
  const parts: { -readonly [Key in keyof CloudConfig]: CloudConfig[Key] } = {
    units: [],
    files: [],
    users: [],
    keys: [],
    update: undefined,
    locksmith: undefined,
    etcd: [],
    fleet: undefined,
    flannel: undefined,
  };
  for (const entry of root.entries()) {
    switch (plainKey(entry.key)) {
      case "coreos":
        readCoreos(entry, parts, outcome);
        break;
      case "write_files":
        parts.files = entry.list();
        break;
      case "users":
        parts.users = entry.list();
        break;
      case "ssh_authorized_keys":
        parts.keys = entry.list();
        break;
      case "hostname":
        outcome.replaced(
          `hostname: ${entry.text ?? ""}`,
          entry.at,
          "node names",
          "a node is called <cluster>-<group>-<n>",
        );
        break;
      case "manage_etc_hosts":
        outcome.dropped("manage_etc_hosts", entry.at, "the target writes /etc/hosts");
        break;
      default:
        outcome.dropped(entry.key, entry.at, "CoreOS's cloud-config has no such key, and read it over");
    }
  }
  return parts;
}

function readCoreos(
  coreos: Cursor,
  parts: { -readonly [Key in keyof CloudConfig]: CloudConfig[Key] },
  outcome: Outcome,
): void {
  for (const entry of coreos.entries()) {
    switch (plainKey(entry.key)) {
      case "units":
        parts.units = entry.list().flatMap(readUnit);
        break;
      case "etcd":
      case "etcd2":
        parts.etcd = [...parts.etcd, entry];
        break;
      case "fleet":
        parts.fleet = entry;
        break;
      case "flannel":
        parts.flannel = entry;
        break;
      case "update":
        parts.update = entry;
        break;
      case "locksmith":
        parts.locksmith = entry;
        break;
      case "oem":
        outcome.dropped("coreos.oem", entry.at, "the system's image says who made it");
        break;
      default:
        outcome.dropped(`coreos.${entry.key}`, entry.at, "CoreOS's cloud-config has no such key, and read it over");
    }
  }
}

function readUnit(unit: Cursor): OldUnit[] {
  if (!unit.isMap) {
    unit.refuse({ code: "wrong-type", message: "a unit is a map", fix: "- name: x.service" });
    return [];
  }
  const name = unit.get("name")?.text;
  if (name === undefined) {
    unit.refuse({ code: "missing-key", message: "the unit has no name", fix: "name: x.service" });
    return [];
  }
  return [
    {
      name,
      at: unit.get("name")?.at ?? unit.at,
      content: unit.get("content")?.text,
      dropIns: (unit.get("drop_ins")?.list() ?? []).flatMap((dropIn) => {
        const file = dropIn.get("name")?.text;
        return file === undefined ? [] : [{ name: file, content: dropIn.get("content")?.text ?? "", at: dropIn.at }];
      }),
      wanted: starts.includes(unit.get("command")?.text ?? "") || unit.get("enable")?.flag === true,
      masked: unit.get("mask")?.flag === true,
    },
  ];
}
