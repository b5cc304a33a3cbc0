import type { CloudConfig } from "./cloud-config.ts";
import { plainKey, type Cursor } from "./cursor.ts";
import type { DraftUpdates } from "./draft.ts";
import type { Outcome } from "./outcome.ts";

const channels = ["stable", "beta", "alpha", "lts"];

/** A group of CoreOS's updates: one of its channels, or a name that an own server knows. */
export function channelOf(group: string): Pick<DraftUpdates, "channel" | "group"> {
  return channels.includes(group) ? { channel: group } : { group };
}

/** `updates:` of `coreos.update` and `coreos.locksmith`; `undefined` when neither says anything. */
export function updatesOf({ update, locksmith }: CloudConfig, outcome: Outcome): DraftUpdates | undefined {
  if (update === undefined && locksmith === undefined) return undefined;
  const notes: string[] = [];
  let result: DraftUpdates = { notes };
  for (const field of update?.entries() ?? []) {
    const text = field.text ?? "";
    const key = plainKey(field.key);
    const what = `update.${field.key}: ${text}`;
    if (key === "group") {
      result = { ...result, ...channelOf(text) };
      outcome.kept(what, field.at, "updates", channels.includes(text) ? "Flatcar has the same channel" : "");
    } else if (key === "server") {
      const dead = /core-os\.net|coreos\.com/.test(text);
      if (!dead) result = { ...result, server: text };
      if (dead) outcome.dropped(what, field.at, "CoreOS's update server is gone; Flatcar has its own");
      else outcome.kept(what, field.at, "updates");
    } else if (key === "reboot_strategy") result = { ...result, ...rebootOf(field, notes, outcome) };
    else outcome.dropped(what, field.at, "it has no counterpart");
  }
  return withWindow(result, locksmith, notes, outcome);
}

function rebootOf(field: Cursor, notes: string[], outcome: Outcome): Pick<DraftUpdates, "reboot"> {
  const strategy = field.text ?? "";
  const what = `update.${field.key}: ${strategy}`;
  if (field.flag === false) {
    outcome.kept(what, field.at, "updates: reboot never");
    return { reboot: "never" };
  }
  if (strategy === "reboot") {
    outcome.kept(what, field.at, "updates: reboot always");
    return { reboot: "always" };
  }
  const why = "its lock lay in etcd's old API, which is gone; without a lock machines do not reboot by themselves";
  outcome.replaced(what, field.at, "updates: reboot never", why);
  notes.push(`reboot-strategy was ${strategy} (${field.at}): ${why}.`);
  return { reboot: "never" };
}

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

function withWindow(
  updates: DraftUpdates,
  locksmith: Cursor | undefined,
  notes: string[],
  outcome: Outcome,
): DraftUpdates {
  const start = locksmith?.get("window_start");
  const length = locksmith?.get("window_length");
  for (const field of locksmith?.entries() ?? [])
    if (!plainKey(field.key).startsWith("window"))
      outcome.dropped(`locksmith.${field.key}`, field.at, "it belonged to the lock in etcd's old API");
  if (start === undefined || length === undefined) return updates;
  const [, day, hour = "", minute = ""] = /^(?:(\w{3})\w*\s+)?(\d{1,2}):(\d{2})$/.exec(start.text ?? "") ?? [];
  const what = `locksmith window ${start.text ?? ""} for ${length.text ?? ""}`;
  if (hour === "") {
    outcome.dropped(what, start.at, "its beginning is not a time of day");
    return updates;
  }
  const only = days.find((name) => name.toLowerCase() === day?.toLowerCase());
  const window = {
    start: `${hour.padStart(2, "0")}:${minute}`,
    length: length.text ?? "",
    ...(only === undefined ? {} : { days: [only] }),
  };
  // Without a strategy CoreOS rebooted, in the window where there was one.
  if (updates.reboot === undefined || updates.reboot === "always") {
    outcome.kept(what, start.at, "updates: window");
    return { ...updates, reboot: "window", window };
  }
  notes.push(
    `window: { start: "${window.start}", length: ${window.length}${only === undefined ? "" : `, days: [${only}]`} }   # with reboot: window`,
  );
  outcome.kept(what, start.at, "updates: window, as a comment", "nothing reboots in it as long as reboot is never");
  return updates;
}
