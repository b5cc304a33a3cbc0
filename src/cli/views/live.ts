import type { AtExit, Output } from "../world.ts";

/** A part of the terminal that is drawn again and again. */
export type Live = {
  readonly show: (text: string) => void;
  /** Lines that stay, above what is drawn. */
  readonly above: (text: string) => void;
  /** Leaves what was drawn last and gives the cursor back; may be called twice. */
  readonly close: (keep: boolean) => void;
};

const cursor = { hide: "\u001b[?25l", show: "\u001b[?25h" };

/** Opens it on a stream that is a terminal, where log-update solves wrapping, wide characters and the height. */
export async function openLive(output: Output, atExit: AtExit): Promise<Live> {
  const { createLogUpdate } = await import("log-update");
  const log = createLogUpdate(output, { showCursor: true });
  let open = true;
  output.write(cursor.hide);
  // However the process ends, the cursor comes back.
  const forget = atExit(() => void output.write(cursor.show));
  return {
    show: (text) => {
      if (open) log(text);
    },
    above: (text) => (open ? log.persist(text) : void output.write(`${text}\n`)),
    close: (keep) => {
      if (!open) return;
      open = false;
      if (!keep) log.clear();
      log.done();
      forget();
      output.write(cursor.show);
    },
  };
}
