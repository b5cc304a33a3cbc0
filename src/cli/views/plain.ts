import type { Event } from "../../events/event.ts";
import type { Output } from "../world.ts";
import { neutral } from "./neutral.ts";
import { sentence } from "./sentence.ts";
import type { Theme } from "./theme.ts";
import { mustBeSeen, type View } from "./view.ts";

/** `failed` and warnings catch the eye; the rest is plain. */
function painted(event: Event, line: string, theme: Theme): string {
  if (event.level === "error") return theme.paint("bad", line);
  if (event.level === "warning") return theme.paint("warning", line);
  return line;
}

/** The line of one event, and under a failure the log lines that explain it. */
export function linesOf(event: Event, theme: Theme): readonly string[] {
  const log = event.name === "node.failed" ? event.log.map((line) => `    ${neutral(line)}`) : [];
  return [painted(event, sentence(event), theme), ...log];
}

/** What an event is about: the next line on the same thing is shown only when it says something else. */
function subject(event: Event): string {
  if (event.name === "node.phase") return `node ${event.node}`;
  if (event.name === "service.state") return `service ${event.service}`;
  return event.name;
}

/** What another line tells as well: a failure by the error itself, the last phase by `node.ready`. */
export function isTold(event: Event): boolean {
  return event.name === "operation.failed" || (event.name === "node.phase" && event.phase === "ready");
}

/** One line per change, with the time in UTC; for logs and pipes. With `quiet` only what must be seen. */
export function plainView(output: Output, theme: Theme, quiet: boolean): View {
  const last = new Map<string, string>();
  return {
    listen: (event) => {
      if (event.level === "debug" || isTold(event) || (quiet && !mustBeSeen(event))) return;
      const [first = "", ...rest] = linesOf(event, theme);
      const about = subject(event);
      if (about !== event.name && last.get(about) === first) return;
      last.set(about, first);
      const time = theme.paint("quiet", new Date(event.time).toISOString().slice(0, 19));
      output.write([`${time}Z ${first}`, ...rest].map((line) => `${line}\n`).join(""));
    },
    close: () => undefined,
  };
}
