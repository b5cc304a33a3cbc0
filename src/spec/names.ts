import { quoted } from "../problems/visible.ts";
import type { Complaint } from "./fields.ts";

/** A lower-case DNS label, as clusters, groups and services are called. */
export function dnsLabel(what: string, most: number): (name: string) => Complaint | undefined {
  return (name) => {
    if (name.length > most)
      return invalid(what, name, `has ${name.length} characters`, `use at most ${most} characters`);
    if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) return undefined;
    const near = name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "");
    return invalid(
      what,
      name,
      "is not a DNS label",
      near === "" || near.length > most ? "use lower-case letters, digits and -" : near,
    );
  };
}

/** A label's key: letters, digits, `.`, `_`, `-` and `/`, not one of Slipway's own. */
export function labelKey(name: string): Complaint | undefined {
  if (name.length > 128 || !/^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$/.test(name))
    return invalid("label", name, "is not valid", "use at most 128 letters, digits, . _ - and /");
  return name.startsWith("slipway.") ? invalid("label", name, "is Slipway's own", "use another prefix") : undefined;
}

/** A constraint's key: what Swarm can compare in `node.labels.<key>`. */
export function constraintKey(name: string): Complaint | undefined {
  return name.length <= 128 && /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)
    ? undefined
    : invalid("constraint", name, "cannot be compared by Swarm", "use letters, digits, . _ and -");
}

/** The name of an environment variable. */
export function variableName(name: string): Complaint | undefined {
  return name.length <= 256 && /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)
    ? undefined
    : invalid("variable", name, "is not valid", "use letters, digits and _, not a digit first");
}

/** The name of a secret or a volume, as Docker allows it. */
export function dockerName(what: string): (name: string) => Complaint | undefined {
  return (name) =>
    name.length <= 64 && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)
      ? undefined
      : invalid(what, name, "is not valid", "use at most 64 letters, digits, _ . and -");
}

/** A user or a group of a node, by name or number. */
export function accountName(name: string): Complaint | undefined {
  return name.length <= 32 && /^([a-z_][a-z0-9_-]*\$?|0|[1-9][0-9]{0,9})$/.test(name)
    ? undefined
    : invalid("account", name, "is not valid", "use a name such as root, or a number");
}

/** The name of a user or of a group of users that is made. */
export function userName(name: string): Complaint | undefined {
  return name.length <= 32 && /^[a-z_][a-z0-9_-]*$/.test(name)
    ? undefined
    : invalid("account", name, "is not valid", "use lower-case letters, digits, _ and -, a letter first");
}

/** The name of a systemd unit, with its kind behind the dot. */
export function unitName(name: string): Complaint | undefined {
  const kinds = "service|socket|timer|path|mount|automount|target|slice|swap|device|scope";
  return name.length <= 255 && new RegExp(`^[A-Za-z0-9:_.\\\\-]+(@[A-Za-z0-9:_.\\\\-]*)?\\.(${kinds})$`).test(name)
    ? undefined
    : invalid("unit", name, "is not valid", "such as backup.service or backup.timer");
}

/** The name of a drop-in file. */
export function dropInName(name: string): Complaint | undefined {
  return name.length <= 255 && /^[A-Za-z0-9_][A-Za-z0-9_.@-]*\.conf$/.test(name)
    ? undefined
    : invalid("drop-in", name, "is not valid", "such as 10-memory.conf");
}

function invalid(what: string, name: string, why: string, fix: string): Complaint {
  return { code: "invalid-name", message: `the ${what} name ${quoted(name)} ${why}`, fix };
}
