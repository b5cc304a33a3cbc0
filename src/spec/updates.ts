import type * as z from "zod";
import { quoted } from "../problems/visible.ts";
import { choice, complain, listOf, section, text, type Complaint } from "./fields.ts";
import { duration } from "./values.ts";

const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

const window = section("When machines may reboot for an update; UTC.", {
  start: text({ description: 'When it opens, as "04:00".', schema: { type: "string" }, check: timeComplaint }),
  length: duration("How long it is open, such as 1h30m.", 60_000),
  days: listOf("On which days; every day when left out.", choice("A day.", days)).optional(),
});

/** `updates:` — how the machines' operating system is kept up to date. */
export const updates = section("Updates of the machines' operating system.", {
  channel: choice("Flatcar's release channel; the image's own when left out.", [
    "stable",
    "beta",
    "alpha",
    "lts",
  ]).optional(),
  group: text({
    description: "The group that an update server of your own knows the machines by.",
    check: groupWord,
  }).optional(),
  server: text({ description: "The address of an update server of your own.", check: serverAddress }).optional(),
  reboot: choice(
    "Whether machines reboot into an update by themselves: never, in the window, or always; never when left out.",
    ["never", "window", "always"],
  ).optional(),
  window: window.optional(),
}).superRefine((value, context) => {
  if (value.reboot === "window" && value.window === undefined)
    complain(context, {
      code: "missing-key",
      message: "the window is missing",
      fix: 'window: { start: "04:00", length: 2h }',
    });
  if (value.window !== undefined && value.reboot !== undefined && value.reboot !== "window")
    complain(context, {
      code: "invalid-value",
      message: `there is a window, and reboot is ${value.reboot}`,
      fix: "reboot: window, or no window",
      path: ["window"],
      at: "key",
    });
});

export type UpdatesSpec = z.output<typeof updates>;

function timeComplaint(time: string): Complaint | undefined {
  return /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(time)
    ? undefined
    : { code: "invalid-value", message: `${quoted(time)} is not a time of day`, fix: '"04:00", in quotes' };
}

function groupWord(group: string): Complaint | undefined {
  return /^[A-Za-z0-9.-]{1,64}$/.test(group)
    ? undefined
    : { code: "invalid-value", message: `${quoted(group)} is not a group`, fix: "use letters, digits, . and -" };
}

function serverAddress(address: string): Complaint | undefined {
  const fits = /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[\w./~-]*)?$/.test(address) && URL.canParse(address);
  return fits
    ? undefined
    : {
        code: "invalid-value",
        message: `${quoted(address)} is not the address of a server`,
        fix: "https://updates.example.com/",
      };
}
