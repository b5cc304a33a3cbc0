import type { PastEvent } from "../../operations/events.ts";
import { neutral } from "./neutral.ts";
import type { Theme } from "./theme.ts";

/** One line of the journal; its fields as they were written, for an older or newer Slipway may have written them. */
export function pastLine(event: PastEvent, theme: Theme): string {
  const fields = Object.entries(event.fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const name =
    event.level === "error"
      ? theme.paint("bad", event.name)
      : event.level === "warning"
        ? theme.paint("warning", event.name)
        : event.name;
  return `${theme.paint("quiet", `${new Date(event.time).toISOString()} ${event.operation}`)} ${name} ${neutral(fields.join(" "), 1000)}`;
}
