/* oxlint-disable no-control-regex -- it is these characters that this file is about */
// Control characters can rewrite what a terminal shows, and direction overrides can make a line read otherwise than it is.

/** Characters that no text of a file may hold: controls, direction overrides, halves of pairs, non-characters. */
const hidden = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/u;
const hiddenInLines =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/u;

const everyHidden = new RegExp(hidden, "gu");

/** The first character that must not stand in a text, and its offset; `lines` allows tabs and newlines. */
export function hiddenCharacter(
  text: string,
  lines: boolean,
): { readonly character: string; readonly offset: number } | undefined {
  const found = (lines ? hiddenInLines : hidden).exec(text);
  return found === null ? undefined : { character: characterName(found[0]), offset: found.index };
}

/** A character by its code point, such as `U+001B`. */
function characterName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A text with every hidden character shown as one visible character of the same length; tabs stay. */
export function visible(text: string): string {
  return text.replace(everyHidden, (character) => {
    const code = character.charCodeAt(0);
    if (character === "\t") return character;
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : "\ufffd";
  });
}

const shownLength = 60;

/** A value as a message names it: in quotes, on one line, and shortened. */
export function quoted(value: string): string {
  const points = Array.from(value.slice(0, 2 * shownLength + 1));
  const short = points.length > shownLength ? `${points.slice(0, shownLength).join("")}…` : value;
  return `"${visible(short).replaceAll("\t", "\u2409")}"`;
}

const marks = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]|\ufe0f/u;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** How many columns of a terminal a text takes; tabs are left to the caller. */
export function columns(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let sum = 0;
  for (const { segment } of graphemes.segment(text)) sum += marks.test(segment) ? 0 : wide.test(segment) ? 2 : 1;
  return sum;
}
