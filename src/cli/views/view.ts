import type { Event } from "../../events/event.ts";

/** A listener of the event stream that shows it; `close` leaves the terminal as it was. */
export type View = {
  readonly listen: (event: Event) => void;
  readonly close: () => void;
};

/** Gives only what a person must not miss: the recovery key, warnings, and what failed. */
export function mustBeSeen(event: Event): boolean {
  return event.level === "warning" || event.level === "error";
}
