/**
 * Texts as parts of another language, one function per sink. Each gives back what the other side reads as the very text, or
 * throws `UnsayableError` where that language has no way to say it.
 */
export class UnsayableError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnsayableError";
  }
}

/** One word of a POSIX shell: between single quotes nothing has a meaning but the quote itself. */
export function shellWord(text: string): string {
  if (text.includes("\0")) throw new UnsayableError("a NUL character cannot be in a command's argument");
  return /^[A-Za-z0-9_/.:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command as one line of a POSIX shell. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

/** One word of `ExecStart=`: specifiers and variables are not expanded in it, and it stays one word (systemd.service(5)). */
export function systemdWord(text: string): string {
  if (text.includes("\0")) throw new UnsayableError("a NUL character cannot be in a command's argument");
  if (/^[A-Za-z0-9_/.:=@+,-]+$/.test(text)) return text;
  const inside = text
    .replace(/[\\"]/g, (found) => `\\${found}`)
    // A line end would end the value, others of ASCII are not allowed in a unit; the later ones are characters like any other.
    .replace(/\p{Cc}/gu, (found) => {
      const code = found.charCodeAt(0);
      return code > 0x7f ? found : `\\x${code.toString(16).padStart(2, "0")}`;
    })
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$");
  return `"${inside}"`;
}

/** A command as the value of `ExecStart=`. The first word is a program of ours: an absolute path. */
export function systemdCommand(words: readonly [string, ...string[]]): string {
  return words.map(systemdWord).join(" ");
}

/** A path in `ConditionPathExists=`, `Where=` and the like: specifiers are not expanded in it. */
export function systemdPath(path: string): string {
  if (/[\0\n\r]/.test(path)) throw new UnsayableError("a path in a unit cannot have a line end");
  return path.replaceAll("%", "%%");
}

/** The name of the unit of a path: `systemd-escape --path`. */
export function systemdEscapePath(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, "").replace(/\/+/g, "/");
  if (trimmed === "") return "-";
  return [...Buffer.from(trimmed, "utf8")]
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      if (character === "/") return "-";
      const plain = /[A-Za-z0-9:_]/.test(character) || (character === "." && index > 0);
      return plain ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

/** A `data:` address (RFC 2397) of bytes, in the shorter of its two ways. */
export function dataAddress(bytes: Uint8Array): string {
  const base64 = `data:;base64,${Buffer.from(bytes).toString("base64")}`;
  const percent = percentEncoded(bytes);
  return percent === undefined || percent.length > base64.length ? base64 : percent;
}

function percentEncoded(bytes: Uint8Array): string | undefined {
  const plain = /[A-Za-z0-9\-_.!~*'()]/;
  let text = "data:,";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    if (text.length > bytes.length * 1.4 + 64) return undefined;
  }
  return text;
}
