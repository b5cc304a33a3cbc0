import type { Place } from "../place.ts";
import type { Stack } from "./stack.ts";
import type { Json } from "./template.ts";

/** `PT15M` in milliseconds. */
export function durationOf(text: string): number {
  const [, hours = "0", minutes = "0", count = "0"] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(text) ?? [];
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(count)) * 1_000;
}

function field(value: Json | undefined, name: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })[name]
    : undefined;
}

/**
 * Waits until so many have said that they are ready (template reference, "CreationPolicy attribute"); gives why not, in
 * CloudFormation's words. One FAILURE ends it: all of them are wanted.
 */
export async function waitForSignals(
  place: Place,
  stack: Stack,
  id: string,
  policy: Json,
  cut: AbortSignal,
  said: (line: string) => void,
): Promise<string | undefined> {
  const signal = field(policy, "ResourceSignal");
  if (signal === undefined) return undefined;
  const count = Number(field(signal, "Count") ?? 1);
  const timeout = durationOf(String(field(signal, "Timeout") ?? "PT5M"));
  return collect(place, stack, id, { count, timeout, cut, said, from: () => true });
}

/** The same for those whom `from` takes: a batch of a rolling update waits for new ones only. */
export async function collect(
  { clock }: Place,
  stack: Stack,
  id: string,
  {
    count,
    timeout,
    cut,
    said,
    from,
  }: {
    readonly count: number;
    readonly timeout: number;
    readonly cut: AbortSignal;
    readonly said: (line: string) => void;
    readonly from: (unique: string) => boolean;
  },
): Promise<string | undefined> {
  const end = clock.now() + timeout;
  const heard = new Set<string>();
  for (;;) {
    const all = [...(stack.signals.get(id) ?? [])].filter(([unique]) => from(unique));
    for (const [unique, status] of all)
      if (!heard.has(unique)) {
        heard.add(unique);
        said(`Received ${status} signal with UniqueId ${unique}`);
      }
    const failures = all.filter(([, status]) => status === "FAILURE").length;
    const successes = all.length - failures;
    if (failures > 0)
      return `Received ${failures} FAILURE signal(s) out of ${count}.  Unable to satisfy 100% MinSuccessfulInstancesPercent requirement`;
    if (successes >= count) return undefined;
    if (cut.aborted || stack.cancelled) return undefined;
    if (clock.now() >= end) {
      said(
        `Failed to receive ${count - successes} resource signal(s) for the current batch.  Each resource signal timeout is counted as a FAILURE.`,
      );
      return `Received ${successes} SUCCESS signal(s) out of ${count}.  Unable to satisfy 100% MinSuccessfulInstancesPercent requirement`;
    }
    await woken(clock.inner, end - clock.now(), stack, cut);
  }
}

async function woken(clock: Place["clock"]["inner"], longest: number, stack: Stack, cut: AbortSignal): Promise<void> {
  const heard = new AbortController();
  const wake = (): void => heard.abort();
  stack.listeners.add(wake);
  await clock.sleep(longest, AbortSignal.any([heard.signal, cut]));
  stack.listeners.delete(wake);
}
