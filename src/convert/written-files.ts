import { hiddenCharacter } from "../problems/visible.ts";
import type { Cursor } from "./cursor.ts";
import type { DraftFile } from "./draft.ts";
import type { Outcome } from "./outcome.ts";

/** Files that the target writes itself; in a container they are mounts that cannot be replaced. */
const ofTarget = new Set(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"]);

const encodings: ReadonlyMap<string, DraftFile["encoding"]> = new Map([
  ...["", "text", "text/plain"].map((word) => [word, "text"] as const),
  ...["base64", "b64"].map((word) => [word, "base64"] as const),
  ...["gzip+base64", "gz+base64", "gzip+b64", "gz+b64"].map((word) => [word, "gzip+base64"] as const),
]);

/** The files of a cloud-config; `users` may own them. */
export function filesOf(files: readonly Cursor[], users: ReadonlySet<string>, outcome: Outcome): readonly DraftFile[] {
  return files.flatMap((file) => fileOf(file, users, outcome));
}

function fileOf(file: Cursor, users: ReadonlySet<string>, outcome: Outcome): DraftFile[] {
  const path = file.get("path")?.text;
  if (path === undefined) {
    file.refuse({ code: "missing-key", message: "the file has no path", fix: "path: /etc/…" });
    return [];
  }
  const subject = { what: `file ${path}`, at: file.get("path")?.at ?? file.at };
  if (ofTarget.has(path)) {
    outcome.dropped(subject.what, subject.at, "the target writes it");
    return [];
  }
  const word = file.get("encoding")?.text ?? "";
  const encoding = encodings.get(word);
  if (encoding === undefined) {
    outcome.dropped(subject.what, subject.at, `its encoding ${word} cannot stand in a text`);
    return [];
  }
  const notes: string[] = [];
  const written = withoutSlack(file.get("content")?.text ?? "", subject, notes, outcome);
  const hidden = encoding === "text" && hiddenCharacter(written, true) !== undefined;
  if (encoding === "text" && /\$(?:private|public)_ipv[46]|COREOS_(?:PRIVATE|PUBLIC)_IPV[46]/.test(written))
    notes.push("$private_ipv4 and the like stay as they are: a node's address is known only when it runs.");
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(written))
    notes.push("It holds a private key, which does not belong in a file that others read.");
  const owner = ownerOf(file.get("owner")?.text, users, subject, outcome);
  outcome.kept(subject.what, subject.at, "files:", notes.join(" "));
  return [
    {
      path,
      content: hidden ? Buffer.from(written, "utf8").toString("base64") : written,
      encoding: hidden ? "base64" : encoding,
      mode: modeOf(file.get("permissions")?.text),
      ...owner,
      notes,
      subject,
    },
  ];
}

/** Octal digits, whatever YAML takes them for. */
function modeOf(permissions: string | undefined): string | undefined {
  const digits = permissions?.replace(/^0o/, "");
  return digits !== undefined && /^0?[0-7]{3,4}$/.test(digits) ? digits.slice(-4).padStart(4, "0") : permissions;
}

function ownerOf(
  owner: string | undefined,
  users: ReadonlySet<string>,
  subject: DraftFile["subject"],
  outcome: Outcome,
): { readonly user: string | undefined; readonly group: string | undefined } {
  const [user = "", group = ""] = (owner ?? "").split(":");
  const known = (name: string): boolean => users.has(name) || /^\d+$/.test(name);
  for (const name of new Set([user, group]))
    if (name !== "" && name !== "root" && !known(name))
      outcome.dropped(`${subject.what}: owner ${name}`, subject.at, `nodes have no ${name}; the file is root's`);
  const keep = (name: string): string | undefined => (name !== "root" && known(name) ? name : undefined);
  return { user: keep(user), group: keep(group) };
}

/** A webhook's address is a secret, and there is nothing on a node any more that would call it. */
function withoutSlack(content: string, subject: DraftFile["subject"], notes: string[], outcome: Outcome): string {
  const lines = content.split("\n");
  const kept = lines.filter((line) => !/^\s*(?:export\s+)?SLACK_\w+=/.test(line));
  if (kept.length === lines.length) return content;
  outcome.dropped(
    `${subject.what}: SLACK_…`,
    subject.at,
    "nodes call no webhook, and its address is a secret; pass slipway events --follow --json on",
  );
  notes.push("The lines of Slack were left out: a webhook's address is a secret, and nothing on the node calls it.");
  return kept.join("\n");
}
