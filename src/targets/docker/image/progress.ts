import type { Clock } from "../../../host/clock.ts";
import type { Workshop } from "./workshop.ts";

/** Milliseconds of silence after which a long stage is named again. */
const silence = 5000;

/** Milliseconds between two lines about the same stage. */
const pace = 2000;

// Terminal colours and BuildKit's step numbers and times, which say nothing to a reader.
// oxlint-disable-next-line no-control-regex -- escape sequences begin with a control character
const decoration = /\u001b\[[0-9;]*m|^#\d+ (?:\[[^\]]*\] )?(?:\d+\.\d+ )?/g;

/** The counted lines of apt, dpkg, Go and BuildKit: many of a kind, of which the number is news. */
const counted: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ["packages fetched", /^Get:\d+ .*\[/],
  ["packages unpacked", /^Unpacking /],
  ["packages set up", /^Setting up /],
  ["modules fetched", /^go: downloading /],
  ["Go packages compiled", /^[a-z0-9.-]+(?:\/[A-Za-z0-9._~-]+)+$/],
];

/** Lines of mmdebstrap that begin a stage and are said as they are. */
const stage = /^I: (running apt-get update|downloading packages|extracting|installing .*|creating tarball)/;

/** Makes of a program's chatter one line a stage and, within a stage, a count every two seconds. */
export function condense(subject: string, workshop: Pick<Workshop, "say" | "clock">): (line: string) => void {
  const { say, clock } = workshop;
  const counts = new Map<string, number>();
  let last = Number.NEGATIVE_INFINITY;
  return (raw) => {
    const line = raw.replaceAll(decoration, "").trim();
    const begun = stage.exec(line)?.[1];
    if (begun !== undefined) {
      last = clock.now();
      return say(`${subject}: ${begun.replace(/\.+$/, "")}`);
    }
    const kind = counted.find(([, pattern]) => pattern.test(line))?.[0];
    if (kind === undefined) return undefined;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (clock.now() - last < pace) return undefined;
    last = clock.now();
    return say(`${subject}: ${count} ${kind}`);
  };
}

/** A `say` that repeats its last line, with the seconds since, whenever nothing was said for a while. */
export function unsilent(
  say: (line: string) => void,
  clock: Clock,
  signal: AbortSignal,
): { readonly say: (line: string) => void; readonly ended: Promise<void> } {
  let last = "";
  let began = clock.now();
  let spoke = began;
  const repeat = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(silence / 5, signal);
      if (signal.aborted || last === "" || clock.now() - spoke < silence) continue;
      spoke = clock.now();
      say(`${last} … ${Math.round((spoke - began) / 1000)} s`);
    }
  };
  return {
    say: (line) => {
      last = line;
      began = spoke = clock.now();
      say(line);
    },
    ended: repeat(),
  };
}
