import { StringDecoder } from "node:string_decoder";
import { neutral } from "./neutral.ts";

/** Puts chunks of several sources together to whole lines, so that those of one do not cut those of another. */
export function byLines() {
  const open = new Map<string, { rest: string; readonly decoder: StringDecoder; give: (line: string) => void }>();
  return {
    /** Gives every line that is complete now, harmless for a terminal. */
    add(source: string, chunk: Uint8Array, give: (line: string) => void): void {
      const at = open.get(source) ?? { rest: "", decoder: new StringDecoder("utf8"), give };
      open.set(source, at);
      const [first = "", ...more] = at.decoder.write(Buffer.from(chunk)).split("\n");
      at.rest += first;
      for (const next of more) {
        give(neutral(at.rest, 10_000));
        at.rest = next;
      }
    },
    /** Gives what came last without a line end. */
    end(): void {
      for (const { rest, give } of open.values()) if (rest !== "") give(neutral(rest, 10_000));
      open.clear();
    },
  };
}
