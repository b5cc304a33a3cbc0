/** The words of a line that `quote.ts` has written; `undefined` when it has written nothing of the kind. */
export function shellWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    let word = "";
    while (at < line.length && line[at] !== " ") {
      if (line[at] === "'") {
        const end = line.indexOf("'", at + 1);
        if (end < 0) return undefined;
        word += line.slice(at + 1, end);
        at = end + 1;
      } else if (line.startsWith("\\'", at)) {
        word += "'";
        at += 2;
      } else word += line[at++];
    }
    words.push(word);
    at++;
  }
  return words;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", '"': '"' };

/** The words of an `ExecStart=` value that `systemdCommand` has written. */
export function systemdWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (line[at] !== '"') {
      const end = line.indexOf(" ", at);
      words.push(line.slice(at, end < 0 ? line.length : end));
      at = end < 0 ? line.length : end + 1;
      continue;
    }
    let word = "";
    at++;
    while (line[at] !== '"') {
      if (at >= line.length) return undefined;
      const next = line[at + 1] ?? "";
      if (line[at] === "\\" && next === "x") {
        word += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 4), 16));
        at += 4;
      } else if (line[at] === "\\") {
        word += escapes[next] ?? next;
        at += 2;
      } else {
        const doubled = line.startsWith("%%", at) || line.startsWith("$$", at);
        word += line[at];
        at += doubled ? 2 : 1;
      }
    }
    words.push(word);
    at += 2;
  }
  return words;
}
