import type { UpdatesSpec } from "../spec/updates.ts";
import type { Updates, Weekday } from "./cluster.ts";

const everyDay: readonly Weekday[] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The updates with every default filled in: a window alone means that machines reboot in it. */
export function resolveUpdates(spec: UpdatesSpec): Updates {
  const { window } = spec;
  const reboot = spec.reboot ?? (window === undefined ? "never" : "window");
  const [hours = 0, minutes = 0] = (window?.start ?? "").split(":").map(Number);
  return {
    channel: spec.channel,
    group: spec.group,
    server: spec.server,
    reboot,
    window:
      window === undefined || reboot !== "window"
        ? undefined
        : {
            start: hours * 60 + minutes,
            length: Math.floor(window.length / 60_000),
            days: everyDay.filter((day) => (window.days ?? everyDay).includes(day)),
          },
  };
}
