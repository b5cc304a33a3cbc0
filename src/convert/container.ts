import type { OldUnit } from "./cloud-config.ts";
import type { DraftService } from "./draft.ts";
import { commandsOf, settingsOf, valuesOf, wordsOf } from "./unit.ts";

type Container = Pick<DraftService, "image" | "command" | "ports" | "environment" | "mounts" | "labels">;

/** The container that a unit runs with `docker run`, when Swarm can run the same; else `undefined`, or why it cannot. */
export function containerOf(unit: OldUnit): Container | { readonly why: string } | undefined {
  const settings = settingsOf(unit.content ?? "");
  const starts = valuesOf(settings, "ExecStart");
  const words = starts.length === 1 ? wordsOf((starts[0] ?? "").replace(/^[-@:+!]+/, "")) : undefined;
  if (words === undefined || !/(?:^|\/)docker$/.test(words[0] ?? "") || words[1] !== "run") return undefined;
  const others = commandsOf(settings).filter((line) => !/^\S*docker\s+(?:run|pull|kill|rm|stop)\b/.test(line));
  if (others.length > 0) return { why: `beside docker run it runs ${wordsOf(others[0] ?? "")?.[0] ?? "more"}` };
  if (words.some((word) => /%[a-zA-Z]|\$\{?\w/.test(word)))
    return { why: "its command has words that systemd fills in" };
  return readRun(words.slice(2));
}

const ignored = new Set(["--rm", "-d", "-t", "-i", "-it", "-ti", "--detach", "--tty", "--interactive"]);
const named = new Set(["--name", "--restart", "--hostname", "-h", "--log-driver", "--log-opt"]);
const known: Readonly<Record<string, "ports" | "environment" | "mounts" | "labels">> = {
  "-p": "ports",
  "--publish": "ports",
  "-e": "environment",
  "--env": "environment",
  "-v": "mounts",
  "--volume": "mounts",
  "-l": "labels",
  "--label": "labels",
};

function readRun(words: readonly string[]): Container | { readonly why: string } {
  const lists = { ports: [] as string[], environment: [] as string[], mounts: [] as string[], labels: [] as string[] };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-"))
      return {
        image: word,
        command: words.slice(at + 1),
        ports: lists.ports,
        environment: pairs(lists.environment),
        mounts: lists.mounts,
        labels: pairs(lists.labels),
      };
    const [, flag = word, joined] = /^(--[\w-]+)=(.*)$/.exec(word) ?? [];
    if (ignored.has(flag) || /^(?:--rm|--detach|--tty|--interactive)$/.test(flag)) continue;
    const list = Object.hasOwn(known, flag) ? known[flag] : undefined;
    if (list === undefined && !named.has(flag)) return { why: `Swarm has no ${flag} of docker run` };
    const value = joined ?? words[++at] ?? "";
    if (list !== undefined) lists[list].push(value);
  }
  return { why: "docker run names no image" };
}

function pairs(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((pair): [string, string] => {
      const at = pair.indexOf("=");
      return at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
