/** One line of a unit: `Key=value` with the section that it stands in. */
export type Setting = { readonly section: string; readonly key: string; readonly value: string };

/** The settings of a unit's text; lines that end in a backslash are one. */
export function settingsOf(content: string): readonly Setting[] {
  const settings: Setting[] = [];
  let section = "";
  for (const raw of content.replace(/\\\r?\n/g, " ").split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const head = /^\[(.+)\]$/.exec(line)?.[1];
    if (head !== undefined) {
      section = head;
      continue;
    }
    const [, key, value = ""] = /^([\w-]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined) settings.push({ section, key, value });
  }
  return settings;
}

/** The values of a key, whatever its section. */
export function valuesOf(settings: readonly Setting[], ...keys: readonly string[]): readonly string[] {
  return settings.filter(({ key }) => keys.includes(key)).map(({ value }) => value);
}

/** The command lines that a unit runs, without systemd's marks in front of them. */
export function commandsOf(settings: readonly Setting[]): readonly string[] {
  return settings
    .filter(({ key }) => /^Exec(?:Start|StartPre|StartPost|Stop|StopPost|Reload)$/.test(key))
    .map(({ value }) => value.replace(/^[-@:+!]+/, ""))
    .filter((value) => value !== "");
}

/** A command line's words as systemd splits it, or `undefined` when a quote is not closed. */
export function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === "\\" && quote !== "'") {
      word = (word ?? "") + (line[++at] ?? "");
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (word !== undefined) words.push(word);
  return quote === "" ? words : undefined;
}
