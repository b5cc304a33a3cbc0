/** Where a line of a text was taken from; `shift` is by how much it was moved to the right. */
export type Origin = {
  readonly file: string;
  readonly text: string;
  /** From 1. */
  readonly line: number;
  readonly shift: number;
};

/** A text to read, each of whose lines may have been taken from another file. */
export type Lines = {
  /** Its name in messages. */
  readonly file: string;
  readonly text: string;
  readonly origins: readonly Origin[];
};

/** A file as it is: every line is its own. */
export function linesOf(file: string, text: string): Lines {
  const origins = text.split("\n").map((_, index) => ({ file, text, line: index + 1, shift: 0 }));
  return { file, text, origins };
}

/** A text of pieces that end anywhere; a line belongs to the piece in which it begins. */
export function linesOfPieces(file: string, pieces: readonly { readonly text: string; readonly at: Origin }[]): Lines {
  const origins: Origin[] = [];
  let begun = false;
  for (const { text, at } of pieces) {
    const parts = text.split("\n");
    for (const [index, part] of parts.entries()) {
      if (index > 0) begun = false;
      if (begun || (part === "" && index === parts.length - 1)) continue;
      origins.push(at);
      begun = true;
    }
  }
  return { file, text: pieces.map(({ text }) => text).join(""), origins };
}

/** Where a line of the text was taken from; one behind the end is the last. */
export function originOf(lines: Lines, line: number): Origin {
  return (
    lines.origins[line - 1] ??
    lines.origins.at(-1) ?? { file: lines.file, text: lines.text, line: Math.max(line, 1), shift: 0 }
  );
}

/** `file:line` of where a line was taken from. */
export function placeOf(lines: Lines, line: number): string {
  const origin = originOf(lines, line);
  return `${origin.file}:${origin.line}`;
}
